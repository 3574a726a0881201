"""PostgreSQL and Redis for the tests: a fresh database each, copied from a migrated template."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
from redis import Redis

ROOT = Path(__file__).resolve().parents[2]
SERVER = os.environ.get("TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
REDIS = os.environ.get("TEST_REDIS", "redis://127.0.0.1:6379/9")


def is_chosen() -> bool:
    """Whether this run of the suite is on PostgreSQL and Redis (`make test-production`)."""
    return os.environ.get("TEST_BACKEND") == "production"


def execute(database: str, statement: str) -> None:
    """Run one statement outside of any transaction."""

    async def run() -> None:
        connection = await asyncpg.connect(f"{SERVER}/{database}", timeout=10)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def alembic(database: str, *command: str) -> subprocess.CompletedProcess[str]:
    """What an operator types, against one database."""
    return subprocess.run(
        [sys.executable, "-m", "alembic", *command],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"{SERVER}/{database}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


@cache
def template() -> str:
    """A migrated, empty database; one for the whole run."""
    name = f"passkeys_template_{uuid.uuid4().hex}"
    execute("postgres", f"CREATE DATABASE {name}")
    alembic(name, "upgrade", "head")
    return name


_FREE: list[str] = []
_TABLES = ("audit_sinks", "audit_logs", "webauthn_credentials", "users")


def take_database() -> str:
    """A database with the newest schema and nothing in it: a used one, swept, or a new one."""
    while _FREE:
        name = _FREE.pop()
        try:
            execute(name, "; ".join(f"DELETE FROM {table}" for table in _TABLES))
        except asyncpg.UndefinedTableError:
            # A test has broken it.
            drop_database(name)
        else:
            return name
    name = f"passkeys_{uuid.uuid4().hex}"
    execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template()}")
    # Not what is tested here, and most of a test's time.
    execute("postgres", f"ALTER DATABASE {name} SET synchronous_commit = off")
    return name


def give_back(name: str) -> None:
    """The test is over: the next one may have its database."""
    _FREE.append(name)


def drop_database(name: str) -> None:
    execute("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def drop_all() -> None:
    """At the end of the run: leave the server as it was."""
    for name in _FREE:
        drop_database(name)
    if template.cache_info().currsize:
        drop_database(template())


def flush_redis() -> None:
    """Counters and challenges of the test before are none of this one's."""
    with Redis.from_url(REDIS) as redis:
        redis.flushdb()


def rows(database: str, query: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
    """What psql would print, as dictionaries; `?` marks a value, as in SQLite."""
    for number in range(1, len(values) + 1):
        query = query.replace("?", f"${number}", 1)

    async def run() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(f"{SERVER}/{database}", timeout=10)
        try:
            return [dict(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    return asyncio.run(run())
