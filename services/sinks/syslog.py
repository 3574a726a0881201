"""One event as one syslog message (RFC 5424), whatever stands in its values.

What would begin a new line or colour a terminal is written as a visible escape, in structured data
as in the message: not every collector keeps a message in one piece.
"""

from __future__ import annotations

import re

from services.sinks.documents import timestamp
from services.sinks.meanings import meaning_of
from stores.outbox import EventRow

# Security and authorization messages (RFC 5424 §6.2.1).
FACILITY = 10
APP_NAME = "auth-example"
# The enterprise number that RFC 5612 sets aside for examples.
SD_ID = "audit@32473"
BOM = b"\xef\xbb\xbf"
# RFC 5425 §4.3.1: every receiver should take that much.
MAX_TLS_OCTETS = 8192
# What IPv6 carries over every link in one piece (1280 without the headers of IP and UDP).
MAX_UDP_OCTETS = 1232
# To this much each value is cut where even a message without words is too long.
MAX_VALUE_OCTETS = 40
MAX_HOST = 64

PARAMETERS = (
    ("id", "id"),
    ("type", "event_type"),
    ("success", "success"),
    ("reason", "reason"),
    ("userEmail", "user_email"),
    ("userId", "user_id"),
    ("subjectEmail", "subject_email"),
    ("subjectId", "subject_id"),
    ("ip", "ip_address"),
    ("userAgent", "user_agent"),
    ("requestId", "request_id"),
)


def message(row: EventRow, host: str, limit: int) -> bytes:
    """The event as RFC 5424 has it, of at most `limit` octets; `host` is who sends it.

    What is too long loses the end of its text first, then the ends of its values; the parameter
    `truncated` says so.
    """
    text = visible(row.details or "").encode()
    head = _head(row, host) + b" " + BOM
    if len(head) + len(text) <= limit:
        return head + text
    for octets in (None, MAX_VALUE_OCTETS):
        head = _head(row, host, octets, truncated=True) + b" " + BOM
        if len(head) <= limit:
            break
    return head + _cut(text, limit - len(head))


def octet_counted(found: bytes) -> bytes:
    """The message as a frame for TLS (RFC 5425 §4.3)."""
    return b"%d " % len(found) + found


def _head(row: EventRow, host: str, octets: int | None = None, *, truncated: bool = False) -> bytes:
    priority = FACILITY * 8 + meaning_of(row).syslog_severity
    values = [(name, getattr(row, column)) for name, column in PARAMETERS]
    if truncated:
        values.append(("truncated", 1))
    data = b"".join(
        b' %s="%s"' % (name.encode(), _value(str(value), octets))
        for name, value in values
        if value is not None
    )
    header = (
        f"<{priority}>1 {timestamp(row.created_at)} {_name(host, MAX_HOST)} "
        f"{APP_NAME} - {_name(row.event_type, 32)} [{SD_ID}"
    )
    return header.encode() + data + b"]"


def _value(text: str, octets: int | None) -> bytes:
    """A PARAM-VALUE (RFC 5424 §6.3.3)."""
    found = visible(text).encode()
    kept = found if octets is None else _cut(found, octets)
    return re.sub(rb'(["\\\]])', rb"\\\1", kept)


def _cut(text: bytes, octets: int) -> bytes:
    """The beginning of `text`, and no half of a character."""
    return text[: max(0, octets)].decode("utf-8", "ignore").encode()


def _name(text: str, length: int) -> str:
    """PRINTUSASCII, or the nil value (RFC 5424 §6)."""
    return re.sub(r"[^\x21-\x7e]", "_", text)[:length] or "-"


def visible(text: str) -> str:
    """The text with every character that does not print written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
