"""PostgreSQL: a `Database` over a bounded pool of asyncpg connections, for any number of workers.

Every error on the way to the server becomes `DatabaseUnavailable` (503); the next unit gets a new
connection. A unit is a plain function and asyncpg is asynchronous: the unit runs in a greenlet,
which waits for asyncpg at each statement. Units leave no session state behind (`SET LOCAL` only).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only, greenlet_spawn

from core.database.compiled_statements import Plan, Plans, Statement
from core.database.interface import (
    ANY_CHANGES,
    MAX_REPORTS,
    NO_CHANGES,
    NO_VALUES,
    ONE_CHANGE,
    REPORT_SECONDS,
    AfterCommit,
    Change,
    Conflict,
    DatabaseUnavailable,
    Listener,
    ReportTimeout,
    Result,
    T,
    Unit,
    notify,
    too_many_changes,
)

logger = logging.getLogger("service.database")

CONNECT_TIMEOUT = 5
STATEMENT_TIMEOUT = 10
POOL_WAIT_TIMEOUT = 5
CLOSE_TIMEOUT = 5
# The server ends a report's statement at the report's time limit; the client waits so much longer.
REPORT_GRACE = 0.5
# How often a `decide` is tried when it conflicts with another transaction.
DECIDE_ATTEMPTS = 3
# The errors of a server that is lost, hangs or refuses. asyncpg raises InternalClientError when the
# connection breaks between two messages.
CONNECTION_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    asyncpg.InternalClientError,
    TimeoutError,
)
BEGIN = "BEGIN"
BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ"
BEGIN_REPORT = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {milliseconds}"
)
Listeners = Sequence[Listener]
PLANS = Plans(dialect.dialect())  # type: ignore[no-untyped-call]


def open_engine(url: str, seconds: float | None = None) -> AsyncEngine:
    """SQLAlchemy's engine, for migrations and tools.

    asyncpg reads the URL, here as in the service: SQLAlchemy's reader does not know `sslmode`.
    `seconds`: the time limit of one statement.
    """

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(url, timeout=CONNECT_TIMEOUT, command_timeout=seconds)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        poolclass=NullPool,
        # Parameters in an error message could be what a person typed.
        hide_parameters=True,
    )


class PostgresTransaction:
    """A `Transaction` on one connection, in which a unit may make `allowed` changes.

    It is used in a greenlet. `seconds`: the time limit of a statement, if it is not the pool's.
    """

    __slots__ = ("_allowed", "_connection", "_left", "_seconds", "callbacks", "listeners")

    def __init__(
        self,
        connection: Any,
        allowed: float = ANY_CHANGES,
        seconds: float | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._connection, self._seconds, self.listeners = connection, seconds, listeners
        self._allowed = self._left = allowed
        self.callbacks: list[AfterCommit] = []

    def execute(self, statement: Statement, values: Mapping[str, Any] = NO_VALUES) -> Result:
        return self._run(PLANS.of(statement), values)

    def query(self, statement: Executable) -> Result:
        return self._run(PLANS.of_query(statement), NO_VALUES)

    def execute_if(self, change: Change, then: Statement, values: Mapping[str, Any]) -> bool:
        # One statement, which is a transaction of its own.
        plan = PLANS.of_both(change.statement, then)
        return self._run(plan, {**values, **change.values}).rowcount > 0

    def _run(self, plan: Plan, values: Mapping[str, Any]) -> Result:
        if plan.changes and not self._left:
            raise too_many_changes(self._allowed)
        arguments, seconds = plan.bind(values), self._seconds
        try:
            if plan.returns_rows:
                rows = await_only(self._connection.fetch(plan.sql, *arguments, timeout=seconds))
                result = Result(plan.read(rows), len(rows))
            else:
                done = self._connection.execute(plan.sql, *arguments, timeout=seconds)
                result = Result([], _rows_changed(await_only(done)))
        except asyncpg.IntegrityConstraintViolationError as error:
            # The message quotes the row; the constraint's name is harmless.
            raise Conflict(error.constraint_name) from None
        if plan.changes:
            self._left -= 1
        return result


def _rows_changed(status: str) -> int:
    """The number at the end of "INSERT 0 1" or "UPDATE 1"; 0 if there is none."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0


class PostgresDatabase:
    """A `Database` over a PostgreSQL server. `check_schema` raises if the schema is not current."""

    def __init__(
        self, url: str, check_schema: Callable[[AsyncEngine], Awaitable[None]], pool_size: int
    ) -> None:
        self._url, self._check_schema, self._size = url, check_schema, pool_size
        # Requests must find a connection while reports run.
        self._reports = asyncio.Semaphore(min(MAX_REPORTS, max(1, pool_size - 1)))
        self._pool: asyncpg.Pool | None = None
        self.listeners: list[Listener] = []

    async def start(self) -> None:
        await self._require_schema()
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._size,
            timeout=CONNECT_TIMEOUT,
            command_timeout=STATEMENT_TIMEOUT,
            # asyncpg's own reset would be a round trip.
            reset=_no_reset,
        )

    async def _require_schema(self) -> None:
        engine = open_engine(self._url, STATEMENT_TIMEOUT)
        try:
            await self._check_schema(engine)
        finally:
            await engine.dispose()

    async def stop(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await pool.close()
            except TimeoutError:
                # The server does not answer.
                pool.terminate()

    async def read(self, unit: Unit[T]) -> T:
        value, _ = await self._run(_read, unit)
        return value

    async def autocommit(self, unit: Unit[T]) -> T:
        value, callbacks = await self._run(_autocommit, unit)
        notify(callbacks)
        return value

    async def decide(self, unit: Unit[T]) -> T:
        value, callbacks = await self._run(_decide, unit)
        notify(callbacks)
        return value

    async def write(self, unit: Unit[T]) -> T:
        value, callbacks = await self._run(_write, unit)
        notify(callbacks)
        return value

    async def report(self, unit: Unit[T], seconds: float = REPORT_SECONDS) -> T:
        def run(connection: Any, _: Listeners, unit: Unit[T]) -> tuple[T, list[AfterCommit]]:
            return _report(connection, unit, seconds)

        timeout = asyncio.timeout(seconds + REPORT_GRACE)
        try:
            async with timeout, self._reports:
                value, _ = await self._run(run, unit)
                return value
        except TimeoutError:
            if not timeout.expired():
                raise
            raise ReportTimeout("the report took too long, or waited for others") from None

    def metrics(self) -> dict[str, int]:
        pool = self._pool
        checked_out = 0 if pool is None else pool.get_size() - pool.get_idle_size()
        return {"pool_size": self._size, "pool_checked_out": checked_out}

    async def _run(
        self, how: Callable[[Any, Listeners, Unit[T]], tuple[T, list[AfterCommit]]], unit: Unit[T]
    ) -> tuple[T, list[AfterCommit]]:
        if self._pool is None:
            raise DatabaseUnavailable("stopped")
        try:
            async with self._pool.acquire(timeout=POOL_WAIT_TIMEOUT) as connection:
                return await greenlet_spawn(how, connection, self.listeners, unit)
        except CONNECTION_ERRORS as error:
            logger.error("transaction failed", exc_info=error)
            raise DatabaseUnavailable(type(error).__name__) from None


def _read(connection: Any, _: Listeners, unit: Unit[T]) -> tuple[T, list[AfterCommit]]:
    tx = PostgresTransaction(connection, NO_CHANGES)
    return unit(tx), tx.callbacks


def _autocommit(
    connection: Any, listeners: Listeners, unit: Unit[T]
) -> tuple[T, list[AfterCommit]]:
    """Without BEGIN and COMMIT, two round trips fewer: the server commits each statement."""
    tx = PostgresTransaction(connection, ONE_CHANGE, listeners=listeners)
    return unit(tx), tx.callbacks


def _decide(connection: Any, listeners: Listeners, unit: Unit[T]) -> tuple[T, list[AfterCommit]]:
    """One snapshot for the reads and the change; tried again after a conflict."""
    for _ in range(DECIDE_ATTEMPTS - 1):
        with suppress(asyncpg.exceptions.TransactionRollbackError):
            return _transact(connection, unit, BEGIN_SNAPSHOT, ONE_CHANGE, listeners=listeners)
    return _transact(connection, unit, BEGIN_SNAPSHOT, ONE_CHANGE, listeners=listeners)


def _write(connection: Any, listeners: Listeners, unit: Unit[T]) -> tuple[T, list[AfterCommit]]:
    return _transact(connection, unit, BEGIN, ANY_CHANGES, listeners=listeners)


def _report(connection: Any, unit: Unit[T], seconds: float) -> tuple[T, list[AfterCommit]]:
    begin = BEGIN_REPORT.format(milliseconds=max(1, round(1000 * seconds)))
    try:
        return _transact(connection, unit, begin, NO_CHANGES, seconds + REPORT_GRACE)
    except asyncpg.QueryCanceledError:
        raise ReportTimeout("a statement of the report took too long") from None


def _transact(
    connection: Any,
    unit: Unit[T],
    begin: str,
    allowed: float,
    seconds: float | None = None,
    listeners: Listeners = (),
) -> tuple[T, list[AfterCommit]]:
    """Run `unit` between `begin` and COMMIT."""
    tx = PostgresTransaction(connection, allowed, seconds, listeners)
    await_only(connection.execute(begin))
    try:
        value = unit(tx)
        # The server answers COMMIT with "ROLLBACK" if the transaction has failed; asyncpg does not
        # call that an error.
        if await_only(connection.execute("COMMIT")) != "COMMIT":
            raise DatabaseUnavailable("the transaction was rolled back")
    except (asyncio.CancelledError, TimeoutError):
        # The state of the server is unknown, and asking for it would take as long again.
        _terminate(connection)
        raise
    except Exception:
        _roll_back(connection)
        raise
    return value, tx.callbacks


def _roll_back(connection: Any) -> None:
    if connection.is_closed():
        return
    try:
        await_only(connection.execute("ROLLBACK"))
    except Exception:
        _terminate(connection)


def _terminate(connection: Any) -> None:
    # The pool may have let go of it already.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def _no_reset(_connection: Any) -> None:
    """Units leave no session state behind, so there is nothing to reset between two of them."""
