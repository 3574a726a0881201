"""The SQLite database that is copied: opened for us alone, and read as the models say."""

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


class Refusal(Exception):
    """Why nothing was copied, in one sentence."""


@contextmanager
def opened(file: Path, *, shared: bool) -> Iterator[Connection]:
    """A transaction on the database in `file`, which nobody else has open while it lasts.

    `shared`: others may go on, and what they write from now on is not seen. Raises Refusal.
    """
    if not file.is_file():
        raise Refusal(f"{file} is not there")
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
        # With a write-ahead log this needs that no other connection is there, even an idle one.
        statements = ["PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE"]
    try:
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    except DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Refusal(
                f"{file} is open elsewhere: stop the service first, or what it still writes is "
                "lost (--force copies what is there now)"
            ) from None
        raise Refusal(f"{file} cannot be read as an SQLite database") from None


def rows_of(table: Table) -> Select[Any]:
    """Every row of `table`; a link to a row that is gone is empty, as the foreign key demands.

    SQLite lets people break links by hand, and PostgreSQL takes no broken one.
    """
    return select().add_columns(*map(_sound, table.columns))


def _sound(column: Column[object]) -> ColumnElement[object]:
    parent = _parent_of(column)
    if parent is None or not column.nullable:
        return column
    kept = case((exists().where(parent == column).correlate(column.table), column), else_=null())
    return type_coerce(kept, column.type).label(column.name)


def _parent_of(column: Column[object]) -> ColumnElement[object] | None:
    for key in column.foreign_keys:
        # Under another name: a table may link to itself.
        parent = key.column.table.alias()
        return parent.columns[key.column.name]
    return None


def broken_links(tx: Connection, table: Table) -> dict[str, int]:
    """How many rows of `table` link to a row that is gone, by column."""
    found = {}
    for column in table.columns:
        parent = _parent_of(column)
        if parent is not None:
            gone = ~exists().where(parent == column).correlate(table)
            count = select(func.count()).select_from(table).where(column.is_not(None), gone)
            found[column.name] = tx.execute(count).scalar_one()
    return {name: count for name, count in found.items() if count}
