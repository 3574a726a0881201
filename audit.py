"""The audit trail: every event there is, and the one way to write it.

`record` puts the row into the transaction it describes; `app.log` gets the same event as one line
of JSON once that transaction is durable. The actor is who acted, or claimed to; the subject is
whom it was about. No event carries a secret, a token, or credential material.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, NamedTuple

from core.database.interface import Change, Transaction, after_commit
from core.ids import time_ordered_id
from stores import audit_logs
from stores.users import Owner, UserRow

logger = logging.getLogger("audit")


class Caller(NamedTuple):
    """Where a request came from: an address, what the client calls itself, and the request's id."""

    ip_address: str
    user_agent: str
    request_id: str
    at: datetime


class Party(NamedTuple):
    """An account, as an event names it."""

    id: str | None
    email: str | None
    name: str = ""
    role: str = ""

    @classmethod
    def of(cls, user: UserRow | Owner) -> Party:
        """The party that is this account."""
        return cls(user.id, user.email, f"{user.first_name} {user.last_name}", user.role)

    def __str__(self) -> str:
        return self.name or self.email or self.id or "unknown"


NOBODY = Party(None, None)


@dataclass(frozen=True)
class Event:
    """What every event has. `reason` is a stable word for why something was refused."""

    event_type: ClassVar[str]
    success: ClassVar[bool]

    actor: Party = NOBODY
    subject: Party | None = None
    reason: str | None = None

    @property
    def details(self) -> str:
        """One sentence for people."""
        raise NotImplementedError


@dataclass(frozen=True)
class RegistrationBegun(Event):
    """Someone asked to register an email; a challenge was handed out, no row was written."""

    event_type = "registration_begin"
    success = True

    @property
    def details(self) -> str:
        return f"Registration begun for {self.actor}"


@dataclass(frozen=True)
class RegistrationBeginRefused(Event):
    """Someone asked to register an email that an account has already."""

    event_type = "registration_begin"
    success = False

    @property
    def details(self) -> str:
        return f"Registration not begun for {self.actor}: {self.reason}"


@dataclass(frozen=True)
class RegistrationCompleted(Event):
    """An account and its first passkey were written."""

    event_type = "registration_complete"
    success = True
    aaguid: str = ""

    @property
    def details(self) -> str:
        return f"User {self.actor} registered with a passkey (aaguid: {self.aaguid})"


@dataclass(frozen=True)
class RegistrationRefused(Event):
    """A registration ceremony failed; its challenge, if there was one, is spent."""

    event_type = "registration_complete"
    success = False

    @property
    def details(self) -> str:
        return f"Registration refused for {self.actor}: {self.reason}"


@dataclass(frozen=True)
class LoginBegun(Event):
    """A login was begun for an account, or for whoever holds a passkey (no email)."""

    event_type = "login_begin"
    success = True

    @property
    def details(self) -> str:
        return f"Login begun for {self.actor}" if self.actor.email else "Usernameless login begun"


@dataclass(frozen=True)
class LoginBeginUnknown(Event):
    """A login was begun for an email that cannot log in; the answer was a decoy, or 401."""

    event_type = "login_begin"
    success = False

    @property
    def details(self) -> str:
        return f"Login begun for {self.actor}: {self.reason}"


@dataclass(frozen=True)
class LoginCompleted(Event):
    """A passkey was verified and an access token issued."""

    event_type = "login_complete"
    success = True

    @property
    def details(self) -> str:
        return f"User {self.actor} logged in (role: {self.actor.role})"


@dataclass(frozen=True)
class LoginRefused(Event):
    """A login failed. The actor is the email or the passkey's owner that was claimed."""

    event_type = "login_complete"
    success = False

    @property
    def details(self) -> str:
        return f"Login refused for {self.actor}: {self.reason}"


@dataclass(frozen=True)
class CloneSuspected(Event):
    """A correct signature came with a sign count that had been seen: two keys may be about."""

    event_type = "login_complete"
    success = False
    reason: str | None = field(default="possible_clone", kw_only=True)

    @property
    def details(self) -> str:
        return f"Login refused for {self.actor}: possible clone, the sign count did not increase"


@dataclass(frozen=True)
class ProfileRead(Event):
    """A profile was given to its owner or to an admin."""

    event_type = "user_access"
    success = True

    @property
    def details(self) -> str:
        return f"User {self.subject} accessed by {self.actor} (role: {self.actor.role})"


@dataclass(frozen=True)
class ProfileRefused(Event):
    """Someone asked for a profile that is not theirs to read, or that an admin did not find."""

    event_type = "user_access"
    success = False

    @property
    def details(self) -> str:
        actor = f"{self.actor} (role: {self.actor.role})"
        return f"Access to user {self.subject} by {actor} refused: {self.reason}"


@dataclass(frozen=True)
class TokenRejected(Event):
    """A protected endpoint was called without a token that authorizes."""

    event_type = "token_rejected"
    success = False

    @property
    def details(self) -> str:
        return f"Access token rejected: {self.reason}"


@dataclass(frozen=True)
class RateLimited(Event):
    """Requests were refused because there were too many; one row per window, not per request."""

    event_type = "rate_limited"
    success = False
    action: str = ""
    per_minute: int = 0

    @property
    def details(self) -> str:
        return f"More than {self.per_minute} a minute of {self.action} (limit: {self.reason})"


def record(tx: Transaction, caller: Caller, event: Event) -> None:
    """Write `event` into the transaction `tx`; log it and tell the listeners once it is durable."""
    row = _row(caller, event)
    audit_logs.add(tx, row)
    _announce_after_commit(tx, row)


def record_if(tx: Transaction, caller: Caller, event: Event, change: Change) -> bool:
    """Make `change`, and write `event` if it changed a row: both, or nothing. Whether it did."""
    row = _row(caller, event)
    changed = audit_logs.add_if(tx, row, change)
    if changed:
        _announce_after_commit(tx, row)
    return changed


def _row(caller: Caller, event: Event) -> dict[str, Any]:
    subject = event.subject or event.actor
    return {
        "id": time_ordered_id(caller.at),
        "event_type": event.event_type,
        "user_email": event.actor.email,
        "user_id": event.actor.id,
        "subject_email": subject.email,
        "subject_id": subject.id,
        "ip_address": caller.ip_address,
        "user_agent": caller.user_agent,
        "success": int(event.success),
        "reason": event.reason,
        "details": event.details,
        "request_id": caller.request_id,
        "created_at": caller.at,
    }


def _announce_after_commit(tx: Transaction, row: dict[str, Any]) -> None:
    after_commit(tx, partial(_log, row))
    for listener in tx.listeners:
        after_commit(tx, partial(listener, row))


def _log(row: dict[str, Any]) -> None:
    level = logging.INFO if row["success"] else logging.WARNING
    logger.log(level, row["event_type"], extra={"fields": row})
