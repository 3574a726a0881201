"""Begun ceremonies, each under its own challenge, until they are taken: once, by anyone.

Keyed by the challenge and not by the email: nobody can break another's login by starting one for
their address, and one person may have two tabs open.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from core.clock import Clock
from core.encoding import base64url_encode

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

    def metrics(self) -> dict[str, int]:
        """Its present values, by the names in services/metrics.py."""
        ...


def new_challenge() -> str:
    """32 random bytes (WebAuthn L3 §13.4.3 asks for 16) in base64url."""
    return base64url_encode(secrets.token_bytes(CHALLENGE_BYTES))


class MemoryChallenges:
    """`Challenges` in this process's memory, at most `capacity` of them.

    When it is full the oldest goes: to push out a login that takes ten seconds, an attacker must
    begin `capacity` ceremonies in those ten seconds; refusing the newest would need only that
    many in five minutes to lock everyone out.
    """

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._clock, self._capacity = clock, capacity
        self._waiting: OrderedDict[str, tuple[float, Pending]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, pending: Pending) -> str:
        now = self._clock.monotonic()
        self._drop_old(now)
        challenge = new_challenge()
        self._waiting[challenge] = (now + LIFETIME_SECONDS, pending)
        return challenge

    async def take(self, challenge: str) -> Pending | None:
        # One dictionary operation and no await: of many takers one gets it.
        expires, pending = self._waiting.pop(challenge, (0.0, None))
        return pending if self._clock.monotonic() < expires else None

    async def check(self) -> None:
        """Memory is always there."""

    async def stop(self) -> None:
        """Nothing is held outside of this process."""

    def metrics(self) -> dict[str, int]:
        return {"challenges_waiting": len(self._waiting)}

    def _drop_old(self, now: float) -> None:
        # All live equally long, so the order of arrival is the order of expiry.
        while self._waiting:
            expires, _ = next(iter(self._waiting.values()))
            if expires > now and len(self._waiting) < self._capacity:
                return
            self._waiting.popitem(last=False)
