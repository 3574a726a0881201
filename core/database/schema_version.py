"""The schema's version: SQLite is migrated at start, PostgreSQL must have been migrated before."""

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
# Only PostgreSQL has these; stores/outbox.py says why.
POSTGRESQL_ONLY = {"position", "ix_audit_logs_position"}


def belongs_to_the_models(
    _item: object, name: str | None, _kind: str, reflected: bool, model: object
) -> bool:
    """Whether Alembic's autogenerate compares this item: all but those of POSTGRESQL_ONLY."""
    return not (reflected and model is None and name in POSTGRESQL_ONLY)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(engine: Engine) -> None:
    """Apply the migrations that `engine`'s database still lacks. Call it at every start."""
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@cache
def newest_revision() -> str:
    """The revision that this version of the service needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    # migrations/versions is never empty.
    assert head is not None  # noqa: S101
    return head


def revision_of(connection: Connection) -> str | None:
    """The revision of a database; None if it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def revision_in(tx: Transaction) -> str | None:
    """The same, in a transaction of the service."""
    found: str | None = tx.execute(_REVISION).scalar()
    return found


async def require_newest(engine: AsyncEngine) -> None:
    """Raise ConfigurationError, with the command to run, unless the schema is at the newest."""
    async with engine.connect() as connection:
        found = await connection.run_sync(revision_of)
    if found != newest_revision():
        raise ConfigurationError(
            f"The database schema is at {found or 'nothing'}, and this version needs "
            f"{newest_revision()}: run `alembic upgrade head`"
        )
