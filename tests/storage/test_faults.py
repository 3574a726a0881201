"""SQLite that is locked, full or broken: units fail in bounded time, and later ones succeed."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import column, text

from core.database import sqlite_group_commit, sqlite_writer_reads
from core.database.interface import DatabaseUnavailable, Transaction, after_commit
from core.database.schema_version import upgrade
from core.database.sqlite import SqliteDatabase
from core.database.sqlite_connection import SqliteTransaction
from tests.storage.units import (
    INSERT,
    Gate,
    before_each_commit,
    count,
    held,
    locked,
    note,
    notes,
    run,
)

ONE_PAGE, MANY_PAGES = (text(f"PRAGMA max_page_count={pages}") for pages in (1, 1_000_000))
PRAGMAS = [
    text(f"PRAGMA {name}").columns(column(name))
    for name in ("journal_mode", "synchronous", "foreign_keys")
]


def missing(tx: Transaction) -> int:
    rows: int = tx.query(text("SELECT 1 FROM nowhere").columns(column("one"))).scalar()
    return rows


def test_a_lock_held_too_long_is_unavailability_and_no_hang(
    db: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E3: a write fails within the timeout; reads go on; the next write succeeds."""
    monkeypatch.setattr(sqlite_group_commit, "BUSY_TIMEOUT", 0.05)

    async def write() -> None:
        with locked(tmp_path / "app.db"):
            begun = time.monotonic()
            with pytest.raises(DatabaseUnavailable):
                await db.write(note("a"))
            assert time.monotonic() - begun < 5
            assert await db.read(count) == 0
        assert await db.write(note("b")) == "b"

    run(db, write)
    assert notes(tmp_path / "app.db") == {"b"}


def test_a_lock_held_for_a_moment_is_waited_for(db: SqliteDatabase, tmp_path: Path) -> None:
    """E3: an operator's short `UPDATE` makes no login fail."""

    async def write() -> None:
        with locked(tmp_path / "app.db"):
            task = asyncio.create_task(db.write(note("a")))
            done, _ = await asyncio.wait([task], timeout=0.1)
            assert not done
        assert await task == "a"

    run(db, write)


def test_a_commit_that_fails_is_told_to_everyone_in_the_batch(
    db: SqliteDatabase, tmp_path: Path
) -> None:
    """E2: an I/O error at the commit: every unit fails, no callback runs, no row remains."""
    commits, called = list[int](), list[str]()

    def fail_the_second() -> None:
        commits.append(1)
        if len(commits) == 2:
            raise sqlite3.OperationalError("disk I/O error")

    def logged(tx: Transaction) -> None:
        note("logged")(tx)
        after_commit(tx, lambda: called.append("logged"))

    async def write() -> None:
        before_each_commit(db, fail_the_second)
        first = asyncio.create_task(db.write(note("first")))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(db.write(unit)) for unit in (logged, note("a"))]
        await first
        for answer in await asyncio.gather(*rest, return_exceptions=True):
            assert isinstance(answer, DatabaseUnavailable)
        assert await db.write(note("b")) == "b"

    run(db, write)
    assert called == []
    assert notes(tmp_path / "app.db") == {"first", "b"}


def test_a_disk_that_is_full_is_unavailability_and_passes(
    db: SqliteDatabase, tmp_path: Path
) -> None:
    """E2: SQLite rolls the batch back by itself; the next batch succeeds once there is room."""

    def flood(tx: Transaction) -> None:
        for number in range(100):
            tx.execute(INSERT, {"id": f"flood {number}", "details": "x" * 4096})

    async def write() -> None:
        await db.write(lambda tx: tx.query(ONE_PAGE))
        with pytest.raises(DatabaseUnavailable):
            await db.write(flood)
        await db.write(lambda tx: tx.query(MANY_PAGES))
        assert await db.write(note("a")) == "a"

    run(db, write)
    assert notes(tmp_path / "app.db") == {"a"}


def test_stop_finishes_what_was_accepted(db: SqliteDatabase, tmp_path: Path) -> None:
    """E1: units that were accepted before the shutdown are committed and answered."""
    gate = Gate()

    async def live() -> None:
        await db.start()
        first = await held(db, gate)
        tasks = [asyncio.create_task(db.write(note(name))) for name in ("a", "b")]
        await asyncio.sleep(0)
        stop = asyncio.create_task(db.stop())
        await asyncio.sleep(0)
        gate.open()
        assert await asyncio.gather(first, *tasks) == ["held", "a", "b"]
        await stop

    asyncio.run(live())
    assert notes(tmp_path / "app.db") == {"held", "a", "b"}


def test_after_stop_everything_is_unavailable(tmp_path: Path) -> None:
    """A late unit fails at once: it does not wait for a thread that has ended."""
    db = SqliteDatabase(f"sqlite:///{tmp_path}/app.db", upgrade)

    async def live() -> None:
        await db.start()
        await db.stop()
        for call in (db.write(note("a")), db.read(count)):
            with pytest.raises(DatabaseUnavailable):
                await asyncio.wait_for(call, 5)

    asyncio.run(live())


def test_each_statement_of_a_read_sees_what_is_committed(
    db: SqliteDatabase, tmp_path: Path
) -> None:
    """As on PostgreSQL. A unit that needs one snapshot uses `decide` or `report`."""

    def twice(tx: Transaction) -> tuple[int, int]:
        before = count(tx)
        with sqlite3.connect(tmp_path / "app.db") as other:
            other.execute("INSERT INTO audit_logs (id, event_type, success) VALUES ('a', 'x', 1)")
        other.close()
        return before, count(tx)

    async def both() -> None:
        assert await db.read(twice) == (0, 1)

    run(db, both)


def test_the_connections_are_as_durable_as_sqlite_can_be(db: SqliteDatabase) -> None:
    """E1: write-ahead log, a flush at every commit, foreign keys enforced."""

    def pragmas(tx: Transaction) -> list[object]:
        return [tx.query(pragma).scalar() for pragma in PRAGMAS]

    async def both() -> None:
        assert await db.write(pragmas) == ["wal", 2, 1]
        assert await db.read(pragmas) == ["wal", 2, 1]

    run(db, both)


def test_a_writer_that_has_ended_refuses_and_lets_nobody_wait(db: SqliteDatabase) -> None:
    """E1: whatever ended the writer's task, no caller waits for ever."""

    async def live() -> None:
        await db.start()
        task = db._writer._task
        assert task is not None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with pytest.raises(DatabaseUnavailable):
            await asyncio.wait_for(db.write(note("a")), 5)

    asyncio.run(live())


def test_a_reader_that_broke_is_replaced(db: SqliteDatabase) -> None:
    """E2: after a failed read the next one opens a new connection."""

    def break_it(tx: Transaction) -> int:
        assert db._reader is not None
        db._reader.close()
        return count(tx)

    async def live() -> None:
        with pytest.raises(DatabaseUnavailable):
            await db.read(break_it)
        assert await db.read(count) == 0

    run(db, live)


def test_a_read_uses_the_pages_of_a_writer_that_has_nothing_to_do(db: SqliteDatabase) -> None:
    """A read that cannot use the writer's connection uses the reader's."""
    used: list[object] = []

    def look(tx: Transaction) -> int:
        assert isinstance(tx, SqliteTransaction)
        used.append(tx._connection)
        return count(tx)

    async def live() -> None:
        await db.read(look)
        await db.write(note("a"))
        assert await db.read(look) == 1
        assert used == [db._reader, db._writer._connection]
        assert db._writer._connection is not None
        db._writer._connection.close()
        assert await db.read(look) == 1
        assert used[-1] is db._reader

    run(db, live)


def test_a_read_while_a_commit_waits_sees_nothing_of_it(
    db: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E1: rows of a commit that is under way are not visible."""

    async def live() -> None:
        await db.write(note("a"))
        gate = Gate()
        writing = await held(db, gate)
        # Nobody waits for long.
        assert await asyncio.wait_for(db.read(count), 5) == 1
        monkeypatch.setattr(sqlite_writer_reads, "MAX_WAIT_SECONDS", 60)
        late = asyncio.create_task(db.read(count))
        await asyncio.sleep(0)
        gate.open()
        await writing
        assert await late == 2

    run(db, live)


def test_a_read_that_fails_beside_a_commit_is_nobody_elses_trouble(
    db: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E1: once, a failing read kept the batch and all other reads from being answered."""

    def fail(_tx: Transaction) -> int:
        raise ValueError("what a row holds")

    async def live() -> None:
        await db.write(note("a"))
        monkeypatch.setattr(sqlite_writer_reads, "MAX_WAIT_SECONDS", 60)
        gate = Gate()
        writing = await held(db, gate)
        reads = [asyncio.create_task(db.read(unit)) for unit in (count, fail, missing, count)]
        await asyncio.sleep(0)
        gate.open()
        answers = await asyncio.wait_for(asyncio.gather(*reads, return_exceptions=True), 5)
        assert [answer for answer in answers if answer == 2] == [2, 2]
        assert [type(answer) for answer in answers[1:3]] == [ValueError, DatabaseUnavailable]
        assert await asyncio.wait_for(writing, 5) == "held"

    run(db, live)


def test_reads_and_batches_that_fail_get_on_with_each_other(
    db: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E3: once, a read used a connection while a thread closed it, and the process crashed."""
    monkeypatch.setattr(sqlite_group_commit, "BUSY_TIMEOUT", 0.002)

    async def read_on(ends: float) -> int:
        reads = 0
        while time.monotonic() < ends:
            reads += await db.read(count) == 0
            await asyncio.sleep(0)
        return reads

    async def live() -> None:
        ends = time.monotonic() + 1
        reading = [asyncio.create_task(read_on(ends)) for _ in range(4)]
        with locked(tmp_path / "app.db"):
            failed = 0
            while time.monotonic() < ends:
                with pytest.raises(DatabaseUnavailable):
                    await db.write(note("a"))
                failed += 1
        assert failed > 10
        assert min(await asyncio.gather(*reading)) > 10

    run(db, live)
