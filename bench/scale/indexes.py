"""What each index of the audit trail costs: CPU for a row, bytes on the disk. Drops them all."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.scale import rows
from bench.scale.loader import COLUMNS, index_statements
from core.database.sqlite_connection import PRAGMAS

INSERTS, PASSES = 8_000, 4
# A commit of a busy service: eight logins, two rows each.
BATCH = 16


@dataclass(frozen=True)
class IndexCost:
    """CPU in microseconds that a row costs less without it, and its size in bytes."""

    name: str
    microseconds: float
    size: int


def costs(file: Path, people: int) -> list[IndexCost]:
    """Inserts as the service does, then drops one index after the other and inserts again."""
    database = sqlite3.connect(file, isolation_level=None)
    for pragma in PRAGMAS:
        database.execute(pragma).fetchall()
    found = []
    source = _fresh(people)
    before = _insert(database, source)
    for name in index_statements(database, "audit_logs"):
        size = _drop(database, name)
        after = _insert(database, source)
        found.append(IndexCost(name, before - after, size))
        before = after
    database.close()
    return [*found, IndexCost("(the row, without them)", before, 0)]


def _fresh(people: int) -> Iterator[tuple[Any, ...]]:
    """Events of the known people that are in no database yet."""
    for _, *rest in rows.events(100 * PASSES * INSERTS, people):
        yield (str(uuid4()), *rest)


def _insert(database: sqlite3.Connection, source: Iterator[tuple[Any, ...]]) -> float:
    """CPU in microseconds for a row, of the best pass: what others do can only add to it."""
    return min(_pass(database, list(islice(source, INSERTS))) for _ in range(PASSES))


def _pass(database: sqlite3.Connection, waiting: list[tuple[Any, ...]]) -> float:
    columns = COLUMNS["audit_logs"].split()
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO audit_logs ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    started = time.process_time()
    for place in range(0, len(waiting), BATCH):
        database.execute("BEGIN IMMEDIATE")
        database.executemany(statement, waiting[place : place + BATCH])
        database.execute("COMMIT")
    return (time.process_time() - started) * 1e6 / len(waiting)


def _drop(database: sqlite3.Connection, name: str) -> int:
    """Drops an index; how many bytes that freed."""
    before = _free(database)
    database.execute(f"DROP INDEX {name}")
    return _free(database) - before


def _free(database: sqlite3.Connection) -> int:
    pages: int = database.execute("PRAGMA freelist_count").fetchone()[0]
    size: int = database.execute("PRAGMA page_size").fetchone()[0]
    return pages * size
