"""Fixtures for every test: a running service, a software passkey, a clock; the header of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.support import cases, production
from tests.support.clock import HeldClock
from tests.support.service import Service

# `pip install -r requirements.txt && pytest` runs what needs no more than that; CI has everything.
NEEDS = {
    "playwright": "browser",
    "hypothesis": "features/http",
    "schemathesis": "fuzz",
    "yamllint": "deploy",
    "opentelemetry.sdk": "operations/tracing",
    "yaml": "architecture/test_repository.py",
    "cyclonedx": "architecture/test_supply_chain.py",
}
collect_ignore = [folder for name, folder in NEEDS.items() if find_spec(name) is None]

# The time limit of a test, in seconds, which pytest-timeout reads here where it is installed. A
# test that takes longer on a quiet machine says so with `@pytest.mark.timeout(...)`.
os.environ.setdefault("PYTEST_TIMEOUT", "180")
# pytest-timeout and pytest-xdist declare these markers; without them somebody else has to.
MARKERS = {"pytest_timeout": "timeout(seconds)", "xdist": "xdist_group(name)"}

StartService = Callable[..., Service]


def pytest_configure(config: pytest.Config) -> None:
    for plugin, marker in MARKERS.items():
        if find_spec(plugin) is None:
            config.addinivalue_line("markers", f"{marker}: does nothing without {plugin}")


def pytest_report_header() -> list[str]:
    """Tell at the top of the run which of the suite's variants this is."""
    tables = "all (FULL=1)" if cases.is_full() else "some of each kind (FULL=1 takes all)"
    backend = "PostgreSQL and Redis" if production.is_chosen() else "SQLite"
    limit = f"{os.environ['PYTEST_TIMEOUT']} s a test"
    if find_spec("pytest_timeout") is None:
        limit = "none (pytest-timeout is not installed)"
    return [f"cases of tables: {tables}", f"backend: {backend}", f"time limit: {limit}"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL and Redis, leave out what is about the other backend, and count it."""
    if production.is_chosen():
        others = [item for item in items if item.get_closest_marker("sqlite")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session", autouse=True)
def leave_no_databases() -> Iterator[None]:
    """Drop the databases that this process has made on PostgreSQL when its tests are over."""
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
    """A service with default settings; its clock stands still until the test moves it."""
    return start_service(clock=clock)


@pytest.fixture
def device() -> SoftAuthenticator:
    """Jane's laptop, with no passkey on it yet."""
    return SoftAuthenticator()
