"""The audit trail: every event of the kernel, and the functions that record one.

`record` writes the row in the transaction that the event describes. After the commit the event is
one line of JSON in `app.log`, too. The actor is the account that acted, or that a client claimed to
be; the subject is the account that the event is about. No event holds a secret, a token or
credential material.
"""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any, ClassVar, NamedTuple

from core.database.interface import Change, Transaction, after_commit
from core.ids import time_ordered_id
from core.relying_party.credential_record import NewCredentialRecord, VerifiedLogin
from stores import audit_logs
from stores.users import Owner, UserRow

logger = logging.getLogger("audit")


class Caller(NamedTuple):
    """The origin of a request: client address, user agent, request id, and the time in UTC."""

    ip_address: str
    user_agent: str
    request_id: str
    at: datetime


class Principal(NamedTuple):
    """An account, as an event names it: the actor or the subject."""

    id: str | None
    email: str | None
    name: str = ""
    role: str = ""

    @classmethod
    def of(cls, user: UserRow | Owner) -> Principal:
        """The principal for the account in `user`."""
        return cls(user.id, user.email, f"{user.first_name} {user.last_name}", user.role)

    def __str__(self) -> str:
        """What `details` calls the account: its name, in quotes if that could be misread."""
        shown = self.name or self.email or self.id or "unknown"
        # An email is never quoted, and is looked at all the same: the time must not tell whether
        # the actor is an account, which has a name, or only an email.
        plain = _is_plainly_a_name(shown)
        return shown if plain or not self.name else quoted(shown)


def quoted(name: str) -> str:
    """`name` in double quotes; quotes and backslashes in it are escaped, as in JSON."""
    return json.dumps(name, ensure_ascii=False)


# The characters of a name that are neither letters nor marks: U+2010 is a hyphen, U+2019 and U+02BC
# are apostrophes; the zero width joiners belong to Persian and Indic names.
_PUNCTUATION = dict.fromkeys(map(ord, "-'.\u2010\u2019\u02bc"), " ")
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
_WORD_BREAKS = _PUNCTUATION | _JOINERS


def _is_plainly_a_name(name: str) -> bool:
    """Whether nobody can take `name` in a sentence of `details` for more than a name.

    It has letters, marks, spaces, hyphens, apostrophes and dots only, and no word that the
    sentences are made of: not "logged in", not "(role: admin)".
    """
    words = name.casefold().translate(_WORD_BREAKS).split()
    strange = not _sentence_words().isdisjoint(words)
    letters = "".join(words)
    return not strange and (
        letters.isalpha() or all(unicodedata.category(char)[0] in "LM" for char in letters)
    )


@cache
def _sentence_words() -> frozenset[str]:
    """The words of all sentences below, in lower case. A single letter is an initial."""
    sentences = [re.sub(r"{[^}]*}", "", each.sentence) for each in Event.__subclasses__()]
    words = re.findall(r"[a-z]+", " ".join(sentences).casefold())
    return frozenset(word for word in words if len(word) > 1)


ANONYMOUS = Principal(None, None)


@dataclass(frozen=True)
class Event:
    """One decision. A subclass is data: its type, its outcome and its sentence for people.

    `sentence` is a format string over the event's fields. `reason` is a stable word for why
    something was refused. If there is no subject, the actor is the subject.
    """

    event_type: ClassVar[str]
    success: ClassVar[bool]
    sentence: ClassVar[str]

    actor: Principal = ANONYMOUS
    subject: Principal | None = None
    reason: str | None = None

    @property
    def details(self) -> str:
        """The sentence, filled in."""
        return self.sentence.format_map(vars(self))


@dataclass(frozen=True)
class RegistrationBegun(Event):
    """Someone asked to register an email; a challenge was handed out, and no account exists yet."""

    event_type, success = "registration_begin", True
    sentence = "Registration begun for {actor}"


@dataclass(frozen=True)
class RegistrationBeginRefused(Event):
    """Someone asked to register an email that belongs to an account."""

    event_type, success = "registration_begin", False
    sentence = "Registration not begun for {actor}: {reason}"


@dataclass(frozen=True)
class RegistrationCompleted(Event):
    """An account and its first passkey were written."""

    event_type, success = "registration_complete", True
    sentence = "User {actor} registered with a passkey (aaguid: {aaguid}){note}"
    aaguid: str = ""
    note: str = ""

    @classmethod
    def of(cls, user: UserRow, passkey: NewCredentialRecord) -> RegistrationCompleted:
        """The event for the account in `user` and its verified `passkey`."""
        return cls(Principal.of(user), aaguid=passkey.aaguid, note=_note_of(passkey.reserved_flags))


@dataclass(frozen=True)
class RegistrationRefused(Event):
    """A registration ceremony failed. Its challenge, if there was one, is spent."""

    event_type, success = "registration_complete", False
    sentence = "Registration refused for {actor}: {reason}"


@dataclass(frozen=True)
class LoginBegun(Event):
    """A login was begun for an account; without an email, for the owner of any passkey."""

    event_type, success = "login_begin", True
    sentence = "Login begun for {actor}"

    @property
    def details(self) -> str:
        return super().details if self.actor.email else "Usernameless login begun"


@dataclass(frozen=True)
class LoginBeginRefused(Event):
    """A login was begun for an email that cannot log in; the client got decoys, or 401."""

    event_type, success = "login_begin", False
    sentence = "Login begun for {actor}: {reason}"


@dataclass(frozen=True)
class LoginCompleted(Event):
    """A passkey was verified and an access token issued."""

    event_type, success = "login_complete", True
    sentence = "User {actor} logged in (role: {actor.role}){note}"
    note: str = ""

    @classmethod
    def of(cls, user: Owner, verified: VerifiedLogin) -> LoginCompleted:
        """The event for a login of the account in `user`."""
        flags = verified.reserved_flags
        return cls(Principal.of(user), note=_note_of(flags) if flags else "")


@dataclass(frozen=True)
class LoginRefused(Event):
    """A login failed. The actor is the claimed email, or the owner of the claimed passkey."""

    event_type, success = "login_complete", False
    sentence = "Login refused for {actor}: {reason}"


@dataclass(frozen=True)
class CloneSuspected(Event):
    """A valid signature came with a sign count that did not increase: two copies of the key?"""

    event_type, success = "login_complete", False
    sentence = "Login refused for {actor}: possible clone, the sign count did not increase"
    reason: str | None = field(default="possible_clone", kw_only=True)


@dataclass(frozen=True)
class ProfileRead(Event):
    """A profile was given to its owner or to an admin."""

    event_type, success = "user_access", True
    sentence = "User {subject} accessed by {actor} (role: {actor.role})"


@dataclass(frozen=True)
class ProfileRefused(Event):
    """Someone asked for a profile of somebody else, or an admin for one that does not exist."""

    event_type, success = "user_access", False
    sentence = "Access to user {subject} by {actor} (role: {actor.role}) refused: {reason}"


@dataclass(frozen=True)
class TokenRejected(Event):
    """A protected endpoint was called without a token that authorizes the call."""

    event_type, success = "token_rejected", False
    sentence = "Access token rejected: {reason}"


@dataclass(frozen=True)
class RateLimited(Event):
    """Requests were over a limit. One row for each limit and window, not one for each request."""

    event_type, success = "rate_limited", False
    sentence = "More than {per_minute} a minute of {action} (limit: {reason})"
    action: str = ""
    per_minute: int = 0


def _note_of(reserved_flags: int) -> str:
    """The flag bits of the authenticator that mean nothing yet (WebAuthn L3 §6.1), if any."""
    return f" (reserved flags: 0x{reserved_flags:02x})" if reserved_flags else ""


def record(tx: Transaction, caller: Caller, event: Event) -> None:
    """Write `event` in the transaction `tx`; log it and call the listeners after the commit."""
    row = _row(caller, event)
    audit_logs.add(tx, row)
    _announce_after_commit(tx, row)


def record_if(tx: Transaction, caller: Caller, event: Event, change: Change) -> bool:
    """Make `change`, and write `event` if it changed a row. Both are made or none is.

    Returns whether a row was changed.
    """
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
    # `logger.log` would look up the calling line, which is always this one: 2 µs of 5.
    logger.handle(
        logger.makeRecord(
            logger.name, level, __file__, 0, row["event_type"], (), None, extra={"fields": row}
        )
    )
