"""Refusals, and their two faces: a plain public answer here, the true reason in the audit row.

Every error body is ``application/problem+json`` (RFC 9457) with `detail`, `code`, `request_id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"


class ConfigurationError(Exception):
    """The settings are weak or contradict each other: the service does not start."""


class Unavailable(Exception):
    """A part the service cannot do without gave no answer. Nothing was decided; try again."""


class Refusal(Exception):
    """A request that is refused. What it carries is public; the reason never is.

    status: HTTP status; code: stable and machine-readable; detail: one plain sentence.
    """

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})


def invalid_credentials() -> Refusal:
    """Any failed login, whatever failed: one and the same answer."""
    return Refusal(401, "invalid_credentials", "Invalid credentials")


def registration_failed() -> Refusal:
    """Any failed registration ceremony: one and the same answer."""
    return Refusal(400, "registration_failed", "Registration failed")


def email_taken() -> Refusal:
    """The email cannot be registered; the sentence does not say why."""
    return Refusal(409, "registration_not_possible", "This email cannot be registered")


def not_authenticated() -> Refusal:
    """No bearer token at all (RFC 6750 §3: no error code then)."""
    challenge = {"WWW-Authenticate": "Bearer"}
    return Refusal(401, "not_authenticated", "Not authenticated", challenge)


def invalid_token() -> Refusal:
    """A bearer token that is no good, for whatever reason (RFC 6750 §3.1)."""
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return Refusal(401, "invalid_token", "Could not validate credentials", challenge)


def forbidden() -> Refusal:
    """Someone else's profile, existing or not."""
    return Refusal(403, "forbidden", "You don't have permission to access this resource")


def user_not_found() -> Refusal:
    """Only ever said to an admin."""
    return Refusal(404, "user_not_found", "User not found")


def rate_limited(headers: Mapping[str, str]) -> Refusal:
    """Too many requests from an address, for an email, or in all (RFC 6585 §4)."""
    return Refusal(429, "rate_limited", "Too many requests, try again later", headers)


def unavailable() -> Refusal:
    """The database cannot take or give rows just now; nothing was decided."""
    return Refusal(
        503, "unavailable", "The service is unavailable, try again", {"Retry-After": "2"}
    )


def problem(status: int, code: str, detail: str, request_id: str, **members: Any) -> dict[str, Any]:
    """An RFC 9457 body. `members` are extension members, such as `errors`."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **members,
    }
