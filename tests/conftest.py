"""Fixtures every test may ask for: a running service, a device with passkeys, a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.support import production
from tests.support.clock import HeldClock
from tests.support.service import Service

# `pip install -r requirements.txt && pytest` runs what needs no more than that; CI has everything.
NEEDS = {
    "playwright": "browser",
    "hypothesis": "http",
    "schemathesis": "fuzz",
    "yamllint": "deploy",
    "opentelemetry.sdk": "tracing",
    "yaml": "architecture/test_repository.py",
    "cyclonedx": "architecture/test_supply_chain.py",
}
collect_ignore = [folder for name, folder in NEEDS.items() if find_spec(name) is None]

StartService = Callable[..., Service]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL and Redis, leave out what is about the other backend, and count it."""
    if production.is_chosen():
        others = [item for item in items if item.get_closest_marker("sqlite")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session", autouse=True)
def leave_no_databases() -> Iterator[None]:
    """What a run on PostgreSQL has made there goes with it."""
    if production.is_chosen():
        production.need_servers()
    yield
    production.drop_all()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[StartService]:
    """Starts a service with the settings given; it ends with the test."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Service:
            return stack.enter_context(Service(tmp_path, **settings))

        yield start


@pytest.fixture
def service(start_service: StartService, clock: HeldClock) -> Service:
    """A service under default settings, whose time stands still unless the test moves it."""
    return start_service(clock=clock)


@pytest.fixture
def device() -> SoftAuthenticator:
    """Jane's laptop, with no passkey on it yet."""
    return SoftAuthenticator()
