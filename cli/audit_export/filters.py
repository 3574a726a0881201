"""The filters of the export: argument types, and the statement that selects the rows."""

from __future__ import annotations

import argparse
import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, or_, select

import audit
from cli.errors import CommandError
from core.email_address import EmailAddress
from models import AuditLog
from stores.outbox import COLUMNS

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EVENT_TYPES = sorted({event.event_type for event in audit.Event.__subclasses__()})
# Reasons that belong to an event, such as `possible_clone`. They are known before they occur.
FIXED_REASONS = {event.reason for event in audit.Event.__subclasses__() if event.reason}


def moment(text: str, now: datetime | None = None) -> datetime:
    """A time in ISO 8601 (UTC if it names no zone), or an age such as `30m`, `12h`, `7d`, `2w`."""
    if age := re.fullmatch(r"(\d{1,5})([mhdw])", text):
        return (now or datetime.now(UTC)) - timedelta(**{UNITS[age[2]]: int(age[1])})
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        example = "write 2026-01-31T08:00:00Z, 2026-01-31 or an age like 7d"
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: {example}") from None


def address(text: str) -> str:
    """An IP address, spelled as the service writes it: an IPv4-mapped address becomes IPv4."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IP address") from None
    return str(getattr(found, "ipv4_mapped", None) or found)


def count(text: str) -> int:
    """A number of events, at least 1."""
    if not re.fullmatch(r"[1-9]\d{0,17}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of events")
    return int(text)


def canonical_email(text: str) -> str:
    """The form of an address in the audit rows: a domain such as `bücher.de` is in Punycode there.

    Text that is no address is only case-folded: people may have inserted rows by hand.
    """
    try:
        return EmailAddress(text).canonical
    except ValueError:
        return unicodedata.normalize("NFC", text).casefold()


@dataclass(frozen=True)
class Filters:
    """What the rows must match, how many are wanted, and from which end."""

    conditions: tuple[ColumnElement[bool], ...] = ()
    reasons: tuple[str, ...] = ()
    oldest: int | None = None
    newest: int | None = None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Filters:
        """The filters that the arguments of the command name."""
        reasons = tuple(options.reason or ())
        return cls(tuple(_conditions(options)), reasons, options.limit, options.newest)

    def statement(self) -> Select[Any]:
        """Select the rows, oldest first."""
        if self.newest is None:
            found = select(*COLUMNS).where(*self.conditions).limit(self.oldest)
        else:
            newest = select(AuditLog.id).where(*self.conditions).limit(self.newest)
            newest = newest.order_by(AuditLog.created_at.desc(), AuditLog.id.desc())
            found = select(*COLUMNS).where(AuditLog.id.in_(newest))
        return found.order_by(AuditLog.created_at, AuditLog.id)

    def check_reasons(self, connection: Connection) -> None:
        """Raise CommandError for a reason that no event has, and list the reasons that exist.

        The reasons come from the table: many of them are words of the WebAuthn library.
        """
        exists = select(AuditLog.reason).where(AuditLog.reason == bindparam("wanted")).limit(1)
        for reason in self.reasons:
            if reason in FIXED_REASONS or connection.execute(exists, {"wanted": reason}).first():
                continue
            recorded = select(AuditLog.reason).where(AuditLog.reason.is_not(None)).distinct()
            known = FIXED_REASONS | {str(found) for found in connection.execute(recorded).scalars()}
            raise CommandError(
                f"No event has the reason {reason!r}, choose from {', '.join(sorted(known))}"
            )


def _conditions(options: argparse.Namespace) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if options.since:
        found.append(AuditLog.created_at >= options.since)
    if options.until:
        found.append(AuditLog.created_at < options.until)
    if options.event_type:
        found.append(AuditLog.event_type.in_(options.event_type))
    if options.email:
        email = canonical_email(options.email)
        found.append(or_(AuditLog.user_email == email, AuditLog.subject_email == email))
    if options.ip:
        found.append(AuditLog.ip_address == options.ip)
    if options.reason:
        found.append(AuditLog.reason.in_(options.reason))
    if options.failed:
        found.append(AuditLog.success == 0)
    return found
