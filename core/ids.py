"""Identifiers: random for accounts, in the order of time for the audit trail.

Written here and not by `uuid`, whose objects cost more than the rest of an audit row.
"""

from __future__ import annotations

import os
import re
import threading
from datetime import datetime

SPELLING = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FIXED_BITS = 0xF << 76 | 3 << 62
DRAWN = 4096


class _Drawn:
    """Random bytes from the kernel, a page at a time: a call for each id costs more than the id."""

    def __init__(self) -> None:
        self.forget()
        # Two processes must not go on with the same page.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Begin a new page."""
        self._lock, self._page, self._at = threading.Lock(), b"", 0

    def take(self, count: int) -> bytes:
        """`count` bytes that nobody else gets."""
        with self._lock:
            end = self._at + count
            if end > len(self._page):
                self._page, end = os.urandom(DRAWN), count
            self._at = end
            return self._page[end - count : end]


_DRAWN = _Drawn()


def random_id() -> str:
    """A UUID version 4 as text: 122 random bits, nothing to be read from it."""
    return _text(int.from_bytes(_DRAWN.take(16)), 4)


def _text(number: int, version: int) -> str:
    """`number` as the text of a UUID, with its version and variant set (RFC 9562 §4)."""
    digits = f"{number & ~FIXED_BITS | version << 76 | 2 << 62:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class _Sequence:
    """Where the last time-ordered id stood: 48 bits of milliseconds, then 74 of counter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def next(self, milliseconds: int) -> tuple[int, int]:
        fresh = int.from_bytes(_DRAWN.take(9))
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
    return _text(milliseconds << 80 | high << 64 | low, 7)


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in the one spelling this service writes."""
    return SPELLING.fullmatch(text) is not None
