"""Identifiers: random for accounts, in the order of time for the audit trail."""

from __future__ import annotations

import os
import uuid
from datetime import datetime


def random_id() -> str:
    """A UUID version 4 as text: 122 random bits, nothing to be read from it."""
    return str(uuid.uuid4())


def time_ordered_id(moment: datetime) -> str:
    """A UUID version 7 as text (RFC 9562 §5.7): new rows go to the end of the index."""
    milliseconds = int(moment.timestamp() * 1000) & (1 << 48) - 1
    value = milliseconds << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in the one spelling this service writes."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
