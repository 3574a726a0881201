"""The databases that the commands read."""

from tests.shipping.conftest import backend

__all__ = ["backend"]
