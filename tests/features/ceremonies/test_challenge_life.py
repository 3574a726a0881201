"""Challenges live five minutes, by a clock that nobody can set."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
)
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service

DAY = 86_400
# Redis runs on its own clock, which does not wait for a slow machine; tests/unit holds the bound.
NEARLY = 295


def test_a_login_may_take_nearly_five_minutes(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    assertion = device.get(service.begin_login())
    service.let_pass(NEARLY)
    assert service.complete_login(JANE["email"], assertion).status_code == 200


def test_a_registration_may_take_nearly_five_minutes(
    service: Service, device: SoftAuthenticator
) -> None:
    credential = device.create(service.begin_registration())
    service.let_pass(NEARLY)
    assert service.complete_registration(JANE["email"], credential).status_code == 201


@pytest.mark.parametrize("seconds", [300, 301, DAY])
def test_a_login_that_takes_longer_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], seconds: int
) -> None:
    """A6: from the second on that ends its life."""
    assertion = device.get(service.begin_login())
    service.let_pass(seconds)
    answer = service.complete_login(JANE["email"], assertion)
    assert_login_refused(service, answer, "no_ceremony")


@pytest.mark.parametrize("seconds", [300, 301, DAY])
def test_a_registration_that_takes_longer_is_refused(
    service: Service, device: SoftAuthenticator, seconds: int
) -> None:
    """A6: from the second on that ends its life."""
    credential = device.create(service.begin_registration())
    service.let_pass(seconds)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, "no_ceremony")
    assert_nothing_stored(service)


def test_an_expired_challenge_does_not_come_back(
    service: Service, clock: HeldClock, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A6: setting the wall clock back makes nothing young again."""
    assertion = device.get(service.begin_login())
    service.let_pass(301)
    clock.set_wall(-DAY)
    answer = service.complete_login(JANE["email"], assertion)
    assert_login_refused(service, answer, "no_ceremony")


@pytest.mark.parametrize("seconds", [-DAY, -300, 300, DAY])
def test_setting_the_wall_clock_ends_no_challenge(
    service: Service,
    clock: HeldClock,
    device: SoftAuthenticator,
    jane: dict[str, Any],
    seconds: int,
) -> None:
    """A6: a lifetime is time that passed, not what a clock says."""
    assertion = device.get(service.begin_login())
    clock.set_wall(seconds)
    service.let_pass(NEARLY)
    assert service.complete_login(JANE["email"], assertion).status_code == 200


def test_every_begin_has_five_minutes_of_its_own(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    first = service.begin_login()
    service.let_pass(200)
    second = service.begin_login()
    service.let_pass(200)
    answer = service.complete_login(JANE["email"], device.get(second))
    assert answer.status_code == 200
    answer = service.complete_login(JANE["email"], device.get(first))
    assert_login_refused(service, answer, "no_ceremony")
