"""Identifiers: random for accounts, in the order of time for the audit trail."""

from __future__ import annotations

import os
import threading
import uuid
from datetime import datetime


def random_id() -> str:
    """A UUID version 4 as text: 122 random bits, nothing to be read from it."""
    return str(uuid.uuid4())


class _Sequence:
    """Where the last time-ordered id stood: 48 bits of milliseconds, then 74 of counter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def next(self, milliseconds: int) -> tuple[int, int]:
        fresh = int.from_bytes(os.urandom(9))
        with self._lock:
            last, counter = self._last
            # Never backwards: rows written later sort later, whatever the clock does.
            ahead = milliseconds > last
            self._last = (milliseconds, fresh) if ahead else (last, counter + 1)
            return self._last


_SEQUENCE = _Sequence()


def time_ordered_id(moment: datetime) -> str:
    """A UUID version 7 as text (RFC 9562 §5.7, §6.2 method 1), greater than any before it here."""
    milliseconds, counter = _SEQUENCE.next(int(moment.timestamp() * 1000) & (1 << 48) - 1)
    high, low = counter >> 62 & 0xFFF, counter & (1 << 62) - 1
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low))


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in the one spelling this service writes."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
