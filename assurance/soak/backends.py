"""Where the service keeps its data: a SQLite file, or its own PostgreSQL and Redis servers."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from assurance.soak.own_servers import PostgresServer, RedisServer
from assurance.support.server_process import ROOT

# Ways to make the audit table unwritable: the statement that breaks it, and the one that repairs.
Ways = dict[str, tuple[str, str]]
_RENAMED = (
    "ALTER TABLE audit_logs RENAME TO audit_logs_away",
    "ALTER TABLE audit_logs_away RENAME TO audit_logs",
)

_SQLITE_WAYS: Ways = {
    "a trigger that raises": (
        "CREATE TRIGGER unwritable BEFORE INSERT ON audit_logs "
        "BEGIN SELECT RAISE(ABORT, 'unwritable'); END",
        "DROP TRIGGER unwritable",
    ),
    "a table that is away": _RENAMED,
}
_POSTGRES_WAYS: Ways = {
    "a trigger that raises": (
        "CREATE FUNCTION unwritable() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'unwritable'; END $$; "
        "CREATE TRIGGER unwritable BEFORE INSERT ON audit_logs "
        "FOR EACH ROW EXECUTE FUNCTION unwritable()",
        "DROP FUNCTION unwritable CASCADE",
    ),
    "a table that is away": _RENAMED,
    "rights revoked": (
        "REVOKE INSERT ON audit_logs FROM service",
        "GRANT INSERT ON audit_logs TO service",
    ),
}


class Backend(Protocol):
    """A database, and how another connection reads and changes it."""

    settings: dict[str, str]
    ways: Ways

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, read on a connection of its own."""
        ...

    def execute(self, statement: str) -> None:
        """An operator's statement."""
        ...


class Sqlite:
    """`folder`/app.db; challenges and counters are in the service's memory."""

    def __init__(self, folder: Path) -> None:
        self.ways, self._file = _SQLITE_WAYS, folder / "app.db"
        self.settings = {"DATABASE_URL": f"sqlite:///{self._file}"}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._file, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def execute(self, statement: str) -> None:
        with closing(sqlite3.connect(self._file, timeout=10)) as connection:
            connection.execute(statement)
            connection.commit()


class Production:
    """PostgreSQL and Redis of this scenario; the role of the service is no superuser."""

    def __init__(self, postgres: PostgresServer, redis: RedisServer) -> None:
        self.ways, self.postgres, self.redis = _POSTGRES_WAYS, postgres, redis
        self._operator = f"{postgres.url_of('postgres')}/passkeys"
        self.settings = {
            "DATABASE_URL": f"{postgres.url_of('service')}/passkeys",
            "REDIS_URL": redis.url,
        }

    def migrate(self) -> None:
        for statement in (
            "CREATE ROLE service LOGIN",
            "CREATE DATABASE passkeys OWNER service",
        ):
            _run(f"{self.postgres.url_of('postgres')}/postgres", statement)
        subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": self.settings["DATABASE_URL"]},
            capture_output=True,
            check=True,
            timeout=180,
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return _run(self._operator, query)

    def execute(self, statement: str) -> None:
        _run(self._operator, statement, fetch=False)


def _run(url: str, statement: str, *, fetch: bool = True) -> list[tuple[Any, ...]]:
    async def run() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            if not fetch:
                await connection.execute(statement)
                return []
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return asyncio.run(run())


@contextmanager
def production(folder: Path) -> Iterator[Production]:
    """Both servers, with a migrated database; they are stopped at the end of the block."""
    with PostgresServer.running() as postgres, RedisServer.running(folder) as redis:
        backend = Production(postgres, redis)
        backend.migrate()
        yield backend
