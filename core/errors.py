"""The errors that the service raises on purpose.

An `ApiError` is what the client sees: it is the same for every cause that must not be told apart.
The true reason stands only in the audit row. routes/problems.py turns an error into a response.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class ConfigurationError(Exception):
    """The settings are weak or contradict each other: the service does not start."""


class Unavailable(Exception):
    """The database or Redis gave no answer. Nothing was decided; the client may try again."""


class ApiError(Exception):
    """A request that is refused. Everything it carries is public.

    status: HTTP status; code: stable and machine-readable; detail: one sentence for people;
    headers: header fields of the response.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    detail: ClassVar[str]
    headers: Mapping[str, str] = {}

    def __init__(self) -> None:
        super().__init__(self.detail)


class InvalidCredentials(ApiError):
    """Any failed login. The response is the same for every cause."""

    status, code, detail = 401, "invalid_credentials", "Invalid credentials"


class RegistrationFailed(ApiError):
    """Any failed registration ceremony. The response is the same for every cause."""

    status, code, detail = 400, "registration_failed", "Registration failed"


class RegistrationNotPossible(ApiError):
    """An account has this email. The sentence does not say so."""

    status, code, detail = 409, "registration_not_possible", "This email cannot be registered"


class NotAuthenticated(ApiError):
    """The request has no bearer token (RFC 6750 §3: the challenge has no error code then)."""

    status, code, detail = 401, "not_authenticated", "Not authenticated"
    headers: Mapping[str, str] = {"WWW-Authenticate": "Bearer"}


class InvalidToken(ApiError):
    """The bearer token is invalid, for whatever reason (RFC 6750 §3.1)."""

    status, code, detail = 401, "invalid_token", "Could not validate credentials"
    headers: Mapping[str, str] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class Forbidden(ApiError):
    """The profile is somebody else's, whether or not it exists."""

    status, code = 403, "forbidden"
    detail = "You don't have permission to access this resource"


class UserNotFound(ApiError):
    """There is no such account. Only an admin gets this response."""

    status, code, detail = 404, "user_not_found", "User not found"


class RateLimited(ApiError):
    """Too many requests from an address, for an email, or in all (RFC 6585 §4)."""

    status, code, detail = 429, "rate_limited", "Too many requests, try again later"

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.headers = headers


class ServiceUnavailable(ApiError):
    """What the client gets for `Unavailable`."""

    status, code, detail = 503, "unavailable", "The service is unavailable, try again"
    headers: Mapping[str, str] = {"Retry-After": "2"}
