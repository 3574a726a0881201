"""One connection to the SQLite file: how it is set up, and how a unit runs on it.

Write-ahead log with `synchronous=FULL`: a commit is on the disk before anyone is answered. Python's
driver begins no transaction implicitly (`isolation_level=None`).
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects.sqlite import pysqlite

from core.database.compiled_statements import Plan, Plans, Statement
from core.database.interface import (
    ANY_CHANGES,
    NO_VALUES,
    AfterCommit,
    Change,
    Conflict,
    DatabaseUnavailable,
    Listener,
    Result,
    T,
    too_many_changes,
)

logger = logging.getLogger("service.database")

# Seconds that another process, for example an operator's `sqlite3 app.db`, may hold the write lock.
BUSY_TIMEOUT = 5.0
BUSY_RETRY_SECONDS = 0.005
# The primary code within an extended result code such as SQLITE_BUSY_RECOVERY.
PRIMARY_CODE = 0xFF
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # A checkpoint every 1000 pages (4 MB) keeps the log short, and with it every read.
    "PRAGMA wal_autocheckpoint=1000",
    # The undo data of a savepoint stays in memory.
    "PRAGMA temp_store=MEMORY",
    # 32 MiB hold the upper pages of every index, also of tables with millions of rows.
    "PRAGMA cache_size=-32768",
)
PLANS = Plans(pysqlite.dialect())


class SqliteTransaction:
    """A `Transaction` on one connection, in which a unit may make `allowed` changes."""

    __slots__ = ("_allowed", "_connection", "_left", "callbacks", "listeners")

    def __init__(
        self,
        connection: sqlite3.Connection,
        allowed: float = ANY_CHANGES,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._connection, self.listeners = connection, listeners
        self._allowed = self._left = allowed
        self.callbacks: list[AfterCommit] = []

    @property
    def has_changed(self) -> bool:
        """Whether the unit has made one of a limited number of changes."""
        return self._left != self._allowed

    def execute(self, statement: Statement, values: Mapping[str, Any] = NO_VALUES) -> Result:
        plan = statement.plans.get(PLANS.name) or PLANS.of(statement)
        return self._run(plan, values)

    def query(self, statement: Executable) -> Result:
        return self._run(PLANS.of_query(statement), NO_VALUES)

    def execute_if(self, change: Change, then: Statement, values: Mapping[str, Any]) -> bool:
        if not self._left:
            raise too_many_changes(self._allowed)
        left, self._left = self._left, ANY_CHANGES

        def both() -> bool:
            changed = self.execute(change.statement, change.values).rowcount > 0
            if changed:
                self.execute(then, values)
            return changed

        try:
            done = savepoint(self._connection, both)
        except BaseException:
            self._left = left
            raise
        self._left = left - 1
        return done

    def _run(self, plan: Plan, values: Mapping[str, Any]) -> Result:
        if plan.changes and not self._left:
            raise too_many_changes(self._allowed)
        try:
            cursor = self._connection.execute(plan.sql, plan.bind(values))
            rows = cursor.fetchall()
        except sqlite3.IntegrityError as error:
            # The message names the constraint, and no value.
            raise Conflict(str(error)) from None
        except sqlite3.Error as error:
            raise _unavailable(error) from None
        if plan.changes:
            self._left -= 1
        if plan.returns_rows:
            return Result(plan.read(rows), len(rows))
        return Result([], cursor.rowcount)


def savepoint(connection: sqlite3.Connection, work: Callable[[], T]) -> T:
    """Run `work` under a savepoint: if it raises, its changes are undone, and no others."""
    connection.execute("SAVEPOINT unit")
    try:
        value = work()
    except Exception:
        # Disk full or I/O error: SQLite has rolled everything back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK TO unit")
            connection.execute("RELEASE unit")
        raise
    connection.execute("RELEASE unit")
    return value


def open_connection(file: str) -> sqlite3.Connection:
    """A connection for the service. Call it in a thread: it may have to wait for a lock."""
    connection = sqlite3.connect(
        file,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    configure(connection)
    return connection


def configure(connection: Any, _record: Any = None) -> None:
    """Run the PRAGMAs; while the file is locked, again and again for BUSY_TIMEOUT seconds.

    `_record` is there because SQLAlchemy calls this as its "connect" event.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    for pragma in PRAGMAS:
        while not _done(connection, pragma, deadline):
            time.sleep(BUSY_RETRY_SECONDS)


def _done(connection: Any, pragma: str, deadline: float) -> bool:
    # SQLite's own timeout does not apply while another process switches a new file to this log.
    try:
        connection.execute(pragma).close()
    except sqlite3.OperationalError as error:
        if not is_busy(error) or time.monotonic() > deadline:
            raise
        return False
    return True


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another connection holds the lock that was asked for."""
    return error.sqlite_errorcode & PRIMARY_CODE == sqlite3.SQLITE_BUSY


def _unavailable(error: sqlite3.Error) -> DatabaseUnavailable:
    # The error's message can quote a statement: it goes to the server's log only.
    logger.error("statement failed", exc_info=error)
    return DatabaseUnavailable(type(error).__name__)
