"""A login that succeeds: a token, the user in brief, and a passkey that was used."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from core.settings.checks import DEVELOPMENT_SECRET
from devtools.authenticator import Flaw, SoftAuthenticator
from tests.features.expect import event_of, passkeys
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service


def claims(token: str) -> dict[str, Any]:
    """The claims, read as another service of ours would; times are the held clock's own."""
    read: dict[str, Any] = jwt.decode(
        token,
        DEVELOPMENT_SECRET,
        algorithms=["HS256"],
        audience="localhost",
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    return read


@pytest.mark.parametrize("email", [JANE["email"], None], ids=["by email", "usernameless"])
def test_the_answer_is_a_token_and_the_user_in_brief(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], email: str | None
) -> None:
    answer = service.try_login(device, email)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body == {
        "access_token": body["access_token"],
        "token_type": "bearer",
        "user": {
            "id": jane["id"],
            "first_name": "Jane",
            "last_name": "Doe",
            "email": JANE["email"],
            "role": "user",
        },
    }
    profile = service.get(f"/users/{jane['id']}", body["access_token"])
    assert profile.json() == jane


def test_the_token_says_who_logged_in(
    service: Service, clock: HeldClock, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    said = claims(service.login(device))
    assert {name: said[name] for name in ("sub", "email", "first_name", "last_name", "role")} == {
        "sub": jane["id"],
        "email": JANE["email"],
        "first_name": "Jane",
        "last_name": "Doe",
        "role": "user",
    }
    assert said["iat"] == int(clock.now().timestamp())
    assert said["exp"] - said["iat"] == 3600


def test_a_promotion_by_sql_shows_at_the_next_login(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    service.rows("UPDATE users SET role='admin' WHERE email='jane@example.com'")
    answer = service.try_login(device)
    assert answer.json()["user"]["role"] == "admin"
    assert claims(answer.json()["access_token"])["role"] == "admin"
    assert event_of(service, answer)["details"] == "User Jane Doe logged in (role: admin)"


def test_a_login_is_on_record(
    service: Service, clock: HeldClock, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    answer = service.try_login(device)
    event = event_of(service, answer)
    assert (event["event_type"], event["success"], event["reason"]) == ("login_complete", 1, None)
    assert (event["user_id"], event["user_email"]) == (jane["id"], JANE["email"])
    assert event["details"] == "User Jane Doe logged in (role: user)"
    assert event["ip_address"] == "127.0.0.1"


def test_a_login_updates_what_is_kept_of_the_passkey(
    service: Service, clock: HeldClock, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    (before,) = passkeys(service)
    clock.advance(60)
    assert service.try_login(device, flaw=Flaw(sign_count=41)).status_code == 200
    (after,) = passkeys(service)
    used_at = clock.now().strftime("%Y-%m-%d %H:%M:%S.%f")
    assert after == {**before, "sign_count": 41, "last_used_at": used_at}


def test_a_user_may_have_two_logins_under_way(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    first, second = service.begin_login(), service.begin_login()
    for options in (second, first):
        answer = service.complete_login(JANE["email"], device.get(options))
        assert answer.status_code == 200
