"""Every failure of a ceremony is answered alike, and what fails stays on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.features.devices import second_device
from tests.features.expect import event_of, public
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service

LOGIN_FLAWS = {
    "origin": Flaw(origin="http://evil.example"),
    "cross_origin": Flaw(cross_origin=True),
    "user_not_verified": Flaw(uv=False),
    "signature": Flaw(flip_signature_bit=True),
    "unknown_credential": Flaw(credential_id=bytes(32)),
    "possible_clone": Flaw(sign_count=0),
    "user_handle": Flaw(user_handle=b"someone else"),
    "member_signature": Flaw(response={"signature": "é"}),
    "rp_id_hash": Flaw(rp_id="evil.example"),
    "no_ceremony": Flaw(challenge="A" * 43),
}
REGISTRATION_FLAWS = {
    "origin": Flaw(origin="http://evil.example"),
    "user_not_verified": Flaw(uv=False),
    "public_key": Flaw(cose_key=7),
    "attestation_malformed": Flaw(attestation_object=b"\xff"),
    "credential_id_short": Flaw(credential_id=b"short"),
    "credential_taken": Flaw(credential_id=b"the same id for two".ljust(32)),
    "rp_id_hash": Flaw(rp_id="evil.example"),
    "no_ceremony": Flaw(challenge="A" * 43),
}


def seen_from_outside(answer: httpx.Response) -> tuple[Any, ...]:
    """Everything an attacker can compare, but the request's own id."""
    headers = [(name, value) for name, value in answer.headers.items() if name != "x-request-id"]
    return answer.status_code, headers, list(answer.json()), public(answer)


def test_every_failed_login_is_answered_alike(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    assert service.try_login(device).status_code == 200
    tries: dict[str, Callable[[], httpx.Response]] = {
        reason: lambda flaw=flaw: service.try_login(device, flaw=flaw)  # type: ignore[misc]
        for reason, flaw in LOGIN_FLAWS.items()
    }
    tries["other_email"] = lambda: service.complete_login(
        "bob@example.com", device.get(service.begin_login())
    )
    answers = {reason: attempt() for reason, attempt in tries.items()}
    assertion = device.get(service.begin_login())
    service.let_pass(301)
    answers["expired"] = service.complete_login(JANE["email"], assertion)
    assert_alike(list(answers.values()), 401, "Invalid credentials")
    recorded = {reason: event_of(service, answer)["reason"] for reason, answer in answers.items()}
    assert recorded == {reason: reason for reason in tries} | {"expired": "no_ceremony"}


def test_every_failed_registration_is_answered_alike(
    service: Service, clock: HeldClock, device: SoftAuthenticator
) -> None:
    taken = REGISTRATION_FLAWS["credential_taken"]
    service.register(device, {**JANE, "email": "first@example.com"}, flaw=taken)
    answers = {}
    for reason, flaw in REGISTRATION_FLAWS.items():
        credential = SoftAuthenticator().create(service.begin_registration(), flaw=flaw)
        answers[reason] = service.complete_registration(JANE["email"], credential)
    answers["email_taken"] = finish_after_another(service)
    assert_alike(list(answers.values()), 400, "Registration failed")
    recorded = {reason: event_of(service, answer)["reason"] for reason, answer in answers.items()}
    assert recorded == {reason: reason for reason in answers}


def finish_after_another(service: Service) -> httpx.Response:
    options = service.begin_registration()
    service.register(SoftAuthenticator())
    return service.complete_registration(JANE["email"], SoftAuthenticator().create(options))


def assert_alike(answers: list[httpx.Response], status: int, detail: str) -> None:
    assert {answer.status_code for answer in answers} == {status}
    assert {answer.json()["detail"] for answer in answers} == {detail}
    first = seen_from_outside(answers[0])
    assert all(seen_from_outside(answer) == first for answer in answers)


def test_a_refusal_says_nothing_about_the_account(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    answer = service.try_login(device, flaw=Flaw(sign_count=0, uv=False))
    for secret in (jane["id"], JANE["email"], "Jane", "verified", "sign_count", "user_not"):
        assert secret not in answer.text


def test_every_try_is_one_row_of_its_own(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    second_device(service, jane)
    for flaw in LOGIN_FLAWS.values():
        service.try_login(device, flaw=flaw)
    assert len(service.audit("login_complete")) == len(LOGIN_FLAWS)
    assert len(service.audit("login_begin")) == len(LOGIN_FLAWS)
    assert len({row["id"] for row in service.audit()}) == len(service.audit())


@pytest.mark.parametrize("email", ["jane@example.com", "JANE@Example.com"])
def test_the_actor_of_a_failed_try_is_who_was_claimed(service: Service, email: str) -> None:
    failed = service.complete_login(email, {})
    event = event_of(service, failed)
    assert (event["user_email"], event["user_id"]) == ("jane@example.com", None)
    event = event_of(service, service.complete_registration(email, {}))
    assert (event["user_email"], event["user_id"]) == ("jane@example.com", None)
    assert event["details"].startswith("Registration refused for jane@example.com: ")
