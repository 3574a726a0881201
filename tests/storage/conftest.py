"""A database of its own for each test, and helpers that hold its threads still."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.migrate import upgrade
from core.sqlite import SqliteDatabase


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """Migrated and started, over `tmp_path`/app.db."""
    database = SqliteDatabase(f"sqlite:///{tmp_path}/app.db", upgrade)
    asyncio.run(database.start())
    yield database
    asyncio.run(database.stop())
