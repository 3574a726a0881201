"""Copies tables from one database to another, in batches, and compares both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, Table, func, insert, inspect, literal, select, text
from sqlalchemy.exc import SQLAlchemyError

from cli.copy_database.source import broken_links, rows_of
from cli.errors import CommandError
from core.database.schema_version import newest_revision, revision_of

BATCH_ROWS = 1000


@dataclass(frozen=True)
class Copied:
    """The result for one table.

    `checksum`: hexadecimal, of all rows. `emptied`: for each column, the number of links that were
    emptied because the row they named no longer exists.
    """

    table: str
    rows: int
    checksum: str
    emptied: Mapping[str, int]


def copy(source: Connection, target: Connection, tables: Sequence[Table]) -> Iterator[Copied]:
    """Copy `tables` (parents before children) into an empty database, and compare each one.

    Raises CommandError. The caller commits or rolls back.
    """
    _require_newest(source, "the SQLite database")
    _require_newest(target, "the PostgreSQL database")
    _lock(target, tables)
    _require_empty(target, tables)
    for table in tables:
        yield _copy_table(source, target, table)


def foreign_tables(source: Connection, tables: Sequence[Table]) -> list[str]:
    """The names of tables that are in the database and not in the models."""
    known = {"alembic_version", *(table.name for table in tables)}
    return sorted(set(inspect(source).get_table_names()) - known)


def _require_newest(tx: Connection, which: str) -> None:
    found, needed = revision_of(tx), newest_revision()
    if found != needed:
        raise CommandError(
            f"{which} is at revision {found or 'none'}, and this version copies {needed}: "
            "run `alembic upgrade head` on it first"
        )


def _lock(target: Connection, tables: Sequence[Table]) -> None:
    """Lock out other writers from the check that the tables are empty until the commit."""
    names = ", ".join(target.dialect.identifier_preparer.format_table(table) for table in tables)
    target.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def _require_empty(target: Connection, tables: Sequence[Table]) -> None:
    for table in tables:
        if target.execute(select(literal(1)).select_from(table).limit(1)).first():
            raise CommandError(
                f"{table.name} in the PostgreSQL database is not empty: use a new one"
            )


def _copy_table(source: Connection, target: Connection, table: Table) -> Copied:
    emptied = _broken_links(source, table)
    try:
        for batch in _batches(source, rows_of(table)):
            target.execute(insert(table), batch)
        _advance_numbers(target, table)
        wanted = _summary(source, rows_of(table))
        arrived = _summary(target, select(table))
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise CommandError(
            f"{table.name} has a row that PostgreSQL does not accept: {_why(error)}"
        ) from None
    if wanted != arrived:
        raise CommandError(f"{table.name} is not the same on both sides: {wanted} and {arrived}")
    return Copied(table.name, *arrived, emptied)


def _broken_links(source: Connection, table: Table) -> dict[str, int]:
    broken = broken_links(source, table)
    for name, count in broken.items():
        if not table.columns[name].nullable:
            raise CommandError(
                f"{count} rows of {table.name} have a {name} that no longer exists: "
                "delete them, or restore the rows they belong to"
            )
    return broken


def _batches(source: Connection, rows: Select[Any]) -> Iterator[list[dict[str, Any]]]:
    found = source.execute(rows, execution_options={"yield_per": BATCH_ROWS}).mappings()
    while batch := [dict(row) for row in islice(found, BATCH_ROWS)]:
        yield batch


def _advance_numbers(target: Connection, table: Table) -> None:
    """Set the sequence of a table that numbers its rows to the last number that was copied."""
    column = table.autoincrement_column
    if column is None:
        return
    last = target.execute(select(func.max(column))).scalar_one()
    sequence = func.pg_get_serial_sequence(table.name, column.name)
    if last is not None:
        target.execute(select(func.setval(sequence, last)))


def _summary(tx: Connection, rows: Select[Any]) -> tuple[int, str]:
    """The number of rows, and a checksum in hexadecimal.

    The checksum is the sum of the rows' SHA-256 values: it does not depend on the order of the
    rows, because the two databases sort text differently.
    """
    count = total = 0
    for row in tx.execute(rows, execution_options={"yield_per": BATCH_ROWS}):
        count += 1
        digest = hashlib.sha256(repr([_plain(value) for value in row]).encode("utf-8"))
        total = (total + int.from_bytes(digest.digest())) % 2**256
    return count, f"{total:064x}"


def _plain(value: Any) -> Any:
    """The same Python value for the same stored value, whichever driver read it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ", "microseconds")
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def _why(error: Exception) -> str:
    """The type of the first cause. Its text may hold personal data, so it is not shown."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return type(cause).__name__
