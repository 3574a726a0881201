"""Valid tokens, after the account has changed in the database."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import SoftAuthenticator
from tests.features.http.problems import problem
from tests.features.tokens.forge import Genuine
from tests.support.service import JANE, Service, person

BOB = person("bob")


@pytest.fixture
def jane(service: Service, device: SoftAuthenticator) -> tuple[dict[str, Any], str]:
    """Jane's account, and a token for it."""
    return service.register(device), service.login(device)


@pytest.fixture
def bob(service: Service) -> dict[str, Any]:
    return service.register(SoftAuthenticator(), BOB)


def set_role(service: Service, role: str) -> None:
    """The SQL that the documents give to an operator."""
    service.rows(f"UPDATE users SET role='{role}' WHERE email='{JANE['email']}';")


def test_a_promotion_by_sql_works_with_the_token_at_hand(
    service: Service, jane: tuple[dict[str, Any], str], bob: dict[str, Any]
) -> None:
    """C4: the role that authorizes is the one in the database now."""
    _, token = jane
    assert service.get(f"/users/{bob['id']}", token).status_code == 403
    set_role(service, "admin")
    assert service.get(f"/users/{bob['id']}", token).json() == bob
    assert Genuine(token).claims["role"] == "user"


def test_a_new_login_carries_the_new_role(
    service: Service, device: SoftAuthenticator, jane: tuple[dict[str, Any], str]
) -> None:
    """C4: other services read the claim, which changes at the next login."""
    set_role(service, "admin")
    answer = service.try_login(device)
    assert answer.json()["user"]["role"] == "admin"
    assert Genuine(answer.json()["access_token"]).claims["role"] == "admin"


def test_a_demotion_is_immediate(
    service: Service, device: SoftAuthenticator, jane: tuple[dict[str, Any], str], bob: Any
) -> None:
    """C4: a token with the role admin has no effect once the database has the role user."""
    set_role(service, "admin")
    token = service.login(device)
    assert service.get(f"/users/{bob['id']}", token).status_code == 200
    set_role(service, "user")
    assert Genuine(token).claims["role"] == "admin"
    problem(service.get(f"/users/{bob['id']}", token), 403, "forbidden")
    details = service.last_audit("user_access")["details"]
    assert details == "Access to user Bob Doe by Jane Doe (role: user) refused: forbidden"


def test_a_deleted_users_token_is_a_bad_token(
    service: Service, jane: tuple[dict[str, Any], str]
) -> None:
    """C4: 401 as for any bad token. The audit row keeps the subject, without the foreign key."""
    user, token = jane
    service.rows("DELETE FROM users WHERE id = ?", user["id"])
    answer = service.get(f"/users/{user['id']}", token)
    body = problem(answer, 401, "invalid_token")
    assert body["detail"] == "Could not validate credentials"
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    row = service.last_audit("token_rejected")
    assert (row["reason"], row["user_id"], row["subject_id"]) == ("unknown_user", None, user["id"])


def test_a_disabled_users_token_is_a_bad_token(
    service: Service, device: SoftAuthenticator, jane: tuple[dict[str, Any], str]
) -> None:
    """C4: refused at once, and accepted again at once when the account is enabled."""
    user, token = jane
    service.rows("UPDATE users SET disabled = 1")
    problem(service.get(f"/users/{user['id']}", token), 401, "invalid_token")
    row = service.last_audit("token_rejected")
    assert (row["reason"], row["user_id"]) == ("user_disabled", user["id"])
    service.rows("UPDATE users SET disabled = 0")
    assert service.get(f"/users/{user['id']}", token).status_code == 200


def test_a_disabled_user_gets_no_new_token(
    service: Service, device: SoftAuthenticator, jane: tuple[dict[str, Any], str]
) -> None:
    """C4: also not at the end of a login that was begun before."""
    options = service.begin_login()
    service.rows("UPDATE users SET disabled = 1")
    answer = service.complete_login(JANE["email"], device.get(options))
    problem(answer, 401, "invalid_credentials")
    assert service.last_audit("login_complete")["reason"] == "user_disabled"


def test_an_admin_reads_a_deleted_user_no_more(
    service: Service, device: SoftAuthenticator, jane: tuple[dict[str, Any], str], bob: Any
) -> None:
    """C4: 404, also for a profile that the admin has read before."""
    _, token = jane
    set_role(service, "admin")
    service.rows("DELETE FROM users WHERE id = ?", bob["id"])
    problem(service.get(f"/users/{bob['id']}", token), 404, "user_not_found")


def test_a_renamed_user_is_read_and_recorded_under_the_name_of_now(
    service: Service, jane: tuple[dict[str, Any], str]
) -> None:
    """C4: nothing that authorizes or is recorded comes from an old token's claims."""
    user, token = jane
    service.rows("UPDATE users SET last_name = 'Roe', email = 'jane.roe@example.com'")
    assert service.get(f"/users/{user['id']}", token).json()["last_name"] == "Roe"
    row = service.last_audit("user_access")
    assert row["details"] == "User Jane Roe accessed by Jane Roe (role: user)"
    assert row["user_email"] == "jane.roe@example.com"
