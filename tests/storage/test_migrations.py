"""Migrations: from nothing to the models, back, and again; and two processes at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from core.database.schema_version import MIGRATIONS, upgrade
from core.database.types import Base
from tests.support import revisions


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = create_engine(
        f"sqlite:///{tmp_path}/app.db",
        poolclass=NullPool,
        connect_args={"isolation_level": None},
    )
    yield found
    found.dispose()


def alembic(engine: Engine, action: Callable[[Config], None]) -> None:
    """One command of Alembic's, on the connection that the service would hand over."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        action(config)


def schema(file: Path) -> list[tuple[str, str]]:
    """Every statement that made the database, but for Alembic's own table."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name"
    with closing(sqlite3.connect(file)) as connection:
        return [row for row in connection.execute(query) if row[0] != "alembic_version"]


def test_the_migrations_lead_to_the_models(engine: Engine) -> None:
    """Nothing that `alembic revision --autogenerate` would still have to do."""
    upgrade(engine)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_the_models_alone_make_the_same_tables(engine: Engine, tmp_path: Path) -> None:
    """Columns, in their order, with types, defaults and whether they may be null."""
    upgrade(engine)
    direct = create_engine(f"sqlite:///{tmp_path}/direct.db", poolclass=NullPool)
    Base.metadata.create_all(direct)
    direct.dispose()

    def tables(file: Path) -> dict[str, list[tuple[object, ...]]]:
        with closing(sqlite3.connect(file)) as connection:
            return {
                name: connection.execute(f"PRAGMA table_info({name})").fetchall()
                for name in Base.metadata.tables
            }

    assert tables(tmp_path / "app.db") == tables(tmp_path / "direct.db")


def test_an_upgrade_of_what_is_new_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    """It runs at every start."""
    upgrade(engine)
    before = schema(tmp_path / "app.db")
    upgrade(engine)
    assert schema(tmp_path / "app.db") == before


def test_a_downgrade_leaves_nothing_and_can_be_undone(engine: Engine, tmp_path: Path) -> None:
    """All the way down, and up again to the same schema."""
    upgrade(engine)
    before = schema(tmp_path / "app.db")
    alembic(engine, lambda config: command.downgrade(config, "base"))
    assert schema(tmp_path / "app.db") == []
    upgrade(engine)
    assert schema(tmp_path / "app.db") == before


def test_every_step_down_can_be_undone(engine: Engine, tmp_path: Path) -> None:
    """Revision by revision, from the newest to the first."""
    upgrade(engine)
    script = ScriptDirectory(str(MIGRATIONS))
    for revision in list(script.walk_revisions()):
        before = schema(tmp_path / "app.db")
        alembic(engine, lambda config: command.downgrade(config, "-1"))
        target = revision.revision
        alembic(engine, lambda config, to=target: command.upgrade(config, to))  # type: ignore[misc]
        assert schema(tmp_path / "app.db") == before
        alembic(engine, lambda config: command.downgrade(config, "-1"))


def fill(file: Path) -> list[list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(file)) as connection:
        for statement in revisions.insertions(lambda digits: f"X'{digits}'"):
            connection.execute(statement)
        connection.commit()
    return contents(file)


def contents(file: Path) -> list[list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(file)) as connection:
        return [connection.execute(query).fetchall() for query in revisions.queries()]


def test_rows_of_the_first_revision_survive_every_step_up(engine: Engine, tmp_path: Path) -> None:
    """Rows of the first release are the same, byte for byte, under the newest schema."""
    file = tmp_path / "app.db"
    alembic(engine, lambda config: command.upgrade(config, revisions.FIRST))
    before = fill(file)
    assert [len(rows) for rows in before] == [3, 3, 100]
    for revision in revisions.revisions()[1:]:
        alembic(engine, lambda config, to=revision: command.upgrade(config, to))  # type: ignore[misc]
        assert contents(file) == before
    # What the service does at its start.
    upgrade(engine)
    assert contents(file) == before
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_rows_survive_the_way_back_to_the_first_revision(engine: Engine, tmp_path: Path) -> None:
    """After a downgrade the rows of the first release are still there."""
    alembic(engine, lambda config: command.upgrade(config, revisions.FIRST))
    before = fill(tmp_path / "app.db")
    upgrade(engine)
    alembic(engine, lambda config: command.downgrade(config, revisions.FIRST))
    assert contents(tmp_path / "app.db") == before


def test_there_is_one_newest_revision() -> None:
    """With two heads the service would not start."""
    assert len(ScriptDirectory(str(MIGRATIONS)).get_heads()) == 1


def test_rows_survive_an_upgrade_at_the_next_start(engine: Engine, tmp_path: Path) -> None:
    """A restart keeps the rows."""
    upgrade(engine)
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute(
            "INSERT INTO audit_logs (id, event_type, success) VALUES ('1', 'login_begin', 1)"
        )
        connection.commit()
    upgrade(engine)
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        assert connection.execute("SELECT count(*) FROM audit_logs").fetchone() == (1,)
