"""Rate-limit counters: how many requests a key had in its fixed window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Counted(NamedTuple):
    """A counter after a hit: its number of hits, and the seconds until it is dropped."""

    hits: int
    seconds_left: float


class Counters(Protocol):
    """A store of counters."""

    async def hit(self, counters: Sequence[tuple[str, int]], window: int) -> list[Counted]:
        """Count one request for each (key, limit) in turn, and stop after a key over its limit.

        A client that is over its own limit thus does not use up the limits that follow. `window`:
        the seconds from a counter's first hit until it is dropped. Raises Unavailable.
        """
        ...
