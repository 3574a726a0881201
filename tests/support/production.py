"""PostgreSQL and Redis for the tests: a fresh database each, copied from a migrated template."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from alembic.config import main
from redis import Redis
from redis.exceptions import RedisError

from core.database.schema_version import newest_revision
from stores.challenges.redis import PREFIX
from tests.support.workers import own_redis

ROOT = Path(__file__).resolve().parents[2]
SERVER = os.environ.get("TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
# Tests empty this database of Redis, so each process of a run has one of its own.
REDIS = own_redis(os.environ.get("TEST_REDIS", "redis://127.0.0.1:6379/9"))


def is_chosen() -> bool:
    """Whether this run of the suite is on PostgreSQL and Redis (`make test-production`)."""
    return os.environ.get("TEST_BACKEND") == "production"


def missing() -> str | None:
    """What is not there to test with, as a sentence; None if all is."""
    try:
        execute("postgres", "SELECT 1")
        flush_redis()
    except (OSError, RedisError) as error:
        return f"No PostgreSQL and Redis on loopback ({error}): scripts/ensure-services.sh"
    return None


def need_servers() -> None:
    """Where PostgreSQL or Redis can be missing, what needs them is skipped; CI has both."""
    if said := missing():
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)


def execute(database: str, statement: str) -> None:
    """Run one statement outside of any transaction."""

    async def run() -> None:
        connection = await asyncpg.connect(f"{SERVER}/{database}", timeout=10)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def alembic(database: str, *command: str) -> None:
    """Run `alembic COMMAND...` on one database, in this process. Raises SystemExit if it fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr(sys, "path", [*sys.path])
        patch.setenv("DATABASE_URL", f"{SERVER}/{database}")
        main(argv=list(command), prog="alembic")


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
            execute(name, _sweep())
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


@cache
def _sweep() -> str:
    """Empties every table; the revision may be what a test has written there."""
    revision = f"UPDATE alembic_version SET version_num = '{newest_revision()}'"
    return "; ".join([*(f"DELETE FROM {table}" for table in _TABLES), revision])


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


def age_challenges(seconds: float) -> None:
    """Shorten the life of every challenge in Redis by so much: what is over is gone."""
    with Redis.from_url(REDIS) as redis:
        for key in redis.scan_iter(f"{PREFIX}*"):
            left = cast(int, redis.pttl(key))
            redis.pexpire(key, left - round(1000 * seconds))


def count_challenges() -> int:
    """How many challenges wait in Redis."""
    with Redis.from_url(REDIS) as redis:
        return sum(1 for _ in redis.scan_iter(f"{PREFIX}*"))


def _shown(value: Any) -> Any:
    """Moments as SQLite keeps them, so that one test can judge both."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


def rows(database: str, query: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
    """What psql would print, as dictionaries; `?` marks a value, as in SQLite."""
    for number in range(1, len(values) + 1):
        query = query.replace("?", f"${number}", 1)

    async def run() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(f"{SERVER}/{database}", timeout=10)
        try:
            found = await connection.fetch(query, *values)
            return [{name: _shown(value) for name, value in row.items()} for row in found]
        finally:
            await connection.close()

    return asyncio.run(run())
