"""Small units of work over a table of notes, and a way to hold the writer in the middle of one."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from core.database import Unit
from core.sqlite import SqliteDatabase

# Every migrated database has this table; the tests here need no more of it than its key.
INSERT = "INSERT INTO audit_logs (id, event_type, success) VALUES (?, 'note', 1)"
COUNT = "SELECT count(*) FROM audit_logs"


def note(name: str) -> Unit[str]:
    """A unit that writes one row and returns its name."""

    def unit(tx: Connection) -> str:
        tx.exec_driver_sql(INSERT, (name,))
        return name

    return unit


def count(tx: Connection) -> int:
    found: int = tx.exec_driver_sql(COUNT).scalar_one()
    return found


def notes(file: Path) -> set[str]:
    """The rows that a second connection sees: those that are committed."""
    with closing(sqlite3.connect(file, timeout=5)) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM audit_logs")}


class Gate:
    """A unit that stops in its middle until it is let go."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self, _tx: Connection) -> None:
        self.wait()

    def wait(self) -> None:
        self.reached.set()
        assert self._open.wait(10), "nobody opened the gate"

    def open(self) -> None:
        self._open.set()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process, say `sqlite3 app.db`, that has begun to write and does not end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def engine_of(db: SqliteDatabase) -> Engine:
    """For listening to commits: the one thing a test needs of the inside."""
    return db._engine
