"""SQLite: units run in the event loop, and all that wait together share one commit.

Write-ahead log with ``synchronous=FULL``: a commit is on the disk before anyone is answered. One
connection writes, so nobody ever meets "database is locked"; a batch shares one fsync. A statement
takes microseconds and runs where it is asked for: handing it to a thread costs more. The commit,
which waits for the disk, is made in a thread, and the next units gather meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import Engine, Executable, Insert, create_engine, event
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from core.database import (
    NO_VALUES,
    AfterCommit,
    Change,
    Conflict,
    DatabaseUnavailable,
    Listener,
    Rows,
    T,
    Unit,
    notify,
)
from core.database_statements import Plans

logger = logging.getLogger("service.database")

MAX_BATCH = 256
# How long another process, say an operator's `sqlite3 app.db`, may hold the lock for writing.
PATIENCE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.005
# How long a read waits for a commit, to see what it has at hand.
LOOK_PATIENCE_SECONDS = 0.02
# Of an extended result code, such as SQLITE_BUSY_RECOVERY.
PRIMARY_CODE = 0xFF
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # A checkpoint of an idle-time size keeps the log, and so every read, short.
    "PRAGMA wal_autocheckpoint=1000",
    # What a savepoint may have to undo is no matter for a file.
    "PRAGMA temp_store=MEMORY",
    # The upper pages of every index, also of tables with millions of rows: 32 MiB.
    "PRAGMA cache_size=-32768",
)
PLANS = Plans(pysqlite.dialect())


class SqliteTransaction:
    """A `Transaction` on one connection of the driver."""

    __slots__ = ("_connection", "callbacks", "listeners")

    def __init__(self, connection: sqlite3.Connection, listeners: Sequence[Listener] = ()) -> None:
        self._connection, self.listeners = connection, listeners
        self.callbacks: list[AfterCommit] = []

    def execute(self, statement: Executable, values: Mapping[str, Any] = NO_VALUES) -> Rows:
        plan = PLANS.of(statement)
        try:
            cursor = self._connection.execute(plan.sql, plan.bind(values))
            return Rows(plan.read(cursor.fetchall()), cursor.rowcount)
        except sqlite3.IntegrityError as error:
            # Its words name the constraint, and no value.
            raise Conflict(str(error)) from None
        except sqlite3.Error as error:
            raise _unavailable(error) from None

    def execute_if(self, change: Change, then: Insert, values: Mapping[str, Any]) -> bool:
        def both() -> bool:
            changed = self.execute(change.statement, change.values).rowcount > 0
            if changed:
                self.execute(then, values)
            return changed

        return _whole(self._connection, both)


class Job(NamedTuple):
    """A unit of work with the future its caller awaits; `whole`: all of it, or nothing."""

    unit: Unit[Any]
    future: asyncio.Future[Any]
    whole: bool


class Outcome(NamedTuple):
    """What a job came to: a value or an error, and what to call once it is durable."""

    job: Job
    value: Any = None
    error: BaseException | None = None
    callbacks: Sequence[AfterCommit] = ()


class SqliteDatabase:
    """A `Database` over one SQLite file. It lives in the event loop that it is started in."""

    def __init__(self, url: str, migrate: Callable[[Engine], None]) -> None:
        self._url, self._migrate = url, migrate
        self._file = make_url(url).database or ""
        self._reader: sqlite3.Connection | None = None
        self._stopped = True
        self.listeners: list[Listener] = []
        self._writer = _Writer(self._open, self.listeners)

    async def start(self) -> None:
        """Migrate, then open both connections. Raises what the database says if it cannot."""
        await asyncio.to_thread(self._prepare)
        self._stopped = False
        await self._open_reader()
        self._writer.start()

    def _prepare(self) -> None:
        # Statements in an error message could carry what a person typed.
        engine = create_engine(
            self._url,
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"isolation_level": None, "timeout": PATIENCE_SECONDS},
        )
        event.listen(engine, "connect", _configure)
        try:
            self._migrate(engine)
        finally:
            engine.dispose()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file,
            timeout=PATIENCE_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        _configure(connection)
        return connection

    async def stop(self) -> None:
        await self._writer.stop()
        self._stopped = True
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    async def read(self, unit: Unit[T]) -> T:
        # Every commit makes all pages old that another connection has read; those of the one that
        # writes are the newest, and at hand.
        with suppress(DatabaseUnavailable):
            return await self._writer.look(unit)
        reader = self._reader or await self._open_reader()
        # A reader of a write-ahead log waits for nobody.
        try:
            return unit(SqliteTransaction(reader))
        except DatabaseUnavailable:
            # A new one for the next.
            self._reader = None
            reader.close()
            raise

    async def _open_reader(self) -> sqlite3.Connection:
        if self._stopped:
            raise DatabaseUnavailable("stopped")
        if self._reader is None:
            self._reader = await asyncio.to_thread(self._open)
        return self._reader

    async def write(self, unit: Unit[T]) -> T:
        return await self._writer.submit(unit, whole=True)

    async def append(self, unit: Unit[T]) -> T:
        # Two statements fewer: its one change is made or not, and nothing comes after it.
        return await self._writer.submit(unit, whole=False)

    def metrics(self) -> dict[str, int]:
        return self._writer.metrics()


def _configure(connection: Any, _record: Any = None) -> None:
    """Set the connection up. For a thread: it may have to wait."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for pragma in PRAGMAS:
        while not _done(connection, pragma, deadline):
            time.sleep(LOOK_AGAIN_SECONDS)


def _done(connection: Any, pragma: str, deadline: float) -> bool:
    # Where two processes turn a new file into one with a write-ahead log, SQLite does not wait.
    try:
        connection.execute(pragma).close()
    except sqlite3.OperationalError as error:
        if not _is_busy(error) or time.monotonic() > deadline:
            raise
        return False
    return True


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & PRIMARY_CODE == sqlite3.SQLITE_BUSY


class _Writer:
    """Owns the connection that writes: takes all units that wait, runs them, commits once."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], listeners: Sequence[Listener]
    ) -> None:
        self._connect, self._listeners = connect, listeners
        self._connection: sqlite3.Connection | None = None
        self._waiting: deque[Job] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "sqlite-commit")
        self._stopping = False
        self._looking: deque[Job] = deque()
        self._committing = False
        self._patience: asyncio.TimerHandle | None = None
        self._batches = self._units = 0

    def metrics(self) -> dict[str, int]:
        """What waits now, and how many units shared how many commits so far."""
        return {
            "writer_queue_length": len(self._waiting),
            "writer_batches": self._batches,
            "writer_units": self._units,
        }

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sqlite-writer")

    async def stop(self) -> None:
        """Finish what was accepted, then close."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._close()
        self._thread.shutdown()

    async def submit(self, unit: Unit[T], *, whole: bool) -> T:
        if self._stopping or self._task is None or self._task.done():
            raise DatabaseUnavailable("stopping")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(Job(unit, future, whole))
        if not self._wake.is_set():
            self._wake.set()
        return await future

    async def look(self, unit: Unit[T]) -> T:
        """Run `unit`, which reads, between two transactions. Raises DatabaseUnavailable if the end
        of one does not come soon.
        """
        if self._connection is None:
            raise DatabaseUnavailable("not open")
        if not self._committing:
            return unit(SqliteTransaction(self._connection))
        loop = asyncio.get_running_loop()
        if not self._looking:
            self._patience = loop.call_later(LOOK_PATIENCE_SECONDS, self._end_looking, None)
        future: asyncio.Future[T] = loop.create_future()
        self._looking.append(Job(unit, future, whole=False))
        return await future

    def _end_looking(self, connection: sqlite3.Connection | None) -> None:
        """Let those look who wait for it; without a connection they are sent elsewhere."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        for job in _drain(self._looking):
            _answer(_look(connection, job))

    async def _run(self) -> None:
        while not (self._stopping and not self._waiting):
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            # Whatever happened was said and answered; the next batch starts afresh.
            with suppress(Exception):
                await self._transact()

    async def _transact(self) -> None:
        """One transaction: run all that waits once it has begun, then commit in the thread."""
        outcomes: list[Outcome] = []
        batch: list[Job] = []
        try:
            connection = await self._begin()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
            self._batches, self._units = self._batches + 1, self._units + len(batch)
            outcomes = [_run_unit(connection, job, self._listeners) for job in batch]
            self._committing = True
            await self._in_thread(self._commit, connection)
        except Exception as error:
            # Those who waited while it could not even begin have waited long enough.
            for job in batch or _drain(self._waiting):
                _answer(Outcome(job, error=DatabaseUnavailable("the transaction was not made")))
            logger.error("batch failed", exc_info=error)
            await self._close()
            return
        self._committing = False
        self._end_looking(connection)
        try:
            notify(callback for outcome in outcomes for callback in outcome.callbacks)
        finally:
            for outcome in outcomes:
                _answer(outcome)

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def _begin(self) -> sqlite3.Connection:
        """Take the lock for writing; while another process has it, look again and again."""
        if self._connection is None:
            self._connection = await self._in_thread(self._connect)
            # The event loop never waits inside of SQLite.
            self._connection.execute("PRAGMA busy_timeout=0")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
            else:
                return self._connection

    def _commit(self, connection: sqlite3.Connection) -> None:
        connection.execute("COMMIT")

    async def _close(self) -> None:
        """Let go of the connection, with what was not committed."""
        # Nobody may look on it from now on: the thread is to close it.
        connection, self._connection = self._connection, None
        self._committing = False
        self._end_looking(None)
        if connection is not None:
            with suppress(sqlite3.Error):
                await self._in_thread(connection.close)


def _look(connection: sqlite3.Connection | None, job: Job) -> Outcome:
    """Run one unit that reads; whatever it raises is for its caller alone."""
    if connection is None:
        return Outcome(job, error=DatabaseUnavailable("busy"))
    try:
        return Outcome(job, job.unit(SqliteTransaction(connection)))
    except Exception as error:
        return Outcome(job, error=error)


def _run_unit(connection: sqlite3.Connection, job: Job, listeners: Sequence[Listener]) -> Outcome:
    """Run one unit, under a savepoint of its own where it may have to be undone."""
    tx = SqliteTransaction(connection, listeners)
    try:
        value = _whole(connection, lambda: job.unit(tx)) if job.whole else job.unit(tx)
    except Exception as error:
        # Disk full or I/O error: SQLite has rolled the whole batch back. Or a savepoint failed, and
        # where the batch stands is not known. A statement's own failure has another name by now.
        if not connection.in_transaction or isinstance(error, sqlite3.Error):
            raise
        return Outcome(job, error=error)
    return Outcome(job, value, None, tx.callbacks)


def _whole(connection: sqlite3.Connection, work: Callable[[], T]) -> T:
    """Run `work` under a savepoint: all of what it changes, or nothing."""
    connection.execute("SAVEPOINT whole")
    try:
        value = work()
    except Exception:
        # Disk full or I/O error: SQLite has rolled everything back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK TO whole")
            connection.execute("RELEASE whole")
        raise
    connection.execute("RELEASE whole")
    return value


def _unavailable(error: sqlite3.Error) -> DatabaseUnavailable:
    # Its own words can quote a statement.
    logger.error("statement failed", exc_info=error)
    return DatabaseUnavailable(type(error).__name__)


def _drain(jobs: deque[Job]) -> list[Job]:
    drained = list(jobs)
    jobs.clear()
    return drained


def _answer(outcome: Outcome) -> None:
    future = outcome.job.future
    if future.done():
        # Its caller has gone.
        return
    if outcome.error is not None:
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome.value)
