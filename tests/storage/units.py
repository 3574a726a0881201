"""Small units over the table `audit_logs`, and a way to hold the writer at its commit."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import bindparam, func, insert, select

from core.database.compiled_statements import Statement
from core.database.interface import Transaction, Unit
from core.database.sqlite import SqliteDatabase
from models import AuditLog

T = TypeVar("T")

# Every migrated database has this table; the tests here need no more of it than its key.
INSERT = Statement(
    insert(AuditLog).values(
        id=bindparam("id"), event_type="note", success=1, details=bindparam("details", None)
    )
)
COUNT = Statement(select(func.count()).select_from(AuditLog))


def run(db: SqliteDatabase, work: Callable[[], Awaitable[T]]) -> T:
    """The result of `work`, which runs while `db` is open."""

    async def live() -> T:
        await db.start()
        try:
            return await work()
        finally:
            await db.stop()

    return asyncio.run(live())


def note(name: str) -> Unit[str]:
    """A unit that writes one row and returns its name."""

    def unit(tx: Transaction) -> str:
        tx.execute(INSERT, {"id": name})
        return name

    return unit


def count(tx: Transaction) -> int:
    found: int = tx.execute(COUNT).scalar()
    return found


def notes(file: Path) -> set[str]:
    """The ids of the committed rows, as a second connection sees them."""
    with closing(sqlite3.connect(file, timeout=5)) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM audit_logs")}


class Gate:
    """Blocks a thread in `wait` until another calls `open`."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def wait(self) -> None:
        self.reached.set()
        assert self._open.wait(10), "nobody opened the gate"

    def open(self) -> None:
        self._open.set()


def before_each_commit(db: SqliteDatabase, act: Callable[[], Any]) -> None:
    """Have `act` called in the thread that commits, each time before it does."""
    commit = db._writer._commit

    def act_and_commit(connection: sqlite3.Connection) -> None:
        act()
        commit(connection)

    db._writer._commit = act_and_commit  # type: ignore[method-assign]


async def held(db: SqliteDatabase, gate: Gate) -> asyncio.Task[str]:
    """Start a write that stays at its commit until `gate` is opened."""
    before_each_commit(db, gate.wait)
    task = asyncio.create_task(db.write(note("held")))
    await asyncio.to_thread(gate.reached.wait, 10)
    return task


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the write lock, as another process such as `sqlite3 app.db` would."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
