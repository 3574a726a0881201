"""One statement run twice: by the service's own execution, and by SQLAlchemy's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable, select

from core.database.compiled_statements import Statement
from core.database.interface import Database, Result, Transaction
from core.database.types import Base
from tests.storage.constructs import Case


class Outcome(NamedTuple):
    """The rows that a statement gave, how many it changed, and the tables afterwards."""

    rows: list[tuple[Any, ...]]
    changed: int | None
    tables: list[list[tuple[Any, ...]]]


class Undo(Exception):
    """Raised by a unit so that nothing of it remains."""


TABLES = [select(table).order_by(*table.primary_key) for table in Base.metadata.sorted_tables]
DUMPS = [Statement(table) for table in TABLES]


def constant(case: Case) -> Callable[[Transaction], Result]:
    return lambda tx: tx.execute(Statement(case.statement), case.values)


def query(statement: Executable) -> Callable[[Transaction], Result]:
    return lambda tx: tx.query(statement)


async def own_outcome(db: Database, run: Callable[[Transaction], Result], changes: bool) -> Outcome:
    """By the service; undone afterwards."""
    found: list[Outcome] = []

    def unit(tx: Transaction) -> None:
        result = run(tx)
        tables = [list(map(tuple, tx.execute(dump))) for dump in DUMPS]
        changed = result.rowcount if changes else None
        found.append(Outcome(list(map(tuple, result)), changed, tables))
        raise Undo

    with suppress(Undo):
        await db.write(unit)
    return found[-1]


def their_outcome(connection: Connection, case: Case, changes: bool) -> Outcome:
    """By SQLAlchemy; undone afterwards."""
    with connection.begin_nested() as undone:
        result = connection.execute(case.statement, case.values or None)
        rows = list(map(tuple, result)) if result.returns_rows else []
        changed = len(rows) if result.returns_rows else result.rowcount
        tables = [list(map(tuple, connection.execute(table))) for table in TABLES]
        undone.rollback()
    return Outcome(rows, changed if changes else None, tables)
