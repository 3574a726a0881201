"""Services of HTTP tests: one for each test, and one shared by tests that change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import StartService
from tests.support.clock import HeldClock
from tests.support.service import Service


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service for tables of requests that are refused: nobody registers with it."""
    with Service(tmp_path_factory.mktemp("shared"), danger_rate_limits_off=True) as service:
        yield service


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def service(start_service: StartService, clock: HeldClock) -> Service:
    """A service for one test: some of these tests break parts of it, or its tables."""
    return start_service(clock=clock)
