"""`python -m cli doctor` on a real PostgreSQL and a real Redis."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from cli.doctor.command import diagnose
from tests.support import production
from tests.support.process import free_port

SECRETS = {"JWT_SECRET": "0123456789abcdef" * 4, "DECOY_SECRET": "fedcba9876543210" * 4}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def report(level: str = "", **environment: str) -> str:
    findings = list(diagnose({**SECRETS, **environment}, workers=2))
    return "\n".join(found.line() for found in findings if level in ("", found.level))


def test_a_migrated_database_and_a_redis_are_well(database: str) -> None:
    """Several workers may share them."""
    found = report(DATABASE_URL=database, REDIS_URL=production.REDIS)
    assert not re.search("^fail", found, re.MULTILINE), found
    for word in (
        "every table can be read and written",
        "the clock agrees with that of the database",
        "a challenge is stored, and can be used once",
        "the clock agrees with that of Redis",
        "20 connections of",
    ):
        assert word in found


def test_the_checks_leave_no_row_and_no_key(database: str) -> None:
    with Redis.from_url(production.REDIS) as redis:
        before = redis.dbsize()
        report(DATABASE_URL=database, REDIS_URL=production.REDIS)
        assert redis.dbsize() == before
    name = database.rpartition("/")[2]
    for table in ("users", "webauthn_credentials", "audit_logs"):
        assert production.rows(name, f"SELECT count(*) FROM {table}", ()) == [{"count": 0}]


def test_a_superuser_and_an_unsafe_commit_are_reported(database: str) -> None:
    """The databases of the tests have both."""
    warnings = report("warn", DATABASE_URL=database, REDIS_URL=production.REDIS)
    assert "superuser" in warnings
    assert "synchronous_commit off" in warnings


def test_a_database_that_was_not_migrated_is_a_failure() -> None:
    failures = report("fail", DATABASE_URL=f"{production.SERVER}/postgres")
    assert "the schema is at nothing" in failures
    assert "alembic upgrade head" in failures


def test_a_missing_database_is_a_failure_that_hides_the_password() -> None:
    url = f"{production.SERVER}/nowhere_at_all".replace("postgres@", "postgres:hunter2@")
    failures = report("fail", DATABASE_URL=url)
    assert "/nowhere_at_all gives no answer (InvalidCatalogNameError)" in failures
    assert "hunter2" not in failures


@pytest.fixture
def reader(database: str) -> Iterator[str]:
    """The URL of a role that may read some tables and write none."""
    role, name = f"reader_{uuid.uuid4().hex}", database.rpartition("/")[2]
    production.execute(name, f"CREATE ROLE {role} LOGIN")
    production.execute(name, f"GRANT SELECT ON users, alembic_version TO {role}")
    yield database.replace("postgres@", f"{role}@")
    production.execute(name, f"DROP OWNED BY {role}")
    production.execute(name, f"DROP ROLE {role}")


def test_a_role_without_rights_is_told_which(reader: str) -> None:
    """Each right that is missing is named, and none that the role has."""
    failures = report("fail", DATABASE_URL=reader)
    assert "read audit_logs" in failures
    assert "add to users" in failures
    assert "delete from webauthn_credentials" in failures
    assert "read users" not in failures
    assert "superuser" not in report(DATABASE_URL=reader)


def test_a_pool_that_asks_for_more_connections_than_there_are_is_a_failure(database: str) -> None:
    failures = report("fail", DATABASE_URL=database, DATABASE_POOL_SIZE="200")
    assert "want 400 connections" in failures


@pytest.fixture
def evicting_redis(tmp_path: Path) -> Iterator[str]:
    """A Redis that is configured as a cache, with a user who may not run some commands."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    cache = ["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]
    server = subprocess.Popen(["redis-server", *options, *cache], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not _answers(port):
            time.sleep(0.05)
        with Redis(port=port) as redis:
            rights = ("on", ">hunter2", "~*", "&*", "+@all", "-getdel", "-@dangerous")
            redis.execute_command("ACL", "SETUSER", "small", *rights)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(20)


def _answers(port: int) -> bool:
    try:
        with Redis(port=port) as redis:
            return bool(redis.ping())
    except RedisError:
        return False


@pytest.mark.skipif(
    shutil.which("redis-server") is None and not os.environ.get("CI"), reason="no redis-server"
)
def test_a_redis_that_evicts_is_a_failure_and_so_is_one_without_getdel(
    evicting_redis: str,
) -> None:
    assert "maxmemory-policy allkeys-lru deletes challenges" in report(
        "fail", REDIS_URL=evicting_redis
    )
    failures = report(REDIS_URL=evicting_redis.replace("//", "//small:hunter2@"))
    assert "it refuses what the service needs" in failures
    assert "may not run INFO" in failures
    assert "hunter2" not in failures
