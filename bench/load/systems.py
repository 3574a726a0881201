"""Starts this service as operators do: on SQLite, or on PostgreSQL and Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import asyncpg
from redis import Redis, RedisError

from assurance.support.server_process import free_port
from bench.load.api import Api
from bench.load.pinning import pinned
from bench.load.storage import PostgresStorage, SqliteStorage, Storage
from bench.load.this_service import ThisService
from core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS, STOP_SECONDS = 60, 30
POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
REDIS = os.environ.get("TEST_REDIS", "redis://127.0.0.1:6379/3")
# Every request is counted as in production, but the limits are never reached.
LIMITS = {f"RATE_LIMIT_{name}": "1000000000" for name in ("ADDRESS", "EMAIL", "GLOBAL")}
UVICORN = (
    *("-m", "uvicorn", "main:app", "--app-dir", str(ROOT), "--host", "127.0.0.1"),
    *("--no-proxy-headers", "--no-server-header", "--no-access-log"),
)


@dataclass(frozen=True)
class Served:
    """A server that answers requests; `pid` is the root of its process tree."""

    url: str
    origin: str
    pid: int
    storage: Storage | None


class System(Protocol):
    """A server program that can be started, and its API."""

    @property
    def name(self) -> str: ...

    @property
    def api(self) -> type[Api]: ...

    @property
    def workers(self) -> int: ...

    def serving(self, folder: Path, cores: frozenset[int]) -> AbstractContextManager[Served]:
        """Start it with its data in `folder`; it ends with the block."""


@contextmanager
def process(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], cores: frozenset[int]
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process on these cores; its output goes to `folder`/server.out."""
    with (folder / "server.out").open("wb") as out, pinned(cores):
        child = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_for(child: subprocess.Popen[bytes], url: str, folder: Path) -> float:
    """Return when the URL answers with any status; the seconds until then."""
    started = time.monotonic()
    while time.monotonic() - started < START_SECONDS and child.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (http, and our own)
                pass
        except urllib.error.HTTPError:
            return time.monotonic() - started
        except OSError:
            time.sleep(0.01)
        else:
            return time.monotonic() - started
    said = (folder / "server.out").read_text("utf-8", "replace")
    raise RuntimeError(f"{url} does not answer:\n{said[-2000:]}")


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without any setting of the service, and with these."""
    names = {name.upper() for name in Settings.model_fields}
    variables = names | {f"{name}_FILE" for name in names} | {"WEB_CONCURRENCY"}
    kept = {name: value for name, value in os.environ.items() if name not in variables}
    return {**kept, **settings}


@contextmanager
def _service(
    folder: Path, cores: frozenset[int], workers: int, storage: Storage, **settings: str
) -> Iterator[Served]:
    port = free_port()
    url, origin = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
    command = (sys.executable, *UVICORN, "--port", str(port), "--workers", str(workers))
    variables = environment(ORIGIN=origin, **LIMITS, **settings)
    with process(command, folder, variables, cores) as child:
        wait_for(child, f"{url}/readyz", folder)
        yield Served(url, origin, child.pid, storage)


@dataclass(frozen=True)
class OnSqlite:
    """Default settings: `app.db` and `app.log` in the folder."""

    name: str = "sqlite"
    workers: int = 1
    api: type[Api] = ThisService

    @contextmanager
    def serving(self, folder: Path, cores: frozenset[int]) -> Iterator[Served]:
        storage = SqliteStorage(folder / "app.db", folder / "app.log")
        with _service(folder, cores, self.workers, storage) as served:
            yield served


@dataclass(frozen=True)
class OnPostgres:
    """A fresh, migrated database on PostgreSQL; challenges and counters in Redis."""

    workers: int = 1
    api: type[Api] = ThisService

    @property
    def name(self) -> str:
        return "postgresql+redis" + (f", {self.workers} workers" if self.workers > 1 else "")

    @contextmanager
    def serving(self, folder: Path, cores: frozenset[int]) -> Iterator[Served]:
        storage = PostgresStorage(POSTGRES, f"bench_{uuid4().hex}", folder / "app.log")
        url = f"{POSTGRES}/{storage.name}"
        storage.ask(f"CREATE DATABASE {storage.name}", "postgres")
        try:
            migrate = (sys.executable, "-m", "alembic", "upgrade", "head")
            variables = environment(DATABASE_URL=url)
            subprocess.run(migrate, cwd=ROOT, env=variables, check=True, capture_output=True)
            settings = {"DATABASE_URL": url, "REDIS_URL": REDIS}
            with _service(folder, cores, self.workers, storage, **settings) as served:
                yield served
        finally:
            storage.ask(f"DROP DATABASE IF EXISTS {storage.name} WITH (FORCE)", "postgres")


def why_not_postgres() -> str | None:
    """What is missing for `OnPostgres`, if anything is."""
    try:
        PostgresStorage(POSTGRES, "postgres").ask("SELECT 1")
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return f"PostgreSQL does not answer ({type(error).__name__})"
    try:
        with Redis.from_url(REDIS, socket_timeout=5) as redis:
            redis.ping()
    except RedisError as error:
        return f"Redis does not answer ({type(error).__name__})"
    return None
