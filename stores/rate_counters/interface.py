"""Rate-limit counters: fixed windows, and those of this process's memory.

One window length for all keys means that the order of arrival is the order of expiry, and a hit
costs the same however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


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
