"""Services that many tests of one module share, because none of them changes anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.service import Service


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service for tables of requests that are refused: nobody registers with it."""
    with Service(tmp_path_factory.mktemp("shared"), danger_rate_limits_off=True) as service:
        yield service
