"""A challenge is bound to its ceremony and to the email it was begun for."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.features.conftest import BOB
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
    users,
)
from tests.support.service import JANE, Service


def test_a_registration_challenge_is_no_use_in_a_login(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A3: and the registration it was for is over."""
    creation = service.begin_registration(BOB)
    request = {"challenge": creation["challenge"], "rpId": "localhost"}
    answer = service.complete_login(BOB["email"], device.get(request))
    assert_login_refused(service, answer, "other_ceremony")
    late = service.complete_registration(BOB["email"], SoftAuthenticator().create(creation))
    assert_registration_refused(service, late, "no_ceremony")


@pytest.mark.parametrize("begun_for", [JANE["email"], None], ids=["by email", "usernameless"])
def test_a_login_challenge_is_no_use_in_a_registration(
    service: Service, device: SoftAuthenticator, begun_for: str | None
) -> None:
    """A3: no account comes of it, and the login it was for is over."""
    challenge = service.begin_login(begun_for)["challenge"]
    creation = {**service.begin_registration(), "challenge": challenge}
    answer = service.complete_registration(JANE["email"], device.create(creation))
    assert_registration_refused(service, answer, "other_ceremony")
    assert_nothing_stored(service)
    late = service.complete_login(begun_for, device.get({"challenge": challenge}))
    assert_login_refused(service, late, "no_ceremony")


def test_an_assertion_is_no_registration_nor_the_reverse(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A3: the type that the browser signed tells the ceremonies apart, too."""
    created = device.get(service.begin_login(), flaw=Flaw(type="webauthn.create"))
    answer = service.complete_login(JANE["email"], created)
    assert_login_refused(service, answer, "client_data_type")
    flaw = Flaw(type="webauthn.get")
    credential = SoftAuthenticator().create(service.begin_registration(BOB), flaw=flaw)
    answer = service.complete_registration(BOB["email"], credential)
    assert_registration_refused(service, answer, "client_data_type")


@pytest.mark.parametrize(
    "named", [JANE["email"], BOB["email"], None], ids=["as Jane", "as Bob", "as nobody"]
)
def test_bobs_passkey_cannot_answer_janes_challenge(
    service: Service,
    jane: dict[str, Any],
    bob: dict[str, Any],
    bobs_device: SoftAuthenticator,
    named: str | None,
) -> None:
    """A3: under whatever name it is sent."""
    options = service.begin_login(JANE["email"])
    assertion = bobs_device.get(options, flaw=Flaw(ignores_options=True))
    assert_login_refused(service, service.complete_login(named, assertion), "other_email")


@pytest.mark.parametrize("named", [BOB["email"], None], ids=["as Bob", "as nobody"])
def test_janes_challenge_is_completed_as_jane_or_not_at_all(
    service: Service,
    device: SoftAuthenticator,
    jane: dict[str, Any],
    bob: dict[str, Any],
    named: str | None,
) -> None:
    """A3: everything is right but the name, and the challenge is spent all the same."""
    assertion = device.get(service.begin_login(JANE["email"]))
    assert_login_refused(service, service.complete_login(named, assertion), "other_email")
    late = service.complete_login(JANE["email"], assertion)
    assert_login_refused(service, late, "no_ceremony")


def test_a_usernameless_challenge_is_not_completed_under_anothers_name(
    service: Service, jane: dict[str, Any], bob: dict[str, Any], bobs_device: SoftAuthenticator
) -> None:
    """A3: the owner of the passkey decides who logs in; a name beside it must agree."""
    assertion = bobs_device.get(service.begin_login(None))
    answer = service.complete_login(JANE["email"], assertion)
    event = assert_login_refused(service, answer, "other_email")
    assert event["user_id"] == bob["id"]


def test_a_registration_is_completed_for_the_email_it_was_begun_for(
    service: Service, device: SoftAuthenticator
) -> None:
    """A3: neither email gets an account."""
    credential = device.create(service.begin_registration(JANE))
    answer = service.complete_registration(BOB["email"], credential)
    event = assert_registration_refused(service, answer, "other_email")
    assert event["user_email"] == BOB["email"]
    assert users(service) == []


def test_the_email_that_completes_may_be_spelled_another_way(
    service: Service, device: SoftAuthenticator
) -> None:
    credential = device.create(service.begin_registration(JANE))
    answer = service.complete_registration("JANE@Example.Com", credential)
    assert answer.status_code == 201
    assertion = device.get(service.begin_login("Jane@example.com"))
    assert service.complete_login("jane@EXAMPLE.com", assertion).status_code == 200
