"""Group commit: all units that wait together run in one transaction and share one flush.

One connection writes, so a request never meets "database is locked". A statement takes
microseconds and runs in the event loop: a thread for each statement would cost more. The COMMIT
waits for the disk, so it runs in a thread; meanwhile requests are read, passkeys verified, and the
next units gather. No caller gets an answer before the commit.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

from core.database.interface import (
    ANY_CHANGES,
    AfterCommit,
    DatabaseUnavailable,
    Listener,
    T,
    Unit,
    notify,
)
from core.database.sqlite_connection import (
    BUSY_RETRY_SECONDS,
    BUSY_TIMEOUT,
    SqliteTransaction,
    is_busy,
    savepoint,
)
from core.database.sqlite_writer_reads import WriterReads

logger = logging.getLogger("service.database")

MAX_BATCH = 256


class Job(NamedTuple):
    """A unit, how many changes it may make, and the future that its caller awaits."""

    unit: Unit[Any]
    future: asyncio.Future[Any]
    allowed: float


class Outcome(NamedTuple):
    """The outcome of a job: a value or an error, and the callbacks to call after the commit.

    `half_done`: the unit failed after its change, and has no savepoint that could undo it.
    """

    job: Job
    value: Any = None
    error: BaseException | None = None
    callbacks: Sequence[AfterCommit] = ()
    half_done: bool = False


class GroupCommit:
    """Owns the connection that writes: takes all units that wait, runs them, commits once."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], listeners: Sequence[Listener]
    ) -> None:
        self.reads = WriterReads()
        self._connect, self._listeners = connect, listeners
        self._connection: sqlite3.Connection | None = None
        self._waiting: deque[Job] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "sqlite-commit")
        self._stopping = False
        self._batches = self._units = 0

    def metrics(self) -> dict[str, int]:
        """How many units wait now, and how many shared how many commits so far."""
        return {
            "writer_queue_length": len(self._waiting),
            "writer_batches": self._batches,
            "writer_units": self._units,
        }

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sqlite-writer")

    async def stop(self) -> None:
        """Finish the units that were accepted, then close the connection."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._close()
        self._thread.shutdown()

    async def submit(self, unit: Unit[T], allowed: float) -> T:
        """Run `unit`, which may make `allowed` changes, in the next batch; wait for its commit."""
        if self._stopping or self._task is None or self._task.done():
            raise DatabaseUnavailable("stopping")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(Job(unit, future, allowed))
        if not self._wake.is_set():
            self._wake.set()
        return await future

    async def _run(self) -> None:
        while not (self._stopping and not self._waiting):
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            # A failed batch was logged and its callers answered; the next one starts afresh.
            with suppress(Exception):
                await self._transact()

    async def _transact(self) -> None:
        """One transaction: run the units that wait once it has begun, then commit in the thread."""
        outcomes: list[Outcome] = []
        batch: list[Job] = []
        try:
            connection = await self._begin()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
            self._batches, self._units = self._batches + 1, self._units + len(batch)
            outcomes = [_run_unit(connection, job, self._listeners) for job in batch]
            if [outcome for outcome in outcomes if outcome.half_done]:
                outcomes = await self._without_half_done(connection, outcomes)
            self.reads.pause()
            await self._in_thread(self._commit, connection)
        except Exception as error:
            # Without a batch no transaction could begin, for BUSY_TIMEOUT: fail all that wait.
            for job in batch or _drain(self._waiting):
                _answer(Outcome(job, error=DatabaseUnavailable("the transaction was not made")))
            logger.error("batch failed", exc_info=error)
            await self._close()
            return
        self.reads.resume(connection)
        try:
            notify(callback for outcome in outcomes for callback in outcome.callbacks)
        finally:
            for outcome in outcomes:
                _answer(outcome)

    async def _without_half_done(
        self, connection: sqlite3.Connection, outcomes: list[Outcome]
    ) -> list[Outcome]:
        """Undo the batch, and run it again without the units that failed after their change.

        Only a bug in a unit leads here. The alternative, a savepoint for each unit, would cost
        every login two statements.
        """
        failed: list[Outcome] = []
        while half_done := [outcome for outcome in outcomes if outcome.half_done]:
            failed += half_done
            connection.execute("ROLLBACK")
            connection = await self._begin()
            outcomes = [
                _run_unit(connection, outcome.job, self._listeners)
                for outcome in outcomes
                if not outcome.half_done
            ]
        return outcomes + failed

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def _begin(self) -> sqlite3.Connection:
        """Take the write lock; while another process has it, try again for BUSY_TIMEOUT seconds."""
        if self._connection is None:
            self._connection = await self._in_thread(self._connect)
            # SQLite itself must not wait: it would stop the event loop.
            self._connection.execute("PRAGMA busy_timeout=0")
            self.reads.resume(self._connection)
        deadline = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(BUSY_RETRY_SECONDS)
            else:
                return self._connection

    def _commit(self, connection: sqlite3.Connection) -> None:
        connection.execute("COMMIT")

    async def _close(self) -> None:
        """Close the connection; what was not committed is undone."""
        # From now on no read may use the connection, because the thread closes it.
        self.reads.resume(None)
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                await self._in_thread(connection.close)


def _run_unit(connection: sqlite3.Connection, job: Job, listeners: Sequence[Listener]) -> Outcome:
    """Run one unit; under a savepoint if it may make several changes."""
    tx = SqliteTransaction(connection, job.allowed, listeners)
    try:
        if job.allowed == ANY_CHANGES:
            value = savepoint(connection, lambda: job.unit(tx))
        else:
            value = job.unit(tx)
    except Exception as error:
        # Disk full or I/O error: SQLite has rolled the whole batch back. Or a savepoint failed, and
        # the state of the batch is unknown. A failed statement is no sqlite3.Error here.
        if not connection.in_transaction or isinstance(error, sqlite3.Error):
            raise
        return Outcome(job, error=error, half_done=tx.has_changed)
    return Outcome(job, value, None, tx.callbacks)


def _drain(jobs: deque[Job]) -> list[Job]:
    drained = list(jobs)
    jobs.clear()
    return drained


def _answer(outcome: Outcome) -> None:
    future = outcome.job.future
    if future.done():
        # The caller has gone.
        return
    if outcome.error is not None:
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome.value)
