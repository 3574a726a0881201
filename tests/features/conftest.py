"""Fixtures of the ceremonies: one running service for all tests, Jane with a passkey, and Bob."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.support.clock import HeldClock
from tests.support.service import Service, person

BOB = person("bob")
TABLES = ("audit_logs", "webauthn_credentials", "users")


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all of these tests: starting one takes longer than most of them.

    It has no rate limits, because they would refuse a request before the defence under test does.
    """
    folder = tmp_path_factory.mktemp("service")
    with Service(folder, clock=HeldClock(), danger_rate_limits_off=True) as service:
        yield service


@pytest.fixture
def clock(running: Service) -> Iterator[HeldClock]:
    """The running service's clock; its wall time is restored after the test."""
    clock = cast(HeldClock, running.parts.clock)
    wall, monotonic = clock.now(), clock.monotonic()
    yield clock
    clock.set_wall((wall - clock.now()).total_seconds() + clock.monotonic() - monotonic)


@pytest.fixture
def service(running: Service, clock: HeldClock) -> Service:
    """The running service without accounts and audit rows, as if it had just started.

    Challenges of earlier tests remain in the store. They disturb no other test.
    """
    for table in TABLES:
        running.rows(f"DELETE FROM {table}")
    return running


@pytest.fixture
def jane(service: Service, device: SoftAuthenticator) -> dict[str, Any]:
    """Jane's user object; her passkey is on `device`."""
    return service.register(device)


@pytest.fixture
def bobs_device() -> SoftAuthenticator:
    """Bob's telephone."""
    return SoftAuthenticator()


@pytest.fixture
def bob(service: Service, bobs_device: SoftAuthenticator) -> dict[str, Any]:
    """Bob's user object; his passkey is on `bobs_device`."""
    return service.register(bobs_device, BOB)
