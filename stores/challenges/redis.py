"""Pending ceremonies in Redis (or Valkey): for several workers, on any number of machines.

`SET … NX EX` stores a ceremony and `GETDEL` takes it. Each is one command, so of several workers
that take one challenge exactly one gets the ceremony. The lifetime runs on the clock of Redis. When
Redis does not answer, the ceremony is refused with 503.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from core.encoding import base64url_decode, base64url_encode
from stores.challenges.interface import LIFETIME_SECONDS, Pending, PendingUser, new_challenge
from stores.redis_pool import translate_errors

PREFIX = "passkeys:challenge:"


class RedisChallenges:
    """`Challenges` that all workers share."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def check(self) -> None:
        with translate_errors():
            await self._redis.get(PREFIX)

    async def stop(self) -> None:
        # This closes the connections of the rate counters, too: they share the pool.
        await self._redis.connection_pool.disconnect()

    def metrics(self) -> dict[str, int]:
        # Waiting challenges are not counted: Redis would have to walk all of its keys.
        return {"redis_pool_size": self._redis.connection_pool.max_connections}

    async def put(self, pending: Pending) -> str:
        challenge = new_challenge()
        with translate_errors():
            await self._redis.set(PREFIX + challenge, _dump(pending), nx=True, ex=LIFETIME_SECONDS)
        return challenge

    async def take(self, challenge: str) -> Pending | None:
        with translate_errors():
            kept = await self._redis.getdel(PREFIX + challenge)
        return None if kept is None else _load(kept)


def _dump(pending: Pending) -> str:
    user = pending.user and {
        **asdict(pending.user),
        "date_of_birth": pending.user.date_of_birth.isoformat(),
    }
    offered = sorted(map(base64url_encode, pending.offered))
    return json.dumps(
        {"ceremony": pending.ceremony, "email": pending.email, "user": user, "offered": offered}
    )


def _load(kept: bytes) -> Pending:
    members: dict[str, Any] = json.loads(kept)
    user = members["user"]
    if user is not None:
        user = PendingUser(
            **{**user, "date_of_birth": datetime.fromisoformat(user["date_of_birth"])}
        )
    offered = frozenset(map(base64url_decode, members["offered"]))
    return Pending(members["ceremony"], members["email"], user, offered)
