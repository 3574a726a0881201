"""Copy the service's SQLite database into PostgreSQL.

    alembic upgrade head                       on both databases, before
    python -m devtools.migrate copy --from sqlite:///./app.db --to postgresql://…

Without --to, DATABASE_URL (or DATABASE_URL_FILE) names the target, and no password stands in a
list of processes. All or nothing: one transaction, committed once every table was read again on
both sides and found the same. Exit code 0: done; 1: refused, nothing copied.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from core.config import Settings, shown
from core.database.postgres import open_engine
from core.database.types import Base
from devtools.migrate.copying import Copied, copy, left_behind
from devtools.migrate.source import Refusal, opened


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> int:
    """Copy, print what was copied; 1 if it was refused."""
    asked = _parse(arguments)
    url = asked.to or Settings.danger_unchecked(environment)[0].database_url
    try:
        file = _file(asked.source)
        if not url.startswith("postgresql://"):
            raise Refusal("the target must be postgresql://…: give --to, or set DATABASE_URL")
        with opened(file, shared=asked.force) as source:
            print(f"From {file} to {shown(url)}")
            asyncio.run(_run(source, url))
    except Refusal as refusal:
        print(f"Refused: {refusal}. Nothing was copied.", file=sys.stderr)
        return 1
    return 0


async def _run(source: Connection, url: str) -> None:
    engine = open_engine(url)
    try:
        async with engine.begin() as target:
            await target.run_sync(lambda tx: _copy(source, tx))
    except (OSError, SQLAlchemyError) as error:
        why = type(getattr(error, "orig", None) or error).__name__
        raise Refusal(f"{shown(url)} does not do what it should ({why})") from None
    print("Committed. Every table is the same on both sides.")


# Where each sink stands is counted otherwise on PostgreSQL. There it starts with the first row, and
# gets twice what it has: at least once.
SINKS = "audit_sinks"


def _copy(source: Connection, target: Connection) -> None:
    tables = [table for table in Base.metadata.sorted_tables if table.name != SINKS]
    for copied in copy(source, target, tables):
        print(_line(copied))
    for name in left_behind(source, Base.metadata.sorted_tables):
        print(f"  {name}: not a table of this service, left behind")


def _line(copied: Copied) -> str:
    emptied = "".join(
        f"; {count} had a {column} that is not there any more, now empty"
        for column, count in copied.emptied.items()
    )
    return f"  {copied.table}: {copied.rows} rows, sha256 {copied.checksum[:16]}{emptied}"


def _file(url: str) -> Path:
    kind, _, name = url.partition(":///")
    if kind != "sqlite" or not name or "?" in name or name == ":memory:":
        raise Refusal("--from must be sqlite:/// and a plain file")
    return Path(unquote(name))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devtools.migrate")
    commands = parser.add_subparsers(required=True, metavar="copy")
    command = commands.add_parser("copy", help="SQLite to an empty, migrated PostgreSQL database")
    command.add_argument("--from", dest="source", required=True, metavar="sqlite:///FILE")
    command.add_argument("--to", metavar="postgresql://…", help="default: DATABASE_URL")
    command.add_argument(
        "--force", action="store_true", help="copy although a service has the file open"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
