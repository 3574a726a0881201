"""`db.write`: answered after the commit; a failing unit leaves nothing and harms no other unit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.database.interface import Conflict, DatabaseUnavailable, Transaction, Unit, after_commit
from core.database.sqlite import SqliteDatabase
from tests.storage.units import Gate, before_each_commit, count, held, note, notes, run

NOWHERE = text("SELECT 'hunter2' FROM nowhere")


def failing(tx: Transaction) -> None:
    note("half")(tx)
    raise LookupError("no such thing")


def test_nobody_is_answered_before_the_commit(db: SqliteDatabase, tmp_path: Path) -> None:
    """E1: no answer while the commit hangs; after the answer every connection sees the row."""
    gate = Gate()

    async def write() -> None:
        task = await held(db, gate)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        assert notes(tmp_path / "app.db") == set()
        gate.open()
        assert await task == "held"
        assert notes(tmp_path / "app.db") == {"held"}

    run(db, write)


def test_units_that_wait_together_share_one_commit(db: SqliteDatabase, tmp_path: Path) -> None:
    """E3: fifty units share one flush, and none meets a lock."""
    gate, commits = Gate(), list[int]()

    async def write() -> None:
        first = await held(db, gate)
        before_each_commit(db, lambda: commits.append(1))
        rest = [asyncio.create_task(db.write(note(str(number)))) for number in range(50)]
        await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(first, *rest)

    run(db, write)
    assert len(commits) == 1
    assert len(notes(tmp_path / "app.db")) == 51


def test_while_a_commit_waits_for_the_disk_others_are_read_and_answered(
    db: SqliteDatabase,
) -> None:
    """E3: the event loop never waits for the disk."""
    gate = Gate()

    async def write() -> None:
        first = await held(db, gate)
        assert await asyncio.wait_for(db.read(count), 5) == 0
        gate.open()
        await first

    run(db, write)


def test_a_failing_unit_leaves_its_batch_mates_alone(db: SqliteDatabase, tmp_path: Path) -> None:
    """E1: the failing unit's changes are undone; the others' are committed."""
    gate = Gate()

    async def write() -> list[object]:
        first = await held(db, gate)
        units: list[Unit[Any]] = [note("before"), failing, note("after")]
        tasks = [asyncio.create_task(db.write(unit)) for unit in units]
        await asyncio.sleep(0)
        gate.open()
        await first
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    before, failed, after = run(db, write)
    assert (before, after) == ("before", "after")
    assert isinstance(failed, LookupError)
    assert notes(tmp_path / "app.db") == {"held", "before", "after"}


def test_a_broken_constraint_is_told_as_what_it_is(db: SqliteDatabase) -> None:
    """A key that is taken raises Conflict, for the caller to handle: it is no outage."""

    async def write() -> None:
        await db.write(note("a"))
        with pytest.raises(Conflict):
            await db.write(note("a"))
        assert await db.write(note("b")) == "b"

    run(db, write)


def test_another_database_error_is_unavailability(db: SqliteDatabase) -> None:
    """The exception does not repeat the driver's message: it can hold what a person typed."""

    async def write() -> None:
        with pytest.raises(DatabaseUnavailable) as error:
            await db.write(lambda tx: tx.query(NOWHERE))
        assert "hunter2" not in str(error.value)

    run(db, write)


def test_callbacks_run_after_the_commit_and_before_the_answer(
    db: SqliteDatabase, tmp_path: Path
) -> None:
    """E1: a log line is written after its row is committed, and before the answer."""
    seen: list[set[str]] = []

    def unit(tx: Transaction) -> None:
        note("a")(tx)
        after_commit(tx, lambda: seen.append(notes(tmp_path / "app.db")))
        assert seen == []

    run(db, lambda: db.write(unit))
    assert seen == [{"a"}]


def test_a_failed_units_callbacks_never_run(db: SqliteDatabase) -> None:
    """E1: nor do they run with the next unit's."""
    called: list[str] = []

    def unit(tx: Transaction) -> None:
        after_commit(tx, lambda: called.append("failed"))
        raise LookupError

    def good(tx: Transaction) -> None:
        after_commit(tx, lambda: called.append("good"))

    async def write() -> None:
        with pytest.raises(LookupError):
            await db.write(unit)
        await db.write(good)

    run(db, write)
    assert called == ["good"]


def test_a_callback_that_fails_takes_nothing_back(db: SqliteDatabase, tmp_path: Path) -> None:
    """E2: the row stays committed, and the other callbacks run."""
    called: list[str] = []

    def unit(tx: Transaction) -> str:
        after_commit(tx, lambda: called.append(str(1 / 0)))
        after_commit(tx, lambda: called.append("second"))
        return note("a")(tx)

    assert run(db, lambda: db.write(unit)) == "a"
    assert called == ["second"]
    assert notes(tmp_path / "app.db") == {"a"}


def test_a_caller_who_goes_away_takes_nobody_along(db: SqliteDatabase, tmp_path: Path) -> None:
    """A cancelled request: its unit may be committed or not; the other units are answered."""
    gate = Gate()

    async def write() -> None:
        first = await held(db, gate)
        gone, other = (asyncio.create_task(db.write(note(name))) for name in ("gone", "b"))
        await asyncio.sleep(0)
        gone.cancel()
        gate.open()
        assert await other == "b"
        await first

    run(db, write)
    assert {"held", "b"} <= notes(tmp_path / "app.db")
