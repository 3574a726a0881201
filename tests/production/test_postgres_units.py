"""Units of work on PostgreSQL that are cancelled, rolled back, or get no connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import pytest
from sqlalchemy import bindparam, func, insert, select

from core.database.compiled_statements import Statement
from core.database.interface import Conflict, Transaction
from core.database.postgres import PostgresDatabase
from core.database.schema_version import require_newest
from core.errors import Unavailable
from models import AuditLog

T = TypeVar("T")
INSERT = Statement(insert(AuditLog).values(id=bindparam("id"), event_type="note", success=1))
COUNT = Statement(select(func.count()).select_from(AuditLog))
SLEEP = Statement(select(func.pg_sleep(30)))


def note(name: str) -> Callable[[Transaction], None]:
    """A unit that writes one row."""

    def unit(tx: Transaction) -> None:
        tx.execute(INSERT, {"id": name})

    return unit


def count(tx: Transaction) -> int:
    found: int = tx.execute(COUNT).scalar()
    return found


def on_one_connection(url: str, work: Callable[[PostgresDatabase], Awaitable[T]]) -> T:
    """What `work` gives on a database with a pool of one connection."""

    async def live() -> T:
        db = PostgresDatabase(url, require_newest, pool_size=1)
        await db.start()
        try:
            return await work(db)
        finally:
            await db.stop()

    return asyncio.run(live())


async def asleep(url: str) -> None:
    """Return once PostgreSQL runs SLEEP in this database."""
    connection = await asyncpg.connect(url)
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
    )
    try:
        for _ in range(500):
            if await connection.fetchval(query):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the statement has not begun")
    finally:
        await connection.close()


def server_process(tx: Transaction) -> int:
    """The process of the server that serves this connection: another one, another connection."""
    found: int = tx.query(select(func.pg_backend_pid())).scalar()
    return found


def test_a_unit_that_is_cancelled_ends_its_connection(database: str) -> None:
    """Nothing of it is committed, and a server that hangs is not asked to roll back."""

    def unit(tx: Transaction) -> None:
        note("cancelled")(tx)
        tx.execute(SLEEP)

    async def work(db: PostgresDatabase) -> int:
        before = await db.read(server_process)
        task = asyncio.create_task(db.write(unit))
        await asleep(database)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await db.read(server_process) != before
        await db.write(note("next"))
        return await db.read(count)

    assert on_one_connection(database, work) == 1


def test_a_commit_that_the_server_turns_into_a_rollback_is_unavailable(database: str) -> None:
    """PostgreSQL answers COMMIT with ROLLBACK after a statement that failed: nothing was kept."""

    def unit(tx: Transaction) -> str:
        note("once")(tx)
        try:
            note("once")(tx)
        except Conflict:
            return "said to be written"
        raise AssertionError("no conflict")

    async def work(db: PostgresDatabase) -> int:
        with pytest.raises(Unavailable):
            await db.write(unit)
        return await db.read(count)

    assert on_one_connection(database, work) == 0


def test_a_connection_is_waited_for_five_seconds(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time that is asked for is the documented one; the test itself waits less."""
    asked: list[float | None] = []
    acquire = asyncpg.Pool.acquire

    def noted(pool: Any, *, timeout: float | None = None) -> Any:
        asked.append(timeout)
        return acquire(pool, timeout=0.1)

    async def work(db: PostgresDatabase) -> None:
        holder = asyncio.create_task(db.read(lambda tx: tx.execute(SLEEP)))
        await asleep(database)
        monkeypatch.setattr(asyncpg.Pool, "acquire", noted)
        with pytest.raises(Unavailable):
            await db.read(count)
        holder.cancel()
        await asyncio.gather(holder, return_exceptions=True)

    on_one_connection(database, work)
    assert asked == [5]
