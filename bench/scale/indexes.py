"""Measures the cost of each audit index: CPU for a row, bytes on disk. Drops all of them."""

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
    """The CPU microseconds that the index adds to a row, and its size in bytes."""

    name: str
    microseconds: float
    size: int


def costs(file: Path, people: int) -> list[IndexCost]:
    """Insert rows as the service does; then drop one index after the other and insert again."""
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
    """New events of the existing people."""
    for _, *rest in rows.events(100 * PASSES * INSERTS, people):
        yield (str(uuid4()), *rest)


def _insert(database: sqlite3.Connection, source: Iterator[tuple[Any, ...]]) -> float:
    """CPU microseconds for a row in the best pass: other load can only add time."""
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
