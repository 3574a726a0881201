"""A service on PostgreSQL and Redis, both real, both on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import production
from tests.support.service import Service


@pytest.fixture(scope="session", autouse=True)
def servers() -> None:
    """None of these tests goes without."""
    production.need_servers()


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of an empty PostgreSQL database with the newest schema."""
    name = production.take_database()
    production.flush_redis()
    yield f"{production.SERVER}/{name}"
    production.give_back(name)


@pytest.fixture
def service(tmp_path: Path, database: str) -> Iterator[Service]:
    """One worker, under the two variables that production sets."""
    with Service(tmp_path, database_url=database, redis_url=production.REDIS) as service:
        yield service
