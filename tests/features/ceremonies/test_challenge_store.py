"""Begun ceremonies wait side by side: nobody can end another's, and there is a cap."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.conftest import StartService
from tests.features.expect import assert_login_refused, assert_registration_refused
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service, person

CAPACITY = 100
# Redis is bounded by its own `maxmemory`, and refuses the newest: assurance/soak/flood.py.
in_memory = pytest.mark.sqlite


@pytest.fixture
def small(start_service: StartService, clock: HeldClock) -> Service:
    """A service that keeps few ceremonies."""
    return start_service(clock=clock, pending_ceremonies=CAPACITY, danger_rate_limits_off=True)


def waiting(service: Service) -> int:
    return service.waiting()


def test_an_attacker_who_begins_logins_for_an_email_ends_no_other(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    options = service.begin_login()
    for _ in range(50):
        service.begin_login()
    answer = service.complete_login(JANE["email"], device.get(options))
    assert answer.status_code == 200


def test_an_attacker_who_fails_logins_for_an_email_ends_no_other(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    options = service.begin_login()
    for _ in range(10):
        failed = service.try_login(device, flaw=Flaw(flip_signature_bit=True, sign_count=999))
        assert_login_refused(service, failed, "signature")
    answer = service.complete_login(JANE["email"], device.get(options))
    assert answer.status_code == 200


def test_an_attacker_who_begins_registrations_for_an_email_ends_no_other(
    service: Service, device: SoftAuthenticator
) -> None:
    options = service.begin_registration()
    for _ in range(10):
        theirs = service.begin_registration({**JANE, "first_name": "Mallory"})
        assert theirs["user"]["id"] != options["user"]["id"]
    answer = service.complete_registration(JANE["email"], device.create(options))
    assert (answer.status_code, answer.json()["first_name"]) == (201, "Jane")


@in_memory
def test_when_the_store_is_full_the_oldest_goes(small: Service, device: SoftAuthenticator) -> None:
    small.register(device)
    oldest, second = small.begin_login(), small.begin_login()
    for _ in range(CAPACITY - 1):
        small.begin_login(None)
    assert waiting(small) == CAPACITY
    late = small.complete_login(JANE["email"], device.get(oldest))
    assert_login_refused(small, late, "no_ceremony")
    assert small.complete_login(JANE["email"], device.get(second)).status_code == 200


@in_memory
def test_registrations_and_logins_share_the_cap(small: Service, device: SoftAuthenticator) -> None:
    options = small.begin_registration()
    for number in range(CAPACITY):
        small.begin_login(None if number % 2 else f"nobody{number}@example.com")
    answer = small.complete_registration(JANE["email"], device.create(options))
    assert_registration_refused(small, answer, "no_ceremony")


@in_memory
def test_the_store_is_bounded_whoever_begins_what(small: Service) -> None:
    for number in range(CAPACITY // 2):
        small.begin_registration(person(f"user{number}"))
        small.begin_login(f"user{number}@example.com")
        small.begin_login(None)
    assert waiting(small) == CAPACITY


@in_memory
def test_what_has_expired_makes_room(small: Service, device: SoftAuthenticator) -> None:
    for _ in range(CAPACITY):
        small.begin_login(None)
    small.let_pass(300)
    options = small.begin_registration()
    assert waiting(small) == 1
    answer = small.complete_registration(JANE["email"], device.create(options))
    assert answer.status_code == 201
    assert waiting(small) == 0
