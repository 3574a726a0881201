"""UUIDs as text: random ones for accounts and tokens, time-ordered ones for the audit trail."""

from __future__ import annotations

import random
import re
import secrets
import threading
import uuid
from datetime import datetime

SPELLING = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RANDOM_BITS = 74  # rand_a (12 bits) and rand_b (62 bits) of RFC 9562 §5.7


def random_id() -> str:
    """A UUID version 4: 122 random bits."""
    return str(uuid.uuid4())


def request_id() -> str:
    """A UUID version 4 that is unique and no secret: it does not ask the kernel for random bits."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


class TimeOrderedIds:
    """Makes UUIDs of version 7, each greater than the one before (RFC 9562 §6.2, method 1).

    Python 3.14 brings `uuid.uuid7`, which can take the place of this class then.
    """

    def __init__(self) -> None:
        self._lock, self._last = threading.Lock(), 0

    def next(self, moment: datetime) -> uuid.UUID:
        milliseconds = int(moment.timestamp() * 1000)
        with self._lock:
            if milliseconds > self._last >> RANDOM_BITS:
                self._last = milliseconds << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
            else:
                # Within one millisecond, or if the clock went back, the last id is counted up.
                self._last += 1
            number = self._last
        high, low = number >> 62, number & (1 << 62) - 1
        version_7 = high >> 12 << 16 | 7 << 12 | high & 0xFFF
        return uuid.UUID(int=version_7 << 64 | 2 << 62 | low)


_TIME_ORDERED = TimeOrderedIds()


def time_ordered_id(moment: datetime) -> str:
    """A UUID version 7 for `moment`; rows written later by this process sort later."""
    return str(_TIME_ORDERED.next(moment))


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in the one spelling that this service writes."""
    return SPELLING.fullmatch(text) is not None
