"""A clock that tests hold in their hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class HeldClock:
    """Stands still until it is moved; the wall and the monotonic reading can be moved apart."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC)
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass, on both readings."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall(self, seconds: float) -> None:
        """Have someone set the wall clock, forth or back: the monotonic reading does not move."""
        self._now += timedelta(seconds=seconds)
