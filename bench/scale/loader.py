"""Fills a database of any size, in big transactions and without durability."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from bench.scale import rows
from core.database.schema_version import upgrade

BATCH = 100_000
COLUMNS = {
    "users": "id first_name last_name email email_typed date_of_birth job_title role disabled "
    "created_at",
    "webauthn_credentials": "id user_id credential_id public_key sign_count transports aaguid "
    "backup_eligible backed_up user_verified created_at last_used_at",
    "audit_logs": "id event_type user_email user_id subject_email subject_id ip_address "
    "user_agent success reason details request_id created_at",
}
# If the machine stops, the file is simply made again.
NOT_DURABLE = (
    "PRAGMA journal_mode=OFF",
    "PRAGMA synchronous=OFF",
    "PRAGMA foreign_keys=OFF",
    "PRAGMA cache_size=-262144",
    "PRAGMA temp_store=FILE",
    "PRAGMA locking_mode=EXCLUSIVE",
)


def create(file: Path, people: int, audit_rows: int) -> None:
    """A migrated database with this many users (a passkey each) and rows of the trail."""
    engine = create_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    with _connection(file) as database, _without_indexes(database):
        _fill(database, "users", rows.users(people))
        _fill(database, "webauthn_credentials", rows.passkeys(people))
        _fill(database, "audit_logs", rows.events(audit_rows, people))


@contextmanager
def _connection(file: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(file, isolation_level=None)
    for pragma in NOT_DURABLE:
        database.execute(pragma).fetchall()
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _without_indexes(database: sqlite3.Connection) -> Iterator[None]:
    """Drop the indexes and build them at the end, which is several times as fast."""
    made = index_statements(database)
    for name in made:
        database.execute(f"DROP INDEX {name}")
    yield
    for statement in made.values():
        database.execute(statement)


def index_statements(database: sqlite3.Connection, table: str = "%") -> dict[str, str]:
    """The indexes that were created by name, with the statements that created them."""
    query = "SELECT name, sql FROM sqlite_master WHERE type='index' AND sql NOT NULL"
    return dict(database.execute(f"{query} AND tbl_name LIKE ?", (table,)).fetchall())


def _fill(database: sqlite3.Connection, table: str, source: Iterable[tuple[Any, ...]]) -> None:
    columns = COLUMNS[table].split()
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    waiting = iter(source)
    while batch := list(islice(waiting, BATCH)):
        database.execute("BEGIN")
        database.executemany(statement, batch)
        database.execute("COMMIT")
