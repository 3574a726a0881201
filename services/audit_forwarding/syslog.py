"""An audit row as one syslog message (RFC 5424).

Line breaks and terminal control characters are written as visible escapes, in the structured data
and in the message, because some collectors split a message at line breaks.
"""

from __future__ import annotations

import re

from core.encoding import escape_unprintable
from services.audit_forwarding.classification import classify
from services.audit_forwarding.json_formats import timestamp
from stores.outbox import EventRow

# Security and authorization messages (RFC 5424 §6.2.1).
FACILITY = 10
APP_NAME = "auth-example"
# The enterprise number that RFC 5612 sets aside for examples.
SD_ID = "audit@32473"
BOM = b"\xef\xbb\xbf"
# RFC 5425 §4.3.1: every receiver should accept this size.
MAX_TLS_OCTETS = 8192
# The minimum IPv6 link MTU (1280) less the headers of IP and UDP.
MAX_UDP_OCTETS = 1232
# Each value is cut to this length if the message is too long even without its text.
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
    """The row as an RFC 5424 message of at most `limit` octets; `host` is the sender.

    A message that is too long loses the end of its text first, then the ends of its values, and
    gets the parameter `truncated`.
    """
    text = escape_unprintable(row.details or "").encode()
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
    priority = FACILITY * 8 + classify(row).syslog_severity
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
    found = escape_unprintable(text).encode()
    kept = found if octets is None else _cut(found, octets)
    return re.sub(rb'(["\\\]])', rb"\\\1", kept)


def _cut(text: bytes, octets: int) -> bytes:
    """At most `octets` octets of `text`, without a partial character at the end."""
    return text[: max(0, octets)].decode("utf-8", "ignore").encode()


def _name(text: str, length: int) -> str:
    """PRINTUSASCII, or the nil value (RFC 5424 §6)."""
    return re.sub(r"[^\x21-\x7e]", "_", text)[:length] or "-"
