"""Many at once: one wins, the rest are refused, and the rows agree with the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.features.expect import (
    assert_login_refused,
    assert_registration_refused,
    event_of,
    passkeys,
    users,
)
from tests.support.service import JANE, Service, person

MANY = 32


def post_together(service: Service, path: str, bodies: list[Any]) -> list[httpx.Response]:
    return service.together(_post(path, body) for body in bodies)


def _post(path: str, body: Any) -> Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]:
    return lambda client: client.post(path, json=body)


def the_only_success(answers: list[httpx.Response], status: int) -> httpx.Response:
    (success,) = [answer for answer in answers if answer.status_code == status]
    return success


def outcomes(service: Service, event_type: str) -> Counter[tuple[int, str | None]]:
    return Counter((row["success"], row["reason"]) for row in service.audit(event_type))


def test_of_many_completes_of_one_login_exactly_one_succeeds(service: Service) -> None:
    """A2: a passkey that never counts, so that nothing but the challenge decides."""
    device = SoftAuthenticator(counter=False)
    service.register(device)
    body = {"email": JANE["email"], "assertion": device.get(service.begin_login())}
    answers = post_together(service, "/login/complete", [body] * MANY)
    winner = the_only_success(answers, 200)
    for answer in answers:
        if answer is not winner:
            assert_login_refused(service, answer, "no_ceremony")
    assert event_of(service, winner)["success"] == 1
    assert outcomes(service, "login_complete") == {(1, None): 1, (0, "no_ceremony"): MANY - 1}


def test_of_many_completes_of_one_registration_exactly_one_succeeds(
    service: Service, device: SoftAuthenticator
) -> None:
    """A2: the same for a registration; one account, one passkey."""
    credential = device.create(service.begin_registration())
    body = {"email": JANE["email"], "credential": credential}
    answers = post_together(service, "/register/complete", [body] * MANY)
    winner = the_only_success(answers, 201)
    for answer in answers:
        if answer is not winner:
            assert_registration_refused(service, answer, "no_ceremony")
    assert [user["id"] for user in users(service)] == [winner.json()["id"]]
    assert [key["user_id"] for key in passkeys(service)] == [winner.json()["id"]]
    expected = {(1, None): 1, (0, "no_ceremony"): MANY - 1}
    assert outcomes(service, "registration_complete") == expected


def test_many_logins_with_one_sign_count_let_one_in(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A11: each has a challenge of its own, so only the stored count can tell."""
    assertions = [device.get(service.begin_login(), flaw=Flaw(sign_count=7)) for _ in range(16)]
    bodies = [{"email": JANE["email"], "assertion": assertion} for assertion in assertions]
    answers = post_together(service, "/login/complete", bodies)
    winner = the_only_success(answers, 200)
    for answer in answers:
        if answer is not winner:
            assert_login_refused(service, answer, "possible_clone")
    assert outcomes(service, "login_complete") == {(1, None): 1, (0, "possible_clone"): 15}
    assert [key["sign_count"] for key in passkeys(service)] == [7]


def test_many_logins_of_a_passkey_that_never_counts_are_all_let_in(service: Service) -> None:
    """A10, A11: 0 after 0 is no regression, however many come at once."""
    device = SoftAuthenticator(counter=False)
    service.register(device)
    assertions = [device.get(service.begin_login()) for _ in range(8)]
    bodies = [{"email": JANE["email"], "assertion": assertion} for assertion in assertions]
    answers = post_together(service, "/login/complete", bodies)
    assert {answer.status_code for answer in answers} == {200}
    assert outcomes(service, "login_complete") == {(1, None): 8}


def test_many_registrations_of_one_email_make_one_account(service: Service) -> None:
    spellings = [JANE["email"], JANE["email"].upper()] * 8
    begun = [service.begin_registration({**JANE, "email": email}) for email in spellings]
    bodies = [
        {"email": email, "credential": SoftAuthenticator().create(options)}
        for email, options in zip(spellings, begun, strict=True)
    ]
    answers = post_together(service, "/register/complete", bodies)
    winner = the_only_success(answers, 201)
    for answer in answers:
        if answer is not winner:
            assert_registration_refused(service, answer, "email_taken")
    assert [user["id"] for user in users(service)] == [winner.json()["id"]]
    assert [key["user_id"] for key in passkeys(service)] == [winner.json()["id"]]
    assert outcomes(service, "registration_complete") == {(1, None): 1, (0, "email_taken"): 15}


def test_many_registrations_of_one_credential_id_make_one_account(service: Service) -> None:
    """A12: the loser's account is not written without its passkey."""
    forms = [person(f"user{number}") for number in range(8)]
    flaw = Flaw(credential_id=b"the very same id for every one..")
    bodies = [
        {
            "email": form["email"],
            "credential": SoftAuthenticator().create(service.begin_registration(form), flaw=flaw),
        }
        for form in forms
    ]
    answers = post_together(service, "/register/complete", bodies)
    winner = the_only_success(answers, 201)
    for answer in answers:
        if answer is not winner:
            assert_registration_refused(service, answer, "credential_taken")
    assert [user["id"] for user in users(service)] == [winner.json()["id"]]
    assert [key["user_id"] for key in passkeys(service)] == [winner.json()["id"]]
