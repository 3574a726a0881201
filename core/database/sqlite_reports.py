"""Reports on SQLite: long reads, each on a connection and in a thread of its own.

A report reads one snapshot while units go on writing. The write-ahead log cannot be shortened
before the report has ended, which is one reason for the time limit. The connection cannot change
anything (`PRAGMA query_only`).
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from core.database.compiled_statements import Plan
from core.database.interface import (
    MAX_REPORTS,
    NO_CHANGES,
    DatabaseUnavailable,
    ReportTimeout,
    Result,
    T,
    Unit,
)
from core.database.sqlite_connection import BUSY_TIMEOUT, SqliteTransaction

# How many of SQLite's virtual instructions run between two looks at the clock: below 1 ms.
INSTRUCTIONS_BETWEEN_CHECKS = 10_000


class SqliteReports:
    """Runs at most MAX_REPORTS reports on `file` at once."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._places = asyncio.Semaphore(MAX_REPORTS)
        self._threads = ThreadPoolExecutor(MAX_REPORTS, "sqlite-report")
        self._running: set[_Limit] = set()

    async def run(self, unit: Unit[T], seconds: float) -> T:
        """Run `unit` in a thread. Raises ReportTimeout after `seconds`, the wait included."""
        limit = _Limit(seconds)
        timeout = asyncio.timeout(seconds)
        try:
            async with timeout:
                await self._places.acquire()
                # Without its caller the thread goes on, and frees the place when it ends.
                return await asyncio.shield(self._start(unit, limit))
        except TimeoutError:
            limit.end()
            if not timeout.expired():
                raise
            raise ReportTimeout("the report took too long, or waited for others") from None
        except asyncio.CancelledError:
            limit.end()
            raise

    def _start(self, unit: Unit[T], limit: _Limit) -> asyncio.Future[T]:
        self._running.add(limit)
        loop = asyncio.get_running_loop()
        report = loop.run_in_executor(self._threads, _report, self._file, unit, limit)
        report.add_done_callback(lambda done: self._ended(limit, done))
        return report

    def _ended(self, limit: _Limit, report: asyncio.Future[Any]) -> None:
        self._running.discard(limit)
        self._places.release()
        # A report may fail after its caller has gone: asyncio would log an unretrieved exception.
        if not report.cancelled():
            report.exception()

    async def stop(self) -> None:
        """End the reports that run, and wait for their threads."""
        for limit in self._running:
            limit.end()
        await asyncio.to_thread(self._threads.shutdown)


class _Limit:
    """When a report must end. Read by the report's thread, set by the event loop."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._ended = threading.Event()

    def end(self) -> None:
        """End the report, whose caller has gone."""
        self._ended.set()

    def is_over(self) -> bool:
        return self._ended.is_set() or time.monotonic() > self._deadline


class _ReportTransaction(SqliteTransaction):
    """A `Transaction` that refuses a statement after the time limit."""

    __slots__ = ("_limit",)

    def __init__(self, connection: sqlite3.Connection, limit: _Limit) -> None:
        super().__init__(connection, NO_CHANGES)
        self._limit = limit

    def _run(self, plan: Plan, values: Mapping[str, Any]) -> Result:
        if self._limit.is_over():
            raise ReportTimeout("the report took too long")
        return super()._run(plan, values)


def _report(file: str, unit: Unit[T], limit: _Limit) -> T:
    """Run `unit` on a new connection. The caller is a thread of its own."""
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_TIMEOUT, isolation_level=None)) as reader:
            reader.execute("PRAGMA query_only=ON")
            reader.set_progress_handler(limit.is_over, INSTRUCTIONS_BETWEEN_CHECKS)
            # One snapshot for all statements of the unit.
            reader.execute("BEGIN")
            return unit(_ReportTransaction(reader, limit))
    except (DatabaseUnavailable, sqlite3.Error) as error:
        if limit.is_over():
            raise ReportTimeout("the report took too long") from None
        if isinstance(error, sqlite3.Error):
            raise DatabaseUnavailable(type(error).__name__) from None
        raise
