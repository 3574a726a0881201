"""The SQLite database that is copied, and the statements that read its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    case,
    create_engine,
    exists,
    func,
    null,
    select,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cli.errors import CommandError


@contextmanager
def open_source(file: Path, *, shared: bool) -> Iterator[Connection]:
    """A transaction on the SQLite database in `file`, rolled back at the end.

    No other process can open the database meanwhile. With `shared` others may use it, and the
    transaction does not see what they write after its begin. Raises CommandError.
    """
    if not file.is_file():
        raise CommandError(f"{file} does not exist")
    address = f"{file.absolute().as_uri()}?mode=rw"
    engine = create_engine(
        "sqlite://",
        poolclass=NullPool,
        hide_parameters=True,
        creator=lambda: sqlite3.connect(address, uri=True, timeout=0, isolation_level=None),
    )
    with engine.connect() as connection:
        _begin(connection, file, shared=shared)
        yield connection
        connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


def _begin(connection: Connection, file: Path, *, shared: bool) -> None:
    statements = ["PRAGMA query_only=ON", "BEGIN"]
    if not shared:
        # With a write-ahead log this fails if any other connection exists, even an idle one.
        statements = ["PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE"]
    try:
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    except DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise CommandError(
                f"{file} is open in another process: stop the service first, or you lose what it "
                "still writes (--force copies what is there now)"
            ) from None
        raise CommandError(f"{file} cannot be read as an SQLite database") from None


def rows_of(table: Table) -> Select[Any]:
    """Select every row of `table`. A nullable link to a row that no longer exists is read as NULL.

    The sqlite3 shell does not enforce foreign keys, so people can break links; PostgreSQL accepts
    no broken link.
    """
    return select().add_columns(*map(_without_broken_link, table.columns))


def _without_broken_link(column: Column[object]) -> ColumnElement[object]:
    parent = _parent_of(column)
    if parent is None or not column.nullable:
        return column
    kept = case((exists().where(parent == column).correlate(column.table), column), else_=null())
    return type_coerce(kept, column.type).label(column.name)


def _parent_of(column: Column[object]) -> ColumnElement[object] | None:
    for key in column.foreign_keys:
        # An alias, because a table may link to itself.
        parent = key.column.table.alias()
        return parent.columns[key.column.name]
    return None


def broken_links(tx: Connection, table: Table) -> dict[str, int]:
    """For each column, the number of rows of `table` whose link names a row that does not exist."""
    found = {}
    for column in table.columns:
        parent = _parent_of(column)
        if parent is not None:
            gone = ~exists().where(parent == column).correlate(table)
            count = select(func.count()).select_from(table).where(column.is_not(None), gone)
            found[column.name] = tx.execute(count).scalar_one()
    return {name: count for name, count in found.items() if count}
