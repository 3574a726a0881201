"""Services that forward audit rows, on SQLite and on PostgreSQL, and collectors for the rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from tests.features.audit_forwarding.receivers import TlsCollector
from tests.support import production
from tests.support.service import Service


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[TlsCollector]:
    with TlsCollector(tmp_path / "collector") as found:
        yield found


def postgres() -> str:
    """A database on the PostgreSQL server. Without a server the test is skipped; CI has one."""
    try:
        production.flush_redis()
        return production.take_database()
    except (OSError, RedisError) as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no PostgreSQL and Redis on loopback: {error}")
        pytest.skip(f"no PostgreSQL and Redis on loopback: {error}")


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings of one database, by their names."""
    if request.param == "sqlite":
        yield {"database_url": f"sqlite:///{tmp_path}/app.db"}
        return
    name = postgres()
    yield {"database_url": f"{production.SERVER}/{name}", "redis_url": production.REDIS}
    production.give_back(name)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL database with the newest schema."""
    name = postgres()
    yield f"{production.SERVER}/{name}"
    production.give_back(name)


@pytest.fixture
def start(backend: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Starts services over one database, one after the other or together."""
    with ExitStack() as stack:

        def begin(**settings: Any) -> Service:
            return stack.enter_context(Service(tmp_path, **{**backend, **settings}))

        yield begin
