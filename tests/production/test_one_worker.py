"""The contract on PostgreSQL and Redis: the same ceremonies, the same rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.support import production
from tests.support.service import JANE, Service


def trail(service: Service) -> list[tuple[str, int, str | None]]:
    """What the audit trail says, in order."""
    database = service.settings.database_url.rpartition("/")[2]
    rows = production.rows(database, "SELECT * FROM audit_logs ORDER BY id", ())
    return [(row["event_type"], row["success"], row["reason"]) for row in rows]


def test_a_person_registers_logs_in_and_reads_their_profile(
    service: Service, device: SoftAuthenticator
) -> None:
    user = service.register(device)
    token = service.login(device)
    assert service.get(f"/users/{user['id']}", token).json() == user
    assert service.login(device, None)
    assert [event for event, _, _ in trail(service)] == [
        "registration_begin",
        "registration_complete",
        "login_begin",
        "login_complete",
        "user_access",
        "login_begin",
        "login_complete",
    ]


def sending(assertion: Any) -> Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]:
    """A request that completes Jane's login, for `Service.together`."""
    body = {"email": JANE["email"], "assertion": assertion}
    return lambda client: client.post("/login/complete", json=body)


def test_an_email_is_registered_once(service: Service, device: SoftAuthenticator) -> None:
    service.register(device)
    assert service.post("/register/begin", {**JANE, "email": "JANE@example.com"}).status_code == 409


def test_a_challenge_is_taken_once(service: Service, device: SoftAuthenticator) -> None:
    """A1: a replay finds nothing, on Redis as in memory."""
    service.register(device)
    assertion = device.get(service.begin_login())
    assert service.complete_login(JANE["email"], assertion).status_code == 200
    assert service.complete_login(JANE["email"], assertion).status_code == 401
    assert trail(service)[-1] == ("login_complete", 0, "no_ceremony")


def test_a_failed_try_spends_the_challenge(service: Service, device: SoftAuthenticator) -> None:
    """A1: whatever its verdict."""
    service.register(device)
    options = service.begin_login()
    bad = device.get(options, flaw=Flaw(flip_signature_bit=True))
    assert service.complete_login(JANE["email"], bad).status_code == 401
    assert service.complete_login(JANE["email"], device.get(options)).status_code == 401


@pytest.mark.parametrize("path", ["/login/complete", "/register/complete"])
def test_of_many_completes_exactly_one_succeeds(
    service: Service, device: SoftAuthenticator, path: str
) -> None:
    """A2: GETDEL gives a challenge to one taker."""
    email = JANE["email"]
    if path == "/login/complete":
        service.register(device)
        body = {"email": email, "assertion": device.get(service.begin_login())}
    else:
        body = {"email": email, "credential": device.create(service.begin_registration())}

    def send(client: httpx.AsyncClient) -> Awaitable[httpx.Response]:
        return client.post(path, json=body)

    answers = service.together([send] * 32)
    assert sum(answer.status_code < 300 for answer in answers) == 1
    assert not any(answer.status_code >= 500 for answer in answers)


def test_many_logins_with_one_sign_count_let_one_in(
    service: Service, device: SoftAuthenticator
) -> None:
    """A11: the conditional UPDATE decides, whatever each transaction has read."""
    service.register(device)
    assertions = [device.get(service.begin_login(), flaw=Flaw(sign_count=7)) for _ in range(16)]
    answers = service.together([sending(assertion) for assertion in assertions])
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 15]


def test_a_clone_is_refused_and_recorded(service: Service, device: SoftAuthenticator) -> None:
    """A10: on PostgreSQL, too, whose counter is a bigint."""
    service.register(device)
    assert service.try_login(device, flaw=Flaw(sign_count=2**32 - 1)).status_code == 200
    assert service.try_login(device, flaw=Flaw(sign_count=5)).status_code == 401
    assert trail(service)[-1] == ("login_complete", 0, "possible_clone")
