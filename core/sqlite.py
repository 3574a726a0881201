"""SQLite: one writer thread that commits a whole batch of waiting units at once, one reader thread.

Write-ahead log with ``synchronous=FULL``: a commit is on the disk before anyone is answered. One
connection writes, so nobody ever meets "database is locked"; a batch shares one fsync.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from core.database import AfterCommit, DatabaseUnavailable, T, Unit, notify, take_callbacks

logger = logging.getLogger("service.database")

MAX_BATCH = 256
BUSY_TIMEOUT_MS = 5000
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    # A checkpoint of an idle-time size keeps the log, and so every read, short.
    "PRAGMA wal_autocheckpoint=1000",
)


class Job(NamedTuple):
    """A unit of work with the future its caller awaits."""

    unit: Unit[Any]
    future: asyncio.Future[Any]


class Outcome(NamedTuple):
    """What a job came to: a value or an error, and what to call once it is durable."""

    job: Job
    value: Any = None
    error: BaseException | None = None
    callbacks: tuple[AfterCommit, ...] = ()


class SqliteDatabase:
    """A `Database` over one SQLite file."""

    def __init__(self, url: str, migrate: Callable[[Engine], None]) -> None:
        self._migrate = migrate
        # Statements in an error message could carry what a person typed; NullPool: the two
        # connections live as long as their threads.
        self._engine = create_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"isolation_level": None, "check_same_thread": False},
        )
        event.listen(self._engine, "connect", _configure)
        self._writer = _Worker(self._engine, "sqlite-writer", "BEGIN IMMEDIATE")
        self._reader = _Worker(self._engine, "sqlite-reader", "BEGIN")

    async def start(self) -> None:
        """Migrate, then open both connections. Raises what the database says if it cannot."""
        await asyncio.to_thread(self._migrate, self._engine)
        self._writer.start()
        self._reader.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._writer.stop()
        self._reader.stop()
        self._engine.dispose()

    async def read(self, unit: Unit[T]) -> T:
        return await self._reader.submit(unit)

    async def write(self, unit: Unit[T]) -> T:
        return await self._writer.submit(unit)


def _configure(connection: Any, _record: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma).close()


class _Worker:
    """A thread that owns one connection and runs the waiting units in batches."""

    def __init__(self, engine: Engine, name: str, begin: str) -> None:
        self._engine, self._begin = engine, begin
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._stopping = self._ended = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    async def submit(self, unit: Unit[T]) -> T:
        if self._stopping:
            raise DatabaseUnavailable("stopping")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(Job(unit, future))
        if self._ended:
            # The thread ended between the look and the put: nobody else would answer.
            self._refuse_the_rest()
        return await future

    def _run(self) -> None:
        connection: Connection | None = None
        while (batch := self._next_batch()) is not None:
            try:
                connection = connection or self._engine.connect()
                outcomes = self._transact(connection, batch)
            except Exception as error:
                # Whatever happened, somebody waits for each of these answers.
                logger.error("batch failed", exc_info=error)
                outcomes = [_lost(job) for job in batch]
                _discard(connection)
                connection = None
            notify(callback for outcome in outcomes for callback in outcome.callbacks)
            _answer(outcomes)
        _discard(connection)
        self._ended = True
        self._refuse_the_rest()

    def _refuse_the_rest(self) -> None:
        """Answer what nobody will run any more."""
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                _answer([_lost(job)])

    def _next_batch(self) -> list[Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                # Put the end back behind what was accepted before it.
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _transact(self, connection: Connection, batch: list[Job]) -> list[Outcome]:
        """Run the batch in one transaction, each unit under its own savepoint, and commit."""
        with connection.begin():
            connection.exec_driver_sql(self._begin)
            return [_run_unit(connection, job) for job in batch]


def _run_unit(connection: Connection, job: Job) -> Outcome:
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        value = job.unit(connection)
    except Exception as error:
        take_callbacks(connection)
        if not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            # Disk full or I/O error: SQLite has rolled the whole batch back.
            raise
        connection.exec_driver_sql("ROLLBACK TO unit")
        connection.exec_driver_sql("RELEASE unit")
        return Outcome(job, error=_as_answer(error))
    connection.exec_driver_sql("RELEASE unit")
    return Outcome(job, value=value, callbacks=tuple(take_callbacks(connection)))


def _as_answer(error: Exception) -> Exception:
    """What the caller is told: its own errors as they are, the database's as unavailability."""
    if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError):
        logger.error("unit failed", exc_info=error)
        return DatabaseUnavailable(type(error).__name__)
    return error


def _lost(job: Job) -> Outcome:
    return Outcome(job, error=DatabaseUnavailable("the transaction was not made durable"))


def _discard(connection: Connection | None) -> None:
    if connection is not None:
        try:
            connection.close()
        except OperationalError as error:
            logger.warning("connection was not closed cleanly", exc_info=error)


def _answer(outcomes: list[Outcome]) -> None:
    """Wake the waiting callers, with one call into each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        loops.setdefault(outcome.job.future.get_loop(), []).append(outcome)
    for loop, answered in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve, answered)
        except RuntimeError:
            # The loop is closed: nobody waits any more.
            logger.info("an answer came after its event loop had ended")


def _resolve(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.job.future.done():
            continue
        if outcome.error is not None:
            outcome.job.future.set_exception(outcome.error)
        else:
            outcome.job.future.set_result(outcome.value)
