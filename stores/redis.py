"""Begun ceremonies in Redis (or Valkey), for many workers: set once, taken once, gone in time.

`SET … NX EX` puts, `GETDEL` takes: one command each, so of many takers one gets it, whichever
machine they are on. The lifetime runs on Redis's own clock. Nothing fails open: when Redis does
not answer, the ceremony is refused with 503.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from core.encoding import base64url_decode, base64url_encode
from core.errors import Unavailable
from stores.challenges import LIFETIME_SECONDS, Pending, PendingUser, new_challenge
from stores.counters import Counted

PREFIX = "passkeys:challenge:"
LIMIT_PREFIX = "passkeys:limit:"
# All counters of a request in one round trip, each with the life that its first hit gave it.
HIT = """
local counted = {}
for place, key in ipairs(KEYS) do
    local count = redis.call("INCR", key)
    if count == 1 then redis.call("PEXPIRE", key, ARGV[1]) end
    counted[#counted + 1] = {count, redis.call("PTTL", key)}
    if count > tonumber(ARGV[place + 1]) then break end
end
return counted
"""
TIMEOUT_SECONDS = 2
MAX_CONNECTIONS = 100


def open_redis(url: str) -> tuple[RedisChallenges, RedisCounters]:
    """Challenges and rate-limit counters behind one URL, over one bounded pool."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    redis = Redis(connection_pool=pool)
    return RedisChallenges(redis), RedisCounters(redis)


class RedisCounters:
    """`Counters` that all workers share."""

    def __init__(self, redis: Redis) -> None:
        self._hit = redis.register_script(HIT)

    async def hit(self, counters: Sequence[tuple[str, int]], window: int) -> list[Counted]:
        keys = [LIMIT_PREFIX + key for key, _ in counters]
        limits = [limit for _, limit in counters]
        try:
            answer = await self._hit(keys=keys, args=[window * 1000, *limits])
        except (RedisError, OSError) as error:
            raise Unavailable(type(error).__name__) from None
        return [Counted(count, milliseconds / 1000) for count, milliseconds in answer]


class RedisChallenges:
    """`Challenges` that all workers share."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def check(self) -> None:
        try:
            await self._redis.get(PREFIX)
        except (RedisError, OSError) as error:
            raise Unavailable(type(error).__name__) from None

    async def stop(self) -> None:
        # The counters' connections are in the same pool.
        await self._redis.connection_pool.disconnect()

    def metrics(self) -> dict[str, int]:
        # Waiting challenges are not counted: Redis would have to walk all of its keys.
        return {"redis_pool_size": self._redis.connection_pool.max_connections}

    async def put(self, pending: Pending) -> str:
        challenge = new_challenge()
        try:
            await self._redis.set(PREFIX + challenge, _dump(pending), nx=True, ex=LIFETIME_SECONDS)
        except (RedisError, OSError) as error:
            raise Unavailable(type(error).__name__) from None
        return challenge

    async def take(self, challenge: str) -> Pending | None:
        try:
            kept = await self._redis.getdel(PREFIX + challenge)
        except (RedisError, OSError) as error:
            raise Unavailable(type(error).__name__) from None
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
