"""The bulk loader: rows that the service and the documented queries take for their own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bench.scale import indexes, loader, queries

PEOPLE, EVENTS = 50, 5_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scale") / "app.db"
    loader.create(path, PEOPLE, EVENTS)
    return path


def ask(file: Path, query: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(file)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def test_the_tables_are_full_and_sound(file: Path) -> None:
    for table, count in (("users", PEOPLE), ("webauthn_credentials", PEOPLE)):
        assert ask(file, f"SELECT count(*) FROM {table}") == [(count,)]
    assert ask(file, "SELECT count(*) FROM audit_logs") == [(EVENTS,)]
    assert ask(file, "PRAGMA foreign_key_check") == []
    assert ask(file, "PRAGMA integrity_check") == [("ok",)]


def test_the_indexes_of_the_schema_are_all_back(file: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    loader.create(empty, 0, 0)
    made = "SELECT name, sql FROM sqlite_master ORDER BY name"
    assert ask(file, made) == ask(empty, made)


def test_the_trail_is_in_the_order_of_time(file: Path) -> None:
    by_id = ask(file, "SELECT created_at FROM audit_logs ORDER BY id")
    assert by_id == sorted(by_id)


def test_every_documented_query_is_timed_and_finds_something(file: Path) -> None:
    timed = queries.time_all(file)
    assert len(timed) == 6
    assert all(each.rows > 0 and each.seconds is not None for each in timed), timed


def test_each_index_of_the_trail_has_its_price(file: Path) -> None:
    found = indexes.costs(file, PEOPLE)
    names = {each.name for each in found if each.size > 0}
    kept = ("event_type", "user_email", "created_at", "failures", "logins")
    assert names == {f"ix_audit_logs_{name}" for name in kept}
