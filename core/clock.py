"""The clock, as an object that is injected, so that tests can move it. Times as text."""

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


def utc_text(moment: datetime, timespec: str = "auto") -> str:
    """`moment` in ISO 8601, in UTC with "Z". `timespec`: the precision, as in `isoformat`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
