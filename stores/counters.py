"""Rate-limit counters in this process's memory, for the `limits` library.

Its own memory storage walks every key on every hit; one window length for all keys means that the
order of arrival is the order of expiry, and a hit costs the same however many there are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from limits.aio.storage import Storage

from core.clock import Clock

MAX_KEYS = 200_000


class Counted(NamedTuple):
    """Where a counter stands, and the seconds until it is forgotten."""

    hits: int
    seconds_left: float


class Counters(Protocol):
    """Where requests are counted."""

    async def hit(self, counters: Sequence[tuple[str, int]], window: int) -> list[Counted]:
        """Count one request under each key in turn, up to the first that is over its limit.

        So who is refused for a limit of their own uses up no other. `window`: seconds that a
        counter lives. Raises Unavailable.
        """
        ...


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

    async def hit(self, counters: Sequence[tuple[str, int]], window: int) -> list[Counted]:
        now = self._clock.monotonic()
        counted = []
        for key, limit in counters:
            ends, count = self._count(key, now, window, 1)
            counted.append(Counted(count, ends - now))
            if count > limit:
                break
        return counted

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._count(key, self._clock.monotonic(), expiry, amount)[1]

    async def get(self, key: str) -> int:
        ends, count = self._counters.get(key, (0.0, 0))
        return count if self._clock.monotonic() < ends else 0

    async def get_expiry(self, key: str) -> float:
        left = self._counters.get(key, (0.0, 0))[0] - self._clock.monotonic()
        return self._clock.now().timestamp() + max(0.0, left)

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        count = len(self._counters)
        self._counters.clear()
        return count

    async def clear(self, key: str) -> None:
        self._counters.pop(key, None)

    def _count(self, key: str, now: float, window: int, amount: int) -> tuple[float, int]:
        self._drop_old(now)
        ends, count = self._counters.get(key, (now + window, 0))
        self._counters[key] = counter = (ends, count + amount)
        return counter

    def _drop_old(self, now: float) -> None:
        while self._counters:
            ends, _ = next(iter(self._counters.values()))
            if ends > now and len(self._counters) < self._capacity:
                return
            self._counters.popitem(last=False)
