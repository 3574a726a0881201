"""Pending ceremonies: what the service must remember between a begin and its complete.

The key of a pending ceremony is its challenge and not the email. So an attacker cannot break a
person's login by beginning another login for the same email, and one person may have two tabs open.
A pending ceremony can be taken once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from core.encoding import base64url_encode
from core.ids import random_id
from schemas import RegisterBegin

LIFETIME_SECONDS = 300
CHALLENGE_BYTES = 32

Ceremony = Literal["registration", "login"]


@dataclass(frozen=True)
class PendingUser:
    """The account that a registration creates if it is completed."""

    id: str
    first_name: str
    last_name: str
    email: str
    email_typed: str
    date_of_birth: datetime
    job_title: str

    @classmethod
    def of(cls, form: RegisterBegin) -> PendingUser:
        """The account that the person of `form` gets, under a new id."""
        return cls(
            id=random_id(),
            first_name=form.first_name,
            last_name=form.last_name,
            email=form.email.canonical,
            email_typed=form.email.typed,
            date_of_birth=form.date_of_birth,
            job_title=form.job_title,
        )


@dataclass(frozen=True)
class Pending:
    """A pending ceremony. `email` is None in a usernameless login.

    `offered`: the credential ids that the begin offered, for an account that exists.
    """

    ceremony: Ceremony
    email: str | None
    user: PendingUser | None = None
    offered: frozenset[bytes] = frozenset()


class Challenges(Protocol):
    """A store of pending ceremonies. Its methods raise Unavailable if it gives no answer."""

    async def put(self, pending: Pending) -> str:
        """Store `pending` for LIFETIME_SECONDS. Returns the new challenge that is its key."""
        ...

    async def take(self, challenge: str) -> Pending | None:
        """Remove and return the ceremony of `challenge`.

        None if the challenge is unknown, was taken before, or is too old. Of several calls at the
        same time exactly one gets the ceremony.
        """
        ...

    async def check(self) -> None:
        """Raise Unavailable if a ceremony could not be begun now."""
        ...

    async def stop(self) -> None:
        """Close all connections."""
        ...

    def metrics(self) -> dict[str, int]:
        """Present values, by the names in services/metrics.py."""
        ...


def new_challenge() -> str:
    """A new challenge: 32 random bytes in base64url (WebAuthn L3 §13.4.3 asks for 16 at least)."""
    return base64url_encode(secrets.token_bytes(CHALLENGE_BYTES))
