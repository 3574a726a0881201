"""Rate-limit counters in Redis (or Valkey): for several workers."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from stores.rate_counters.interface import Counted
from stores.redis_pool import translate_errors

PREFIX = "passkeys:limit:"
# Counts all keys of a request in one round trip. The first hit of a key sets when it expires.
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


class RedisCounters:
    """`Counters` that all workers share."""

    def __init__(self, redis: Redis) -> None:
        self._hit = redis.register_script(HIT)

    async def hit(self, counters: Sequence[tuple[str, int]], window: int) -> list[Counted]:
        keys = [PREFIX + key for key, _ in counters]
        limits = [limit for _, limit in counters]
        with translate_errors():
            answer = await self._hit(keys=keys, args=[window * 1000, *limits])
        return [Counted(count, milliseconds / 1000) for count, milliseconds in answer]
