"""`db.write`: answered only once it is on disk, alone in its failure, and never half done."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import IntegrityError

from core.database import DatabaseUnavailable, Unit, after_commit
from core.sqlite import SqliteDatabase
from tests.storage.trail import until
from tests.storage.units import Gate, count, engine_of, note, notes


def failing(tx: Connection) -> None:
    note("half")(tx)
    raise LookupError("no such thing")


def test_nobody_is_answered_before_the_commit(db: SqliteDatabase, tmp_path: Path) -> None:
    """E1: while the commit hangs, no answer; once there is an answer, every reader sees the row."""
    gate = Gate()
    event.listen(engine_of(db), "commit", lambda _connection: gate.wait())

    async def write() -> None:
        task = asyncio.create_task(db.write(note("a")))
        await asyncio.to_thread(gate.reached.wait, 10)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        assert notes(tmp_path / "app.db") == set()
        gate.open()
        assert await task == "a"
        assert notes(tmp_path / "app.db") == {"a"}

    asyncio.run(write())


def test_units_that_wait_together_share_one_commit(db: SqliteDatabase, tmp_path: Path) -> None:
    """E3: fifty writers cost one flush, and nobody meets a lock."""
    gate, commits = Gate(), list[int]()

    async def write() -> None:
        first = asyncio.create_task(db.write(gate))
        await asyncio.to_thread(gate.reached.wait, 10)
        rest = [asyncio.create_task(db.write(note(str(number)))) for number in range(50)]
        await asyncio.sleep(0)
        event.listen(engine_of(db), "commit", lambda _connection: commits.append(1))
        gate.open()
        await asyncio.gather(first, *rest)

    asyncio.run(write())
    assert len(commits) == 2
    assert len(notes(tmp_path / "app.db")) == 50


def test_a_failing_unit_leaves_its_batch_mates_alone(db: SqliteDatabase, tmp_path: Path) -> None:
    """E1: what it had written is undone; what the others wrote is not."""
    gate = Gate()

    async def write() -> list[object]:
        units: list[Unit[Any]] = [gate, note("before"), failing, note("after")]
        tasks = [asyncio.create_task(db.write(unit)) for unit in units]
        await asyncio.to_thread(gate.reached.wait, 10)
        gate.open()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    _, before, failed, after = asyncio.run(write())
    assert (before, after) == ("before", "after")
    assert isinstance(failed, LookupError)
    assert notes(tmp_path / "app.db") == {"before", "after"}


def test_a_broken_constraint_is_told_as_what_it_is(db: SqliteDatabase) -> None:
    """A second row of one key is the caller's to explain: it is no outage."""

    async def write() -> None:
        await db.write(note("a"))
        with pytest.raises(IntegrityError):
            await db.write(note("a"))
        assert await db.write(note("b")) == "b"

    asyncio.run(write())


def test_another_database_error_is_unavailability(db: SqliteDatabase) -> None:
    """What the driver says stays inside, with whatever a person typed."""

    async def write() -> None:
        with pytest.raises(DatabaseUnavailable) as error:
            await db.write(lambda tx: tx.exec_driver_sql("SELECT 'hunter2' FROM nowhere"))
        assert "hunter2" not in str(error.value)

    asyncio.run(write())


def test_callbacks_run_after_the_commit_and_before_the_answer(
    db: SqliteDatabase, tmp_path: Path
) -> None:
    """E1: a log line never speaks of a row that is not there, and is under way with the answer."""
    seen: list[set[str]] = []

    def unit(tx: Connection) -> None:
        note("a")(tx)
        after_commit(tx, lambda: seen.append(notes(tmp_path / "app.db")))
        assert seen == []

    asyncio.run(db.write(unit))
    assert seen == [{"a"}]


def test_a_failed_units_callbacks_never_run(db: SqliteDatabase) -> None:
    """E1: nor do they stay behind for the next unit."""
    called: list[str] = []

    def unit(tx: Connection) -> None:
        after_commit(tx, lambda: called.append("failed"))
        raise LookupError

    def good(tx: Connection) -> None:
        after_commit(tx, lambda: called.append("good"))

    async def write() -> None:
        with pytest.raises(LookupError):
            await db.write(unit)
        await db.write(good)

    asyncio.run(write())
    assert called == ["good"]


def test_a_callback_that_fails_takes_nothing_back(db: SqliteDatabase, tmp_path: Path) -> None:
    """E2: the row is durable, whatever the log does; and the other callbacks run."""
    called: list[str] = []

    def unit(tx: Connection) -> str:
        after_commit(tx, lambda: called.append(str(1 / 0)))
        after_commit(tx, lambda: called.append("second"))
        return note("a")(tx)

    assert asyncio.run(db.write(unit)) == "a"
    assert called == ["second"]
    assert notes(tmp_path / "app.db") == {"a"}


def test_a_caller_who_goes_away_takes_nobody_along(db: SqliteDatabase, tmp_path: Path) -> None:
    """A cancelled request: its unit is committed or not, the others' are answered."""
    gate = Gate()

    async def write() -> None:
        tasks = [asyncio.create_task(db.write(unit)) for unit in (gate, note("gone"), note("b"))]
        await asyncio.to_thread(gate.reached.wait, 10)
        tasks[1].cancel()
        gate.open()
        assert await tasks[2] == "b"

    asyncio.run(write())
    assert "b" in notes(tmp_path / "app.db")


def test_an_event_loop_that_ends_early_does_not_stop_the_writer(db: SqliteDatabase) -> None:
    """A test, or a reload: the answer has nowhere to go, and the next caller gets theirs."""
    gate = Gate()
    loop = asyncio.new_event_loop()
    task = loop.create_task(db.write(gate))
    loop.run_until_complete(asyncio.sleep(0))
    until(gate.reached.is_set)
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    gate.open()
    assert asyncio.run(db.write(count)) == 0
