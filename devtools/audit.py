"""The audit trail on standard output: `python -m devtools.audit export --format csv --since 7d`.

Reads the database that DATABASE_URL names and changes nothing there. Events come in the order of
their time, one line each; however many there are, only a few hundred are in memory at once.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import re
import sqlite3
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Select, create_engine, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from core.config import Settings
from core.database.postgres import open_engine
from core.database.schema_version import newest_revision, revision_of
from core.errors import ConfigurationError
from models import AuditLog
from services.sinks.documents import ecs, line, ocsf, timestamp
from services.sinks.syslog import visible
from stores.outbox import COLUMNS, EventRow

AT_ONCE = 500
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# What makes a spreadsheet take a cell for a formula, and its twins of full width.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
FIELDS = EventRow._fields

Write = Callable[[Iterable[EventRow]], None]


class Refused(Exception):
    """What is wrong, in one sentence for the person who asked."""


def moment(text: str, now: datetime | None = None) -> datetime:
    """ISO 8601, in UTC unless it says otherwise, or an age such as `7d`, `12h`, `30m`, `2w`."""
    if age := re.fullmatch(r"(\d{1,5})([mhdw])", text):
        return (now or datetime.now(UTC)) - timedelta(**{UNITS[age[2]]: int(age[1])})
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        wanted = "no time: write 2026-01-31T08:00:00Z, 2026-01-31 or an age like 7d"
        raise argparse.ArgumentTypeError(f"{text!r} is {wanted}") from None


def statement(wanted: argparse.Namespace) -> Select[Any]:
    """The rows that are asked for, oldest first."""
    found = select(*COLUMNS).order_by(AuditLog.created_at, AuditLog.id).limit(wanted.limit)
    if wanted.since:
        found = found.where(AuditLog.created_at >= wanted.since)
    if wanted.until:
        found = found.where(AuditLog.created_at < wanted.until)
    if wanted.event_type:
        found = found.where(AuditLog.event_type.in_(wanted.event_type))
    if wanted.email:
        email = unicodedata.normalize("NFC", wanted.email).casefold()
        found = found.where(or_(AuditLog.user_email == email, AuditLog.subject_email == email))
    return found


def read(url: str, asked: Select[Any], write: Write) -> None:
    """Hand every row to `write`, some at a time. Raises Refused."""
    if url.startswith("sqlite:"):
        read_sqlite(Path(url.removeprefix("sqlite:///")), asked, write)
    else:
        asyncio.run(read_postgres(url, asked, write))


def read_sqlite(file: Path, asked: Select[Any], write: Write) -> None:
    if not file.is_file():
        raise Refused(f"DATABASE_URL: there is no database {file}")
    address = f"file:{quote(str(file.resolve()))}?mode=ro"
    engine = create_engine(
        "sqlite://", poolclass=NullPool, creator=lambda: sqlite3.connect(address, uri=True)
    )
    with engine.connect() as connection:
        require_newest(connection)
        rows = connection.execution_options(yield_per=AT_ONCE).execute(asked)
        with closing(rows):
            for part in rows.partitions():
                write(EventRow(*row) for row in part)


async def read_postgres(url: str, asked: Select[Any], write: Write) -> None:
    engine = open_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(require_newest)
        async with connection.stream(asked) as rows:
            async for part in rows.partitions(AT_ONCE):
                write(EventRow(*row) for row in part)


def require_newest(connection: Connection) -> None:
    """Refuse a database whose tables are not those of this version."""
    found = revision_of(connection)
    if found != newest_revision():
        raise Refused(
            f"The database schema is at {found or 'nothing'}, and this version reads "
            f"{newest_revision()}: run `alembic upgrade head`"
        )


def plain(row: EventRow) -> dict[str, Any]:
    """The row as it stands in the table, with its time as text."""
    return {**row._asdict(), "created_at": timestamp(row.created_at)}


def lines(shape: Callable[[EventRow], dict[str, Any]]) -> Write:
    """Writes one JSON object per line."""
    return lambda rows: sys.stdout.writelines(line(shape(row)) for row in rows)


def table() -> Write:
    """Writes CSV (RFC 4180) with a head; every event is one line, and no cell is a formula."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(FIELDS)
    return lambda rows: out.writerows(
        [cell(value) for value in plain(row).values()] for row in rows
    )


def cell(value: Any) -> str:
    """The value as a spreadsheet may have it: a quote before what it would calculate."""
    text = "" if value is None else str(value)
    return ("'" if text.startswith(FORMULA) else "") + visible(text)


FORMATS: dict[str, Callable[[], Write]] = {
    "jsonl": lambda: lines(plain),
    "csv": table,
    "ecs": lambda: lines(ecs),
    "ocsf": lambda: lines(ocsf),
}


def database_url() -> str:
    """DATABASE_URL, or what DATABASE_URL_FILE holds; no other setting is looked at."""
    names = ("DATABASE_URL", "DATABASE_URL_FILE")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    return Settings.from_environment(environment).database_url


def count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,17}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of events")
    return int(text)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devtools.audit", description=__doc__)
    export = parser.add_subparsers(required=True, metavar="export").add_parser(
        "export", help="write events to standard output"
    )
    export.add_argument("--format", choices=FORMATS, default="jsonl")
    export.add_argument("--since", type=moment, help="ISO 8601, UTC; or an age like 7d, 12h, 30m")
    export.add_argument("--until", type=moment, help="the same; events of that moment are left out")
    export.add_argument("--event-type", action="append", help="only these; may be repeated")
    export.add_argument("--email", help="who acted, or whom it was about")
    export.add_argument("--limit", type=count, help="no more events than that, the oldest")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 with a sentence on stderr, or argparse's 2."""
    wanted = arguments(given)
    try:
        read(database_url(), statement(wanted), FORMATS[wanted.format]())
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has seen enough; what is left in the buffer must not complain at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Refused, ConfigurationError) as refused:
        print(refused, file=sys.stderr)
        return 1
    except (DBAPIError, OSError) as error:
        print(f"The database cannot be read ({type(error).__name__})", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
