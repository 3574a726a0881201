"""Checks of the tables: are they of this version, and may the service read and write them?"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Executable, Table, delete, false, insert, literal, select, update
from sqlalchemy.exc import DBAPIError

from cli.doctor.findings import Finding, fail, ok
from core.database.schema_version import newest_revision, revision_of
from core.database.types import Base


def check_schema(tx: Connection, fix: str, *, migrates: bool = False) -> Iterator[Finding]:
    found, needed = revision_of(tx), newest_revision()
    if found == needed:
        yield ok(f"the schema is at {needed}, the newest")
        yield from _rights(tx)
    elif migrates and (found is None or found < needed):
        yield ok(f"the schema is at {found or 'nothing'}: the next start brings it to {needed}")
    else:
        yield fail(
            f"the schema is at {found or 'nothing'}, and this version needs {needed}"
            + (f": {fix}" if fix else ": it was made by another version")
        )


def _rights(tx: Connection) -> Iterator[Finding]:
    """Try every kind of statement on every table. No statement touches a row."""
    denied = [
        f"{verb} {table.name}"
        for table in Base.metadata.sorted_tables
        for verb, statement in _statements(table).items()
        if not _may(tx, statement)
    ]
    if denied:
        yield fail(f"the role may not {', '.join(denied)}: see deploy/postgres/roles.sql")
    else:
        yield ok("every table can be read and written")


def _statements(table: Table) -> dict[str, Executable]:
    key = next(iter(table.primary_key))
    nothing = select(table).where(false())
    return {
        "read": select(literal(1)).select_from(table).limit(1),
        "add to": insert(table).from_select([column.name for column in table.columns], nothing),
        "change": update(table).values({key: key}).where(false()),
        "delete from": delete(table).where(false()),
    }


def _may(tx: Connection, statement: Executable) -> bool:
    try:
        with tx.begin_nested():
            tx.execute(statement)
    except DBAPIError:
        return False
    return True
