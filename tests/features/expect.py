"""A refused ceremony: one answer for every reason, and the true reason in the audit trail."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import httpx

from tests.support.service import Service

LOGIN_REFUSED = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": "Invalid credentials",
    "code": "invalid_credentials",
}
REGISTRATION_REFUSED = {
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "detail": "Registration failed",
    "code": "registration_failed",
}


def public(answer: httpx.Response) -> dict[str, Any]:
    """The body that was answered, less the request's own id."""
    body: dict[str, Any] = answer.json()
    assert body.pop("request_id") == answer.headers["x-request-id"]
    return body


def events_of(service: Service, answer: httpx.Response) -> list[dict[str, Any]]:
    """The audit rows of the request that got this answer."""
    request_id = answer.headers["x-request-id"]
    return service.rows("SELECT * FROM audit_logs WHERE request_id = ?", request_id)


def event_of(service: Service, answer: httpx.Response) -> dict[str, Any]:
    """The one audit row of the request that got this answer."""
    (event,) = events_of(service, answer)
    return event


def users(service: Service) -> list[dict[str, Any]]:
    return service.rows("SELECT * FROM users ORDER BY created_at, email")


def passkeys(service: Service) -> list[dict[str, Any]]:
    return service.rows("SELECT * FROM webauthn_credentials ORDER BY created_at, id")


def assert_login_refused(service: Service, answer: httpx.Response, *reasons: str) -> dict[str, Any]:
    """401 with the one body there is, and one audit row with a true reason; that row."""
    assert answer.status_code == 401, answer.text
    assert public(answer) == LOGIN_REFUSED
    return _assert_on_record(service, answer, "login_complete", reasons)


def assert_registration_refused(
    service: Service, answer: httpx.Response, *reasons: str
) -> dict[str, Any]:
    """400 with the one body there is, and one audit row with a true reason; that row."""
    assert answer.status_code == 400, answer.text
    assert public(answer) == REGISTRATION_REFUSED
    return _assert_on_record(service, answer, "registration_complete", reasons)


def assert_nothing_stored(service: Service) -> None:
    assert users(service) == []
    assert passkeys(service) == []


def _assert_on_record(
    service: Service, answer: httpx.Response, event_type: str, reasons: Collection[str]
) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    event = event_of(service, answer)
    assert (event["event_type"], event["success"]) == (event_type, 0)
    assert event["reason"] in reasons
    return event
