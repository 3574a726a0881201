"""Migrations on PostgreSQL: each step up and down, with rows in the tables, and two at once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from core.database.postgres import open_engine
from core.database.schema_version import belongs_to_the_models
from core.database.types import Base
from tests.support import production, revisions
from tests.support.production import ROOT, SERVER, alembic, execute, rows

AT_ONCE = 4
# That of migrations/env.py, which only Alembic can import.
LOCK = 0x70617373
SCHEMA = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default "
    "FROM information_schema.columns WHERE table_schema = 'public' "
    "AND table_name <> 'alembic_version' ORDER BY 1, 2",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
    "AND tablename <> 'alembic_version' ORDER BY 2",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace "
    "AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2",
)


@pytest.fixture
def empty() -> Iterator[str]:
    """The name of a database that has never been migrated."""
    name = f"passkeys_empty_{uuid.uuid4().hex}"
    execute("postgres", f"CREATE DATABASE {name}")
    yield name
    production.drop_database(name)


def schema(database: str) -> list[list[dict[str, Any]]]:
    """Columns, indexes and constraints, in words."""
    return [rows(database, query, ()) for query in SCHEMA]


def contents(database: str) -> list[list[dict[str, Any]]]:
    return [rows(database, query, ()) for query in revisions.queries()]


def fill(database: str) -> list[list[dict[str, Any]]]:
    statements = revisions.insertions(lambda digits: f"'\\x{digits}'::bytea")
    execute(database, "; ".join(statements))
    return contents(database)


def test_every_step_down_can_be_undone(empty: str) -> None:
    """Revision by revision, from the newest to nothing; each leads back to the same schema."""
    alembic(empty, "upgrade", "head")
    for revision in reversed(revisions.revisions()):
        before = schema(empty)
        alembic(empty, "downgrade", "-1")
        assert schema(empty) != before
        alembic(empty, "upgrade", revision)
        assert schema(empty) == before
        alembic(empty, "downgrade", "-1")
    assert schema(empty) == [[], [], []]


def test_rows_of_the_first_revision_survive_every_step_up(empty: str) -> None:
    """Rows of the first release are the same under the newest schema."""
    alembic(empty, "upgrade", revisions.FIRST)
    before = fill(empty)
    assert [len(found) for found in before] == [3, 3, 100]
    for revision in revisions.revisions()[1:]:
        alembic(empty, "upgrade", revision)
        assert contents(empty) == before
    alembic(empty, "upgrade", "head")
    assert contents(empty) == before


def test_rows_survive_the_way_back_to_the_first_revision(empty: str) -> None:
    """After a downgrade the rows of the first release are still there."""
    alembic(empty, "upgrade", revisions.FIRST)
    before = fill(empty)
    alembic(empty, "upgrade", "head")
    alembic(empty, "downgrade", revisions.FIRST)
    assert contents(empty) == before


def differences(connection: Connection) -> list[Any]:
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": belongs_to_the_models,
    }
    return list(
        compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    )


async def _differences(database: str) -> list[Any]:
    engine = open_engine(f"{SERVER}/{database}")
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    return found


def test_the_migrations_lead_to_the_models(empty: str) -> None:
    """Nothing that `alembic revision --autogenerate` would still have to do on PostgreSQL."""
    alembic(empty, "upgrade", "head")
    assert asyncio.run(_differences(empty)) == []


def start_upgrade(database: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"{SERVER}/{database}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def gate(database: str) -> Iterator[Callable[[int], None]]:
    """Hold the migrations' lock. The function given waits until so many processes wait for it."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(f"{SERVER}/{database}"))
    query = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )

    def wait_for(many: int) -> None:
        deadline = time.monotonic() + 60
        while loop.run_until_complete(connection.fetchval(query)) < many:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    try:
        loop.run_until_complete(connection.execute(f"SELECT pg_advisory_lock({LOCK})"))
        yield wait_for
    finally:
        loop.run_until_complete(connection.close())
        loop.close()


def test_upgrades_that_start_at_once_all_succeed(empty: str) -> None:
    """Replicas that start together: one migrates, the others wait for it."""
    with gate(empty) as wait_for:
        started = [start_upgrade(empty) for _ in range(AT_ONCE)]
        wait_for(AT_ONCE)
        assert schema(empty) == [[], [], []]
    outcomes = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * AT_ONCE, outcomes
    newest = [{"version_num": revisions.revisions()[-1]}]
    assert rows(empty, "SELECT version_num FROM alembic_version", ()) == newest


def test_upgrades_that_start_at_once_on_rows_all_succeed(empty: str) -> None:
    """From the first revision, with rows in it: none is lost and none is there twice."""
    alembic(empty, "upgrade", revisions.FIRST)
    before = fill(empty)
    with gate(empty) as wait_for:
        started = [start_upgrade(empty) for _ in range(2)]
        wait_for(2)
    assert [process.wait(60) for process in started] == [0, 0]
    for process in started:
        process.communicate()
    assert contents(empty) == before
