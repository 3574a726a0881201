"""The clock, as an object that is injected, so that tests can stop it and move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The wall clock for times that are stored, the monotonic clock for lifetimes."""

    def now(self) -> datetime:
        """The present time, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start. They never run backwards, whatever sets the wall clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
