"""Copy the service's SQLite database into an empty PostgreSQL database.

Stop the service and run `alembic upgrade head` on both databases before. The
copy is one transaction: it is committed only after every table was read again
on both sides and compared.

Exit status 0: everything was copied; 1: nothing was copied.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from cli.copy_database.copying import Copied, copy, foreign_tables
from cli.copy_database.source import open_source
from cli.errors import CommandError
from core.database.postgres import open_engine
from core.database.types import Base
from core.settings import Settings
from core.settings.sources import redact_url, sqlite_file

SUMMARY = "copy SQLite into an empty PostgreSQL database"

# The two databases number audit rows differently, so a sink's position means nothing on the other.
# Without its row, a sink starts again at the first event: it gets what it has once more.
SINKS = "audit_sinks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="source", required=True, metavar="sqlite:///FILE")
    parser.add_argument(
        "--to",
        metavar="postgresql://...",
        help="default: DATABASE_URL, or the file DATABASE_URL_FILE. Prefer those if the URL has a "
        "password: every user of this machine can read arguments",
    )
    parser.add_argument(
        "--force", action="store_true", help="copy although a service has the file open"
    )


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Copy, and print what was copied. Raises CommandError with nothing copied."""
    url = options.to or Settings.danger_unchecked(environment)[0].database_url
    try:
        file = _file(options.source)
        if not url.startswith("postgresql://"):
            raise CommandError("the target must be postgresql://...: give --to, or DATABASE_URL")
        with open_source(file, shared=options.force) as source:
            print(f"From {file} to {redact_url(url)}")
            asyncio.run(_copy_to(url, source))
    except CommandError as error:
        raise CommandError(f"Refused: {error}. Nothing was copied.") from None
    return 0


def _file(url: str) -> Path:
    file = sqlite_file(url)
    if file is None or "?" in url or str(file) == ":memory:":
        raise CommandError("--from must be sqlite:/// and a plain file")
    return file


async def _copy_to(url: str, source: Connection) -> None:
    engine = open_engine(url)
    try:
        async with engine.begin() as target:
            await target.run_sync(lambda tx: _copy_all(source, tx))
    except (OSError, SQLAlchemyError) as error:
        why = type(getattr(error, "orig", None) or error).__name__
        raise CommandError(f"the database {redact_url(url)} failed ({why})") from None
    print("Committed. Every table is the same on both sides.")


def _copy_all(source: Connection, target: Connection) -> None:
    tables = [table for table in Base.metadata.sorted_tables if table.name != SINKS]
    for copied in copy(source, target, tables):
        print(_line(copied))
    for name in foreign_tables(source, Base.metadata.sorted_tables):
        print(f"  {name}: not a table of this service, not copied")


def _line(copied: Copied) -> str:
    emptied = "".join(
        f"; {count} had a {column} that no longer exists, now empty"
        for column, count in copied.emptied.items()
    )
    return f"  {copied.table}: {copied.rows} rows, sha256 {copied.checksum[:16]}{emptied}"
