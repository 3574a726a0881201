"""PostgreSQL: the same units of work, over a bounded pool of asyncpg connections.

Any number of workers on any number of machines; whatever goes wrong on the way to the server is
`DatabaseUnavailable`: a clean 503, and a new connection the next time. A unit is a plain function,
so it runs in a greenlet, which waits for the driver where the unit asks for a statement.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy import Executable, Insert
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only, greenlet_spawn

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
from core.database_statements import Plan, Plans

logger = logging.getLogger("service.database")

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10
POOL_WAIT_SECONDS = 5
GOODBYE_SECONDS = 5
# What a server that is lost, hung or unwilling looks like; the fourth, when it is cut off between
# two messages.
AWAY = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    asyncpg.InternalClientError,
    TimeoutError,
)
PLANS = Plans(dialect.dialect())  # type: ignore[no-untyped-call]


def open_engine(url: str, seconds: float | None = None) -> AsyncEngine:
    """SQLAlchemy's engine for whoever needs it whole: migrations and tools.

    asyncpg reads the URL, here as in the service: of two readers, one would not know `sslmode`.
    `seconds`: how long one statement may take.
    """

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=seconds)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        poolclass=NullPool,
        # Statements in an error message could carry what a person typed.
        hide_parameters=True,
    )


class PostgresTransaction:
    """A `Transaction` on one connection; lives in a greenlet."""

    __slots__ = ("_connection", "callbacks", "listeners")

    def __init__(self, connection: Any, listeners: Sequence[Listener] = ()) -> None:
        self._connection, self.listeners = connection, listeners
        self.callbacks: list[AfterCommit] = []

    def execute(self, statement: Executable, values: Mapping[str, Any] = NO_VALUES) -> Rows:
        return self._run(PLANS.of(statement), values)

    def execute_if(self, change: Change, then: Insert, values: Mapping[str, Any]) -> bool:
        # One statement, where BEGIN and COMMIT would make it four.
        plan = PLANS.of_both(change.statement, then)
        return self._run(plan, {**values, **change.values}).rowcount > 0

    def _run(self, plan: Plan, values: Mapping[str, Any]) -> Rows:
        arguments = plan.bind(values)
        try:
            if plan.returns_rows:
                rows = await_only(self._connection.fetch(plan.sql, *arguments))
                return Rows(plan.read(rows), len(rows))
            # "INSERT 0 1", "UPDATE 1": the last word is the number of rows.
            status: str = await_only(self._connection.execute(plan.sql, *arguments))
        except asyncpg.IntegrityConstraintViolationError as error:
            # Its words quote the row.
            raise Conflict(error.constraint_name) from None
        return Rows([], int(status.rpartition(" ")[2]))


class PostgresDatabase:
    """A `Database` over a PostgreSQL server. `check_schema` refuses one that is not up to date."""

    def __init__(
        self, url: str, check_schema: Callable[[AsyncEngine], Awaitable[None]], pool_size: int
    ) -> None:
        self._url, self._check_schema, self._size = url, check_schema, pool_size
        self._pool: asyncpg.Pool | None = None
        self.listeners: list[Listener] = []

    async def start(self) -> None:
        await self._require_schema()
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._size,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            # Units leave no session state behind: nothing to reset, and a round trip saved.
            reset=_nothing,
        )

    async def _require_schema(self) -> None:
        engine = open_engine(self._url, STATEMENT_SECONDS)
        try:
            await self._check_schema(engine)
        finally:
            await engine.dispose()

    async def stop(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await pool.close()
            except TimeoutError:
                # A server that does not answer is not waited for.
                pool.terminate()

    async def read(self, unit: Unit[T]) -> T:
        value, _ = await self._run(_by_itself, unit)
        return value

    async def append(self, unit: Unit[T]) -> T:
        # Two round trips fewer: each statement commits by itself.
        value, callbacks = await self._run(_by_itself, unit)
        notify(callbacks)
        return value

    async def write(self, unit: Unit[T]) -> T:
        value, callbacks = await self._run(_write, unit)
        notify(callbacks)
        return value

    def metrics(self) -> dict[str, int]:
        if self._pool is None:
            return {"pool_size": 0, "pool_checked_out": 0}
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return {"pool_size": size, "pool_checked_out": size - idle}

    async def _run(
        self,
        how: Callable[[Any, Sequence[Listener], Unit[T]], tuple[T, list[AfterCommit]]],
        unit: Unit[T],
    ) -> tuple[T, list[AfterCommit]]:
        if self._pool is None:
            raise DatabaseUnavailable("stopped")
        try:
            async with self._pool.acquire(timeout=POOL_WAIT_SECONDS) as connection:
                return await greenlet_spawn(how, connection, self.listeners, unit)
        except AWAY as error:
            logger.error("transaction failed", exc_info=error)
            raise DatabaseUnavailable(type(error).__name__) from None


def _by_itself(
    connection: Any, listeners: Sequence[Listener], unit: Unit[T]
) -> tuple[T, list[AfterCommit]]:
    tx = PostgresTransaction(connection, listeners)
    return unit(tx), tx.callbacks


def _write(
    connection: Any, listeners: Sequence[Listener], unit: Unit[T]
) -> tuple[T, list[AfterCommit]]:
    tx = PostgresTransaction(connection, listeners)
    await_only(connection.execute("BEGIN"))
    try:
        value = unit(tx)
        # A transaction that has failed is told ROLLBACK, and that is no error to the driver.
        if await_only(connection.execute("COMMIT")) != "COMMIT":
            raise DatabaseUnavailable("the transaction was rolled back")
    except (asyncio.CancelledError, TimeoutError):
        # Where the server stands is not known, and asking would take as long again.
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


async def _nothing(_connection: Any) -> None:
    """Between two units there is nothing to do."""
