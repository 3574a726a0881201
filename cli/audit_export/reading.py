"""Reads audit rows from either database, a few hundred at a time, and changes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Row, create_engine
from sqlalchemy.pool import NullPool

from cli.audit_export.filters import Filters
from cli.audit_export.formats import Write
from cli.errors import CommandError
from core.database.postgres import open_engine
from core.database.schema_version import newest_revision, revision_of
from core.settings.sources import sqlite_file
from stores.outbox import EventRow

BATCH_ROWS = 500


def read(url: str, filters: Filters, begin: Callable[[], Write]) -> int:
    """Write every row that matches, in batches, and return how many there were.

    `begin` is called once the database and the filters are known to be right; it returns the
    function that writes a batch. Raises CommandError.
    """
    file = sqlite_file(url)
    if file is not None:
        return _read_sqlite(file, filters, begin)
    return asyncio.run(_read_postgres(url, filters, begin))


def _read_sqlite(file: Path, filters: Filters, begin: Callable[[], Write]) -> int:
    if not file.is_file():
        raise CommandError(f"DATABASE_URL: there is no database {file}")
    address = f"file:{quote(str(file.resolve()))}?mode=ro"
    engine = create_engine(
        "sqlite://", poolclass=NullPool, creator=lambda: sqlite3.connect(address, uri=True)
    )
    with engine.connect() as connection:
        _check(connection, filters)
        write = begin()
        streaming = connection.execution_options(yield_per=BATCH_ROWS)
        with closing(streaming.execute(filters.statement())) as rows:
            return sum(_write(write, batch) for batch in rows.partitions())


async def _read_postgres(url: str, filters: Filters, begin: Callable[[], Write]) -> int:
    engine = open_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(_check, filters)
        write, total = begin(), 0
        async with connection.stream(filters.statement()) as rows:
            async for batch in rows.partitions(BATCH_ROWS):
                total += _write(write, batch)
    return total


def _write(write: Write, batch: Sequence[Row[Any]]) -> int:
    write([EventRow._make(row) for row in batch])
    return len(batch)


def _check(connection: Connection, filters: Filters) -> None:
    """Raise CommandError for a database of another version, and for an unknown reason."""
    found, needed = revision_of(connection), newest_revision()
    if found != needed:
        raise CommandError(
            f"The database schema is at {found or 'nothing'}, and this version reads {needed}: "
            "run `alembic upgrade head`"
        )
    filters.check_reasons(connection)
