"""Alembic's entry: runs on the connection the service hands over, or opens its own for the CLI."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from core.config import Settings
from models import Base


def run(connection: Connection) -> None:
    """Migrate in one transaction that no second process can enter meanwhile."""
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        compare_type=True,
        compare_server_default=True,
    )
    if sqlite:
        # Batch mode rebuilds tables; with foreign keys on, dropping one would delete its children.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
    with connection.begin():
        if sqlite:
            # Python's driver begins no transaction for DDL by itself.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("offline mode is not supported: migrations read the database they change")

given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = create_engine(
        Settings.from_environment().database_url, connect_args={"isolation_level": None}
    )
    with engine.connect() as opened:
        run(opened)
    engine.dispose()
