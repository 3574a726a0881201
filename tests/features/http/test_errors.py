"""Internal faults: one plain answer for the client, the reason in the log, nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from core.database.interface import DatabaseUnavailable
from devtools.authenticator import SoftAuthenticator
from tests.features.http.problems import problem
from tests.support.app_log import lines
from tests.support.service import JANE, Service

SECRET_REASON = "password=hunter2 in /etc/shadow"
Send = Callable[[Service], httpx.Response]
# For every endpoint: the part of the service that it needs, and a request.
ENDPOINTS: dict[str, tuple[str, Send]] = {
    "register_begin": ("passkeys", lambda service: service.post("/register/begin", JANE)),
    "register_complete": (
        "passkeys",
        lambda service: service.complete_registration(JANE["email"], {}),
    ),
    "login_begin": ("passkeys", lambda service: service.post("/login/begin", {})),
    "login_complete": ("passkeys", lambda service: service.complete_login(None, {})),
    "read_profile": ("profiles", lambda service: service.get("/users/x", "token")),
}


class Broken:
    """A part whose every method raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: object, **__: object) -> None:
            raise self._error

        return fail


def break_part(
    service: Service, monkeypatch: pytest.MonkeyPatch, part: str, error: Exception
) -> None:
    broken: dict[str, Any] = {part: Broken(error)}
    monkeypatch.setattr(service, "parts", replace(service.parts, **broken))


@pytest.mark.parametrize(("part", "send"), ENDPOINTS.values(), ids=ENDPOINTS)
def test_an_unforeseen_error_is_a_plain_500(
    service: Service, monkeypatch: pytest.MonkeyPatch, part: str, send: Send
) -> None:
    """The answer has only the fact of the failure and the request id, which leads to the log."""
    break_part(service, monkeypatch, part, RuntimeError(SECRET_REASON))
    answer = send(service)
    body = problem(answer, 500, "internal_error")
    assert body["detail"] == "Internal server error"
    assert set(body) == {"type", "title", "status", "detail", "code", "request_id"}
    assert "hunter2" not in str(answer.headers) + answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_unforeseen_error_is_in_the_log_under_the_request_id(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the id that a person reports, the operator finds the traceback."""
    break_part(service, monkeypatch, "passkeys", RuntimeError("a pipe burst"))
    service.post("/login/begin", {}, headers={"X-Request-ID": "support-case-7"})
    (line,) = lines(service, 1)
    assert (line["level"], line["request_id"]) == ("ERROR", "support-case-7")
    assert "RuntimeError: a pipe burst" in line["exception"]


@pytest.mark.parametrize(("part", "send"), ENDPOINTS.values(), ids=ENDPOINTS)
def test_an_unavailable_database_is_a_503(
    service: Service, monkeypatch: pytest.MonkeyPatch, part: str, send: Send
) -> None:
    """E4: the request is refused with 503 and Retry-After."""
    break_part(service, monkeypatch, part, DatabaseUnavailable(SECRET_REASON))
    answer = send(service)
    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"].isdigit()
    assert "hunter2" not in answer.text


def test_no_token_leaves_while_the_audit_trail_cannot_be_written(
    service: Service, device: SoftAuthenticator
) -> None:
    """E2: the login is refused with 503, without a token, and the sign count is unchanged."""
    service.register(device)
    options = service.begin_login()
    counts = service.rows("SELECT sign_count FROM webauthn_credentials")
    service.rows("ALTER TABLE audit_logs RENAME TO elsewhere")
    answer = service.complete_login(JANE["email"], device.get(options))
    problem(answer, 503, "unavailable")
    assert "access_token" not in answer.text
    assert service.rows("SELECT sign_count FROM webauthn_credentials") == counts


def test_no_account_comes_into_being_while_the_audit_trail_cannot_be_written(
    service: Service, device: SoftAuthenticator
) -> None:
    """E2: a registration is one transaction with its record."""
    credential = device.create(service.begin_registration())
    service.rows("ALTER TABLE audit_logs RENAME TO elsewhere")
    problem(service.complete_registration(JANE["email"], credential), 503, "unavailable")
    assert service.rows("SELECT * FROM users") == []
    assert service.rows("SELECT * FROM webauthn_credentials") == []


def test_no_profile_is_shown_while_the_audit_trail_cannot_be_written(
    service: Service, device: SoftAuthenticator
) -> None:
    """E2: a profile is not sent unless the access is recorded."""
    user, token = service.register(device), service.login(device)
    service.rows("ALTER TABLE audit_logs RENAME TO elsewhere")
    answer = service.get(f"/users/{user['id']}", token)
    problem(answer, 503, "unavailable")
    assert JANE["email"] not in answer.text


def test_the_service_recovers_with_its_database(
    service: Service, device: SoftAuthenticator
) -> None:
    """E2: the service needs no restart once the audit table can be written again."""
    service.register(device)
    service.rows("ALTER TABLE audit_logs RENAME TO elsewhere")
    problem(service.post("/login/begin", {}), 503, "unavailable")
    service.rows("ALTER TABLE elsewhere RENAME TO audit_logs")
    assert service.login(device)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/static/nothing.js", 404, "not_found"),
        ("DELETE", "/login", 405, "method_not_allowed"),
        ("GET", "/users/x", 401, "not_authenticated"),
        ("POST", "/login/begin", 422, "validation_failed"),
    ],
)
def test_every_refusal_is_readable_by_clients_of_plain_fastapi(
    shared: Service, method: str, path: str, status: int, code: str
) -> None:
    """`detail` is always a string, so that clients that read `{"detail": …}` keep working."""
    body = problem(shared.request(method, path), status, code)
    assert body["detail"].strip()
