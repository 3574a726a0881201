"""A database that is locked, full or gone: an honest refusal in bounded time, and recovery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

import core.sqlite
from core.database import DatabaseUnavailable, after_commit
from core.migrate import upgrade
from core.sqlite import SqliteDatabase
from tests.storage.units import Gate, count, engine_of, locked, note, notes


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteDatabase]:
    """A database that waits 50 ms for a lock instead of five seconds."""
    pragmas = [pragma for pragma in core.sqlite.PRAGMAS if "busy_timeout" not in pragma]
    assert len(pragmas) == len(core.sqlite.PRAGMAS) - 1
    monkeypatch.setattr(core.sqlite, "PRAGMAS", (*pragmas, "PRAGMA busy_timeout=50"))
    database = SqliteDatabase(f"sqlite:///{tmp_path}/app.db", upgrade)
    asyncio.run(database.start())
    yield database
    asyncio.run(database.stop())


def test_a_lock_held_too_long_is_unavailability_and_no_hang(
    impatient: SqliteDatabase, tmp_path: Path
) -> None:
    """E3: refused within the timeout; readers are not held up; afterwards all is well."""

    async def write() -> None:
        with locked(tmp_path / "app.db"):
            begun = time.monotonic()
            with pytest.raises(DatabaseUnavailable):
                await impatient.write(note("a"))
            assert time.monotonic() - begun < 5
            assert await impatient.read(count) == 0
        assert await impatient.write(note("b")) == "b"

    asyncio.run(write())
    assert notes(tmp_path / "app.db") == {"b"}


def test_a_lock_held_for_a_moment_is_waited_for(db: SqliteDatabase, tmp_path: Path) -> None:
    """E3: an operator's short `UPDATE` costs nobody a login."""

    async def write() -> None:
        with locked(tmp_path / "app.db"):
            task = asyncio.create_task(db.write(note("a")))
            done, _ = await asyncio.wait([task], timeout=0.1)
            assert not done
        assert await task == "a"

    asyncio.run(write())


def test_a_commit_that_fails_is_told_to_everyone_in_the_batch(
    db: SqliteDatabase, tmp_path: Path
) -> None:
    """E2: an I/O error at the commit: nobody is told a lie, nothing is logged, nothing remains."""
    gate, commits, called = Gate(), list[int](), list[str]()

    def fail_the_second(_connection: Connection) -> None:
        commits.append(1)
        if len(commits) == 2:
            raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    def logged(tx: Connection) -> None:
        note("logged")(tx)
        after_commit(tx, lambda: called.append("logged"))

    async def write() -> None:
        event.listen(engine_of(db), "commit", fail_the_second)
        first = asyncio.create_task(db.write(gate))
        await asyncio.to_thread(gate.reached.wait, 10)
        rest = [asyncio.create_task(db.write(unit)) for unit in (logged, note("a"))]
        await asyncio.sleep(0)
        gate.open()
        await first
        for answer in await asyncio.gather(*rest, return_exceptions=True):
            assert isinstance(answer, DatabaseUnavailable)
        assert await db.write(note("b")) == "b"

    asyncio.run(write())
    assert called == []
    assert notes(tmp_path / "app.db") == {"b"}


def test_a_disk_that_is_full_is_unavailability_and_passes(
    db: SqliteDatabase, tmp_path: Path
) -> None:
    """E2: SQLite rolls the whole batch back by itself; the next one is fine once there is room."""

    def limit(tx: Connection, pages: int) -> None:
        tx.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def flood(tx: Connection) -> None:
        for number in range(100):
            tx.exec_driver_sql(
                "INSERT INTO audit_logs (id, event_type, success, details) "
                "VALUES (?, 'note', 1, ?)",
                (f"flood {number}", "x" * 4096),
            )

    async def write() -> None:
        await db.write(lambda tx: limit(tx, 1))
        with pytest.raises(DatabaseUnavailable):
            await db.write(flood)
        await db.write(lambda tx: limit(tx, 1_000_000))
        assert await db.write(note("a")) == "a"

    asyncio.run(write())
    assert notes(tmp_path / "app.db") == {"a"}


def test_stop_finishes_what_was_accepted(tmp_path: Path) -> None:
    """E1: a shutdown loses nothing that somebody waits for."""
    db, gate = SqliteDatabase(f"sqlite:///{tmp_path}/app.db", upgrade), Gate()

    async def live() -> None:
        await db.start()
        tasks = [asyncio.create_task(db.write(unit)) for unit in (gate, note("a"), note("b"))]
        await asyncio.to_thread(gate.reached.wait, 10)
        stop = asyncio.create_task(db.stop())
        await asyncio.sleep(0)
        gate.open()
        assert await asyncio.gather(*tasks) == [None, "a", "b"]
        await stop

    asyncio.run(live())
    assert notes(tmp_path / "app.db") == {"a", "b"}


def test_after_stop_everything_is_unavailable(tmp_path: Path) -> None:
    """A late request is refused, and does not wait for a thread that has gone."""
    db = SqliteDatabase(f"sqlite:///{tmp_path}/app.db", upgrade)

    async def live() -> None:
        await db.start()
        await db.stop()
        for call in (db.write(note("a")), db.read(count)):
            with pytest.raises(DatabaseUnavailable):
                await asyncio.wait_for(call, 5)

    asyncio.run(live())


def test_a_read_sees_one_moment(db: SqliteDatabase) -> None:
    """What is committed while a unit reads is for the next unit."""
    gate = Gate()

    def twice(tx: Connection) -> tuple[int, int]:
        before = count(tx)
        gate(tx)
        return before, count(tx)

    async def both() -> None:
        reading = asyncio.create_task(db.read(twice))
        await asyncio.to_thread(gate.reached.wait, 10)
        await db.write(note("a"))
        gate.open()
        assert await reading == (0, 0)
        assert await db.read(count) == 1

    asyncio.run(both())


def test_the_connections_are_as_durable_as_sqlite_can_be(db: SqliteDatabase) -> None:
    """E1: write-ahead log, a flush at every commit, foreign keys held."""

    def pragmas(tx: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    for act in (db.write, db.read):
        assert asyncio.run(act(pragmas)) == ["wal", 2, 1]
