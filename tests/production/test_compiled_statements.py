"""Compiled statements on PostgreSQL do what SQLAlchemy does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.database.interface import Result, Transaction
from core.database.postgres import PostgresDatabase, open_engine
from core.database.schema_version import require_newest
from tests.storage.comparing import constant, own_outcome, query, their_outcome
from tests.storage.constructs import (
    QUERIED_CHANGES,
    QUERIES,
    READS,
    Case,
    changes,
    fill,
)
from tests.support import production


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    """The URL of a database with rows in it; every test leaves it as it was."""
    name = production.take_database()
    url = f"{production.SERVER}/{name}"

    async def insert() -> None:
        engine = open_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(fill)
        await engine.dispose()

    asyncio.run(insert())
    yield url
    production.give_back(name)


Run = Callable[[Transaction], Result]


def differences(url: str, cases: dict[str, tuple[Run, Case]], *, is_change: bool) -> dict[str, Any]:
    """The statements that the service does not run as SQLAlchemy does, with both outcomes."""

    async def live() -> dict[str, Any]:
        db, engine = PostgresDatabase(url, require_newest, 1), open_engine(url)
        await db.start()
        try:
            return await compare(db, engine)
        finally:
            await db.stop()
            await engine.dispose()

    async def compare(db: PostgresDatabase, engine: AsyncEngine) -> dict[str, Any]:
        found = {}
        for name, (run, case) in cases.items():
            async with engine.connect() as connection:
                theirs = await connection.run_sync(their_outcome, case, is_change)
            own = await own_outcome(db, run, is_change)
            if own != theirs:
                found[name] = own, theirs
        return found

    return asyncio.run(live())


def test_constants_read_what_sqlalchemy_reads(filled: str) -> None:
    cases = {name: (constant(case), case) for name, case in READS.items()}
    assert differences(filled, cases, is_change=False) == {}


def test_constants_change_what_sqlalchemy_changes(filled: str) -> None:
    cases = {name: (constant(case), case) for name, case in changes("postgresql").items()}
    assert differences(filled, cases, is_change=True) == {}


def test_queries_read_what_sqlalchemy_reads(filled: str) -> None:
    for _ in range(2):
        # The second time from SQLAlchemy's cache.
        cases = {name: (query(make()), Case(make())) for name, make in QUERIES.items()}
        assert differences(filled, cases, is_change=False) == {}


def test_queries_change_what_sqlalchemy_changes(filled: str) -> None:
    cases = {name: (query(make()), Case(make())) for name, make in QUERIED_CHANGES.items()}
    assert differences(filled, cases, is_change=True) == {}
