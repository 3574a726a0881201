"""Checks of the database that DATABASE_URL names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cli.doctor.findings import Finding, Installation, fail, ok
from cli.doctor.postgres import check_postgres
from cli.doctor.schema import check_schema
from core.settings.sources import sqlite_file

LOCK_TIMEOUT_SECONDS = 5
# For RETURNING, and UPDATE … FROM: https://www.sqlite.org/lang_returning.html
OLDEST_SQLITE = (3, 35)


def database(installation: Installation) -> Iterator[Finding]:
    """All checks of the database, of either kind."""
    if installation.settings.uses_sqlite:
        yield from _sqlite(installation)
    elif installation.settings.database_url.startswith("postgresql:"):
        yield from check_postgres(installation)


def _sqlite(installation: Installation) -> Iterator[Finding]:
    file = sqlite_file(installation.settings.database_url)
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        yield fail(f"SQLite {sqlite3.sqlite_version} is too old: take a newer Python")
    if file is None:
        yield fail("DATABASE_URL does not name a file")
        return
    if not file.exists():
        yield ok(f"{file} does not exist yet: the first start creates it")
        return
    # mode=rw never creates a database.
    address = f"{file.absolute().as_uri()}?mode=rw"
    engine = create_engine(
        "sqlite://",
        poolclass=NullPool,
        creator=lambda: sqlite3.connect(
            address, uri=True, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None
        ),
    )
    try:
        with engine.connect() as connection:
            # Python's driver begins no transaction before a read.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield ok(f"{file} answers")
            yield from check_schema(connection, "", migrates=True)
            connection.exec_driver_sql("ROLLBACK")
    except DBAPIError as error:
        why = getattr(error.orig, "sqlite_errorname", type(error).__name__)
        yield fail(
            f"{file} cannot be opened to write ({why}): does the service's user own it and "
            "its folder?"
        )
