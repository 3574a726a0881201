"""The contract of `Database` on SQLite."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.database import sqlite_group_commit
from core.database.interface import (
    DatabaseUnavailable,
    TooManyChanges,
    Transaction,
    Unit,
    after_commit,
)
from core.database.sqlite import SqliteDatabase
from tests.storage.contract import SCENES, SLOW, ids, two_notes
from tests.storage.units import Gate, count, held, note, notes, run

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("scene", SCENES)
def test_sqlite_keeps_the_contract(db: SqliteDatabase, scene: str) -> None:
    run(db, lambda: SCENES[scene](db))


def half_done(tx: Transaction) -> None:
    after_commit(tx, lambda: pytest.fail("it was never committed"))
    note("half")(tx)
    raise LookupError


def test_a_second_change_leaves_nothing_and_its_batch_mates_alone(
    db: SqliteDatabase, tmp_path: Path
) -> None:
    """F16: the batch is undone, and made again without the units that leave something behind."""
    gate, logged = Gate(), list[str]()

    def logging_note(name: str) -> Unit[str]:
        def unit(tx: Transaction) -> str:
            after_commit(tx, lambda: logged.append(name))
            return note(name)(tx)

        return unit

    async def write() -> list[Any]:
        first = await held(db, gate)
        work = [
            db.autocommit(logging_note("a")),
            db.autocommit(two_notes),
            db.write(logging_note("b")),
            db.decide(half_done),
            db.autocommit(half_done),
            db.decide(logging_note("c")),
        ]
        tasks = [asyncio.create_task(each) for each in work]
        await asyncio.sleep(0)
        gate.open()
        await first
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    answers = run(db, write)
    assert [answers[place] for place in (0, 2, 5)] == ["a", "b", "c"]
    assert [type(answers[place]) for place in (1, 3, 4)] == [
        TooManyChanges,
        LookupError,
        LookupError,
    ]
    assert logged == ["a", "b", "c"]
    assert notes(tmp_path / "app.db") == {"held", "a", "b", "c"}


def test_a_batch_that_cannot_begin_again_is_refused_as_a_whole(
    db: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process takes the lock between the two: everyone is told, nobody hangs."""
    monkeypatch.setattr(sqlite_group_commit, "BUSY_TIMEOUT", 0.05)
    other = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    run_unit = sqlite_group_commit._run_unit

    def lock_after(connection: sqlite3.Connection, job: Any, *listeners: Any) -> Any:
        outcome = run_unit(connection, job, *listeners)
        if outcome.half_done:
            connection.execute("ROLLBACK")
            other.execute("BEGIN IMMEDIATE")
            # `_without_half_done` rolls back what has begun since.
            connection.execute("BEGIN")
        return outcome

    monkeypatch.setattr(sqlite_group_commit, "_run_unit", lock_after)

    async def write() -> None:
        tasks = [asyncio.create_task(work) for work in (db.write(note("a")), db.decide(half_done))]
        for answer in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(answer, DatabaseUnavailable)
        other.execute("ROLLBACK")
        assert await db.write(note("b")) == "b"

    with closing(other):
        run(db, write)
    assert notes(tmp_path / "app.db") == {"b"}


def test_a_report_sees_one_moment(db: SqliteDatabase, tmp_path: Path) -> None:
    """Whatever is written meanwhile; and the writer does not wait for it."""
    seen, go_on = threading.Event(), threading.Event()

    def unit(tx: Transaction) -> tuple[int, int]:
        before = count(tx)
        seen.set()
        assert go_on.wait(10)
        return before, count(tx)

    async def both() -> None:
        report = asyncio.create_task(db.report(unit))
        await asyncio.to_thread(seen.wait, 10)
        await asyncio.wait_for(db.write(note("meanwhile")), 5)
        go_on.set()
        assert await report == (0, 0)
        assert await ids(db) == ["meanwhile"]

    run(db, both)


def test_a_report_runs_in_a_thread_of_its_own(db: SqliteDatabase) -> None:
    threads = list[str]()
    run(db, lambda: db.report(lambda _tx: threads.append(threading.current_thread().name)))
    assert threads[0].startswith("sqlite-report")


def test_a_report_that_only_computes_is_not_waited_for(
    db: SqliteDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """Its next statement is refused, and what it raises then is nobody's."""
    go_on = threading.Event()

    def unit(tx: Transaction) -> int:
        go_on.wait(10)
        return count(tx)

    async def live() -> None:
        with pytest.raises(DatabaseUnavailable):
            await asyncio.wait_for(db.report(unit, 0.05), 5)
        go_on.set()
        assert await db.report(count) == 0

    with caplog.at_level(logging.ERROR):
        run(db, live)
    assert caplog.records == []


def test_stop_ends_the_reports_that_run(db: SqliteDatabase) -> None:
    """A shutdown does not wait for an export."""

    async def live() -> None:
        await db.start()
        report = asyncio.create_task(db.report(lambda tx: tx.query(SLOW).one(), 60.0))
        await asyncio.sleep(0.1)
        await asyncio.wait_for(db.stop(), 5)
        with pytest.raises(DatabaseUnavailable):
            await report
        with pytest.raises(DatabaseUnavailable):
            await db.report(count)

    asyncio.run(live())


def test_execute_if_is_for_the_audit_trail_alone() -> None:
    """A store that needs two changes uses `write`: `execute_if` is a special case for logins."""
    users = {
        str(path.relative_to(ROOT))
        for room in ("auth.py", "audit.py", "routes", "services", "stores")
        for path in ([ROOT / room] if room.endswith(".py") else (ROOT / room).rglob("*.py"))
        if ".execute_if" in path.read_text(encoding="utf-8")
    }
    assert users == {"stores/audit_logs.py"}
