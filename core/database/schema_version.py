"""The schema: brought up to date on SQLite, demanded to be so on PostgreSQL."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Text, column, select, table
from sqlalchemy.ext.asyncio import AsyncEngine

from core.database.compiled_statements import Statement
from core.database.interface import Transaction
from core.errors import ConfigurationError

_REVISION = Statement(select(column("version_num", Text)).select_from(table("alembic_version")))
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# What only PostgreSQL needs for the order of shipping, see stores/outbox.py.
POSTGRESQL_ONLY = {"position", "ix_audit_logs_position"}


def belongs_to_the_models(
    _item: object, name: str | None, _kind: str, reflected: bool, model: object
) -> bool:
    """Whether autogenerate compares this: not what the models leave to PostgreSQL alone."""
    return not (reflected and model is None and name in POSTGRESQL_ONLY)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(engine: Engine) -> None:
    """Apply every migration that `engine`'s database has not seen. Safe to call at every start."""
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@cache
def newest_revision() -> str:
    """The revision that this version of the service works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    # There is always a first migration.
    assert head is not None  # noqa: S101
    return head


def revision_of(connection: Connection) -> str | None:
    """The revision a database is at; None if it has never been migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def revision_in(tx: Transaction) -> str | None:
    """The same, for a database that the service has open."""
    found: str | None = tx.execute(_REVISION).scalar()
    return found


async def require_newest(engine: AsyncEngine) -> None:
    """Refuse a database that is behind or ahead. Raises ConfigurationError, with the command."""
    async with engine.connect() as connection:
        found = await connection.run_sync(revision_of)
    if found != newest_revision():
        raise ConfigurationError(
            f"The database schema is at {found or 'nothing'}, and this version needs "
            f"{newest_revision()}: run `alembic upgrade head`"
        )
