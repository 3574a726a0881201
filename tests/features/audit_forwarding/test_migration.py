"""Migration 0002 on PostgreSQL: over rows that are there, down, and up again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.features.audit_forwarding.conftest import postgres
from tests.support import production

INSERT = "INSERT INTO audit_logs (id, event_type, success) VALUES {}"
POSITIONS = "SELECT id, position FROM audit_logs ORDER BY position"


@pytest.fixture
def old() -> Iterator[str]:
    """A database at revision 0001, with rows in no order."""
    production.give_back(postgres())
    name = f"passkeys_old_{uuid.uuid4().hex}"
    production.execute("postgres", f"CREATE DATABASE {name}")
    production.alembic(name, "upgrade", "0001")
    rows = ", ".join(f"('{letter}', 'login_begin', 1)" for letter in "cabd")
    production.execute(name, INSERT.format(rows))
    yield name
    production.drop_database(name)


def positions(name: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in production.rows(name, POSITIONS, ())]


def test_old_rows_are_numbered_in_the_order_of_their_ids(old: str) -> None:
    """Those are times; what comes later is numbered later."""
    production.alembic(old, "upgrade", "head")
    production.execute(old, INSERT.format("('aa', 'login_begin', 1)"))
    assert positions(old) == [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("aa", 5)]


def test_it_can_be_undone_and_done_again(old: str) -> None:
    production.alembic(old, "upgrade", "head")
    production.alembic(old, "downgrade", "0001")
    tables = "SELECT count(*) AS n FROM pg_class WHERE relname ~ 'audit_sinks|position'"
    assert production.rows(old, tables, ()) == [{"n": 0}]
    production.alembic(old, "upgrade", "head")
    assert [row[1] for row in positions(old)] == [1, 2, 3, 4]


def test_nothing_is_left_for_autogenerate(old: str) -> None:
    """The column that only PostgreSQL has is no surprise to the next migration."""
    production.alembic(old, "upgrade", "head")
    # It fails if a migration is missing.
    production.alembic(old, "check")
