"""SQLite: a `Database` over one file, for one process.

Units run in the event loop. sqlite_group_commit.py commits them in groups,
sqlite_writer_reads.py says where reads run, sqlite_reports.py runs long reads in threads.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from core.database.interface import (
    ANY_CHANGES,
    NO_CHANGES,
    ONE_CHANGE,
    REPORT_SECONDS,
    DatabaseUnavailable,
    Listener,
    T,
    Unit,
)
from core.database.sqlite_connection import (
    BUSY_TIMEOUT,
    SqliteTransaction,
    configure,
    open_connection,
)
from core.database.sqlite_group_commit import GroupCommit
from core.database.sqlite_reports import SqliteReports


class SqliteDatabase:
    """A `Database` over one SQLite file. It lives in the event loop that it is started in."""

    def __init__(self, url: str, migrate: Callable[[Engine], None]) -> None:
        self._url, self._migrate = url, migrate
        self._file = make_url(url).database or ""
        self._reader: sqlite3.Connection | None = None
        self._stopped = True
        self.listeners: list[Listener] = []
        self._writer = GroupCommit(lambda: open_connection(self._file), self.listeners)
        self._reports = SqliteReports(self._file)

    async def start(self) -> None:
        """Migrate, then open the reader and the writer. Raises the database's error if it fails."""
        await asyncio.to_thread(self._prepare)
        self._stopped = False
        await self._open_reader()
        self._writer.start()

    def _prepare(self) -> None:
        engine = create_engine(
            self._url,
            poolclass=NullPool,
            # Parameters in an error message could be what a person typed.
            hide_parameters=True,
            connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT},
        )
        event.listen(engine, "connect", configure)
        try:
            self._migrate(engine)
        finally:
            engine.dispose()

    async def stop(self) -> None:
        await self._writer.stop()
        self._stopped = True
        await self._reports.stop()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    async def read(self, unit: Unit[T]) -> T:
        with suppress(DatabaseUnavailable):
            return await self._writer.reads.read(unit)
        reader = self._reader or await self._open_reader()
        # A reader of a write-ahead log never waits for a lock.
        try:
            return unit(SqliteTransaction(reader, NO_CHANGES))
        except DatabaseUnavailable:
            # The next read opens a new connection.
            self._reader = None
            reader.close()
            raise

    async def _open_reader(self) -> sqlite3.Connection:
        if self._stopped:
            raise DatabaseUnavailable("stopped")
        if self._reader is None:
            self._reader = await asyncio.to_thread(open_connection, self._file)
        return self._reader

    async def autocommit(self, unit: Unit[T]) -> T:
        # No savepoint, which saves two statements: a single statement is atomic.
        return await self._writer.submit(unit, ONE_CHANGE)

    async def decide(self, unit: Unit[T]) -> T:
        # The batch holds the write lock: nothing changes between the reads and the change.
        return await self._writer.submit(unit, ONE_CHANGE)

    async def write(self, unit: Unit[T]) -> T:
        return await self._writer.submit(unit, ANY_CHANGES)

    async def report(self, unit: Unit[T], seconds: float = REPORT_SECONDS) -> T:
        if self._stopped:
            raise DatabaseUnavailable("stopped")
        return await self._reports.run(unit, seconds)

    def metrics(self) -> dict[str, int]:
        return self._writer.metrics()
