"""Services that many tests of one module share, because none of them changes anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

# Each test of this folder has its own service: that of tests/features/conftest.py is shared.
from tests.conftest import clock as clock
from tests.conftest import service as service
from tests.support.service import Service


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service for tables of requests that are refused: nobody registers with it."""
    with Service(tmp_path_factory.mktemp("shared"), danger_rate_limits_off=True) as service:
        yield service
