"""Begun ceremonies, each under its own challenge, until they are taken: once, by anyone.

Keyed by the challenge and not by the email: nobody can break another's login by starting one for
their address, and one person may have two tabs open.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from core import base64url

LIFETIME_SECONDS = 300
CHALLENGE_BYTES = 32

Ceremony = Literal["registration", "login"]


@dataclass(frozen=True)
class PendingUser:
    """The account that a registration will create."""

    id: str
    first_name: str
    last_name: str
    email: str
    email_typed: str
    date_of_birth: datetime
    job_title: str


@dataclass(frozen=True)
class Pending:
    """What a challenge is bound to. No email: a usernameless login."""

    ceremony: Ceremony
    email: str | None
    user: PendingUser | None = None
    offered: frozenset[bytes] = frozenset()


class Challenges(Protocol):
    """Where begun ceremonies wait."""

    async def put(self, pending: Pending) -> str:
        """Remember `pending` for five minutes, under the new challenge that is returned."""
        ...

    async def take(self, challenge: str) -> Pending | None:
        """What waits under `challenge`, exactly once; None if it is unknown, spent or too old."""
        ...

    async def check(self) -> None:
        """Raises Unavailable if a ceremony could not be begun now."""
        ...

    async def stop(self) -> None:
        """Let go of connections."""
        ...

    def figures(self) -> dict[str, int]:
        """How it does, by the names in services/metrics.py."""
        ...


def new_challenge() -> str:
    """32 random bytes (WebAuthn L3 §13.4.3 asks for 16) in base64url."""
    return base64url.encode(secrets.token_bytes(CHALLENGE_BYTES))
