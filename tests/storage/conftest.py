"""A database of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.database.schema_version import upgrade
from core.database.sqlite import SqliteDatabase


@pytest.fixture
def db(tmp_path: Path) -> SqliteDatabase:
    """Over `tmp_path`/app.db; `units.run` opens it."""
    return SqliteDatabase(f"sqlite:///{tmp_path}/app.db", upgrade)
