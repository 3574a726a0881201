"""The database: is it there, at this version's schema, and may the service read and write it?"""

from __future__ import annotations

import asyncio
import ipaddress
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import (
    Connection,
    Executable,
    Table,
    create_engine,
    delete,
    false,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from core.config import shown
from core.database.postgres import open_engine
from core.database.schema_version import newest_revision, revision_of
from core.database.types import Base
from devtools.doctor.files import sqlite_file
from devtools.doctor.findings import Finding, Patient, fail, ok, skew, warn

T = TypeVar("T")
PATIENCE_SECONDS = 5
# https://www.postgresql.org/support/versioning/
OLDEST_POSTGRES = 140000
# RETURNING, and UPDATE … FROM: https://www.sqlite.org/lang_returning.html
OLDEST_SQLITE = (3, 35)


def database(patient: Patient) -> Iterator[Finding]:
    """Either kind."""
    url = patient.settings.database_url
    if url.startswith("sqlite:"):
        yield from _sqlite(patient)
    elif url.startswith("postgresql:"):
        try:
            yield from asyncio.run(_on_postgres(url, lambda tx: list(_postgres(patient, tx))))
        except (OSError, DBAPIError, TimeoutError) as error:
            why = _root_of(error)
            yield fail(
                f"{shown(url)} gives no answer ({why}): is it up, are the name, the role "
                "and the password right?"
            )


def _root_of(error: BaseException) -> str:
    """What the server itself said, by its name: beneath SQLAlchemy's and its adapter's errors."""
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__


async def _on_postgres(url: str, work: Callable[[Connection], T]) -> T:
    """Do `work` in a transaction that is rolled back."""
    engine = open_engine(url, PATIENCE_SECONDS)
    async with asyncio.timeout(6 * PATIENCE_SECONDS), engine.connect() as connection:
        found = await connection.run_sync(work)
        await connection.rollback()
        return found


def _postgres(patient: Patient, tx: Connection) -> Iterator[Finding]:
    before = datetime.now(UTC)
    theirs = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
    after = datetime.now(UTC)
    version = int(_show(tx, "server_version_num"))
    if version < OLDEST_POSTGRES:
        yield warn(f"PostgreSQL {_show(tx, 'server_version')} gets no fixes any more: upgrade")
    yield ok(f"{shown(patient.settings.database_url)} answers")
    yield skew((theirs - before - (after - before) / 2).total_seconds(), "the database")
    yield from _durability(tx)
    yield from _role(tx)
    yield from _connections(patient, tx)
    yield from _schema(tx, "run `alembic upgrade head`")


def _show(tx: Connection, name: str) -> str:
    return str(tx.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one())


def _durability(tx: Connection) -> Iterator[Finding]:
    off = [
        name
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if _show(tx, name) == "off"
    ]
    if off:
        yield warn(f"{', '.join(off)} off: answered logins may be lost in a crash; turn it on")
    if _show(tx, "server_encoding") != "UTF8":
        yield fail("the database is not in UTF8: make it with ENCODING 'UTF8'")


def _role(tx: Connection) -> Iterator[Finding]:
    query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    if tx.execute(text(query)).scalar_one():
        yield warn("the service's role is a superuser: give it one as in deploy/postgres/roles.sql")
    query = (
        "SELECT ssl, client_addr FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
        "WHERE pid = pg_backend_pid()"
    )
    encrypted, _ = tx.execute(text(query)).one()
    server = tx.execute(text("SELECT host(inet_server_addr())")).scalar_one()
    if not encrypted and server and ipaddress.ip_address(server).is_global:
        yield fail("the way to the database is not encrypted: add ?ssl=verify-full")


def _connections(patient: Patient, tx: Connection) -> Iterator[Finding]:
    most = int(_show(tx, "max_connections")) - int(_show(tx, "superuser_reserved_connections"))
    wanted = patient.workers * patient.settings.database_pool_size
    if wanted > most:
        yield fail(
            f"{wanted} connections are wanted here and {most} allowed: lower "
            "DATABASE_POOL_SIZE or raise max_connections"
        )
    else:
        yield ok(f"{wanted} connections of {most} are wanted here; count those of all replicas")


def _sqlite(patient: Patient) -> Iterator[Finding]:
    file = sqlite_file(patient.settings)
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        yield fail(f"SQLite {sqlite3.sqlite_version} is too old: take a newer Python")
    if file is None:
        yield fail("DATABASE_URL does not name a file")
        return
    if not file.exists():
        yield ok(f"{file} is not there yet: the first start makes it")
        return
    # mode=rw never makes a database.
    address = f"{file.absolute().as_uri()}?mode=rw"
    engine = create_engine(
        "sqlite://",
        poolclass=NullPool,
        creator=lambda: sqlite3.connect(
            address, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None
        ),
    )
    try:
        with engine.connect() as connection:
            # By hand: Python's driver begins none for a read.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield ok(f"{file} answers")
            yield from _schema(connection, "", migrates=True)
            connection.exec_driver_sql("ROLLBACK")
    except DBAPIError as error:
        why = getattr(error.orig, "sqlite_errorname", type(error).__name__)
        yield fail(
            f"{file} cannot be opened to write ({why}): does the service's user own it and "
            "its folder?"
        )


def _schema(tx: Connection, mend: str, *, migrates: bool = False) -> Iterator[Finding]:
    found, needed = revision_of(tx), newest_revision()
    if found == needed:
        yield ok(f"the schema is at {needed}, the newest")
        yield from _rights(tx)
    elif migrates and (found is None or found < needed):
        yield ok(f"the schema is at {found or 'nothing'}: the next start brings it to {needed}")
    else:
        yield fail(
            f"the schema is at {found or 'nothing'}, and this version needs {needed}"
            + (f": {mend}" if mend else ": it was made by another version")
        )


def _rights(tx: Connection) -> Iterator[Finding]:
    """Whether every table can be read and written; no row is touched, and all is rolled back."""
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
