"""Rate-limit counters in this process's memory, for the `limits` library.

Its own memory storage walks every key on every hit; one window length for all keys means that the
order of arrival is the order of expiry, and a hit costs the same however many there are.
"""

from __future__ import annotations

from collections import OrderedDict

from limits.aio.storage import Storage

from core.clock import Clock

MAX_KEYS = 200_000


class MemoryCounters(Storage):
    """Counters that die with their window; past `capacity` the oldest are forgotten."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, capacity: int = MAX_KEYS) -> None:
        super().__init__()
        self._clock, self._capacity = clock, capacity
        self._counters: OrderedDict[str, tuple[float, int]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return MemoryError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock.now().timestamp()
        self._drop_old(now)
        ends, count = self._counters.get(key, (now + expiry, 0))
        self._counters[key] = (ends, count + amount)
        return count + amount

    async def get(self, key: str) -> int:
        ends, count = self._counters.get(key, (0.0, 0))
        return count if self._clock.now().timestamp() < ends else 0

    async def get_expiry(self, key: str) -> float:
        now = self._clock.now().timestamp()
        return self._counters.get(key, (now, 0))[0]

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        count = len(self._counters)
        self._counters.clear()
        return count

    async def clear(self, key: str) -> None:
        self._counters.pop(key, None)

    def _drop_old(self, now: float) -> None:
        while self._counters:
            ends, _ = next(iter(self._counters.values()))
            if ends > now and len(self._counters) < self._capacity:
                return
            self._counters.popitem(last=False)
