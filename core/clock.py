"""The time, as a thing one can hand in: tests hold it still, or move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two readings: the wall for what is written down, the monotonic for lifetimes."""

    def now(self) -> datetime:
        """The moment in UTC, timezone-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, whoever sets the wall clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
