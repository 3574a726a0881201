"""Alembic's entry: uses the connection that the service passes, or opens one for the CLI."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, create_engine

from core.database.postgres import open_engine
from core.database.schema_version import belongs_to_the_models
from core.database.types import Base
from core.settings import Settings

# The key of the advisory lock: an arbitrary number that never changes.
MIGRATION_LOCK = 0x70617373


def run(connection: Connection) -> None:
    """Migrate in one transaction, under a lock: a second process waits until it has ended."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # Batch mode rebuilds tables; with foreign keys on, dropping one would delete its children.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
    with connection.begin():
        if sqlite:
            # Python's driver begins no transaction for DDL implicitly.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        # After the transaction has begun: otherwise Alembic commits after each migration on
        # SQLite, and a second process could begin between two of them.
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=sqlite,
            compare_type=True,
            compare_server_default=True,
            include_object=belongs_to_the_models,
        )
        context.run_migrations()


def run_sqlite(url: str) -> None:
    engine = create_engine(url, connect_args={"isolation_level": None})
    with engine.connect() as connection:
        run(connection)
    engine.dispose()


async def run_postgres(url: str) -> None:
    engine = open_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("offline mode is not supported: migrations read the database they change")

given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    settings = Settings.from_environment()
    if settings.uses_sqlite:
        run_sqlite(settings.database_url)
    else:
        asyncio.run(run_postgres(settings.database_url))
