"""Rate-limit counters in this process's memory: for one worker.

All windows have one length, so the oldest counter is the first to be dropped, and a hit costs the
same however many counters there are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from core.clock import Clock
from stores.rate_counters.interface import Counted

MAX_KEYS = 200_000


class MemoryCounters:
    """`Counters` in a dictionary; when there are more than `capacity`, the oldest are dropped."""

    def __init__(self, clock: Clock, capacity: int = MAX_KEYS) -> None:
        self._clock, self._capacity = clock, capacity
        self._counters: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def hit(self, counters: Sequence[tuple[str, int]], window: int) -> list[Counted]:
        now = self._clock.monotonic()
        self._drop_old(now, room=len(counters))
        counted = []
        for key, limit in counters:
            ends, before = self._counters.get(key, (now + window, 0))
            self._counters[key] = (ends, before + 1)
            counted.append(Counted(before + 1, ends - now))
            if before >= limit:
                break
        return counted

    def _drop_old(self, now: float, room: int) -> None:
        most = self._capacity - room
        while self._counters:
            ends, _ = next(iter(self._counters.values()))
            if ends > now and len(self._counters) <= most:
                return
            self._counters.popitem(last=False)
