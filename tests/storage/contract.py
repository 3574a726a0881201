"""The contract of `Database`, as scenes that are played on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, column, delete, insert, select, text, update

from core.database.compiled_statements import Statement
from core.database.interface import (
    Change,
    Conflict,
    Database,
    DatabaseUnavailable,
    ReportTimeout,
    TooManyChanges,
    Transaction,
    Unit,
    after_commit,
)
from models import AuditLog
from tests.storage.units import count, note

NOW = datetime.now(UTC)
Scene = Callable[[Database], Awaitable[None]]
RENAME = Statement(
    update(AuditLog).where(AuditLog.id == bindparam("key")).values(details=bindparam("new"))
)
THEN = Statement(
    insert(AuditLog).from_select(
        AuditLog.__table__.columns.keys(),
        select(
            *(bindparam(item.key, None, type_=item.type) for item in AuditLog.__table__.columns)
        ),
    )
)
IDS = Statement(select(AuditLog.id).order_by(AuditLog.id))
# Some seconds of work for either database; the second is never answered before the limit.
SLOW = text(
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers "
    "WHERE n < 300000000) SELECT count(*) AS found FROM numbers"
).columns(column("found"))


async def ids(db: Database) -> list[str]:
    """The rows that are committed."""
    return await db.read(lambda tx: [row[0] for row in tx.execute(IDS)])


def rename_if(key: str, then: str) -> Unit[bool]:
    """Change the row `key`, and add the row `then` if it was there."""
    change = Change(RENAME, {"key": key, "new": "changed"})
    row = {"id": then, "event_type": "note", "success": 1, "created_at": NOW}
    return lambda tx: tx.execute_if(change, THEN, row)


def two_notes(tx: Transaction) -> None:
    note("first")(tx)
    note("second")(tx)


async def one_change_is_made(db: Database) -> None:
    await db.autocommit(note("a"))
    await db.decide(note("b"))
    assert await ids(db) == ["a", "b"]


async def reads_are_free_in_number(db: Database) -> None:
    def unit(tx: Transaction) -> tuple[int, int]:
        before = [count(tx) for _ in range(5)]
        note("a")(tx)
        return before[-1], count(tx)

    assert await db.autocommit(unit) == (0, 1)


async def a_second_change_in_a_decision_leaves_nothing(db: Database) -> None:
    """F16: and no callback is called."""
    called: list[str] = []

    def unit(tx: Transaction) -> None:
        after_commit(tx, lambda: called.append("committed"))
        two_notes(tx)

    with pytest.raises(TooManyChanges, match="one change"):
        await db.decide(unit)
    assert (await ids(db), called) == ([], [])


async def a_failure_after_the_change_of_a_decision_leaves_nothing(db: Database) -> None:
    def unit(tx: Transaction) -> None:
        note("a")(tx)
        raise LookupError

    with pytest.raises(LookupError):
        await db.decide(unit)
    assert await ids(db) == []


async def every_kind_of_second_change_is_refused(db: Database) -> None:
    await db.autocommit(note("a"))
    seconds: list[Unit[Any]] = [
        note("b"),
        rename_if("a", "b"),
        lambda tx: tx.execute(RENAME, {"key": "a", "new": "b"}),
        lambda tx: tx.execute(Statement(delete(AuditLog))),
        lambda tx: tx.query(update(AuditLog).values(details="b")),
        lambda tx: tx.query(text("UPDATE audit_logs SET details = 'b'")),
    ]
    for second in seconds:

        def unit(tx: Transaction, second: Unit[Any] = second) -> None:
            tx.execute(RENAME, {"key": "a", "new": "first"})
            second(tx)

        with pytest.raises(TooManyChanges):
            await db.decide(unit)
    assert await ids(db) == ["a"]


async def execute_if_is_one_change_and_the_last(db: Database) -> None:
    await db.autocommit(note("a"))
    assert await db.autocommit(rename_if("a", "b")) is True
    assert await db.autocommit(rename_if("nobody", "c")) is False
    assert await ids(db) == ["a", "b"]

    def unit(tx: Transaction) -> None:
        rename_if("a", "c")(tx)
        note("d")(tx)

    with pytest.raises(TooManyChanges):
        await db.decide(unit)
    assert await ids(db) == ["a", "b"]


async def execute_if_changes_all_or_nothing(db: Database) -> None:
    await db.autocommit(note("a"))
    with pytest.raises(Conflict):
        await db.autocommit(rename_if("a", "a"))
    found = await db.read(lambda tx: tx.query(select(AuditLog.details)).all())
    assert [tuple(row) for row in found] == [(None,)]


async def a_change_that_failed_is_none(db: Database) -> None:
    """What was not changed may be tried otherwise."""

    def unit(tx: Transaction) -> bool:
        return tx.execute_if(Change(RENAME, {"key": "x", "new": "y"}), THEN, {})

    await db.autocommit(note("a"))
    with pytest.raises(Conflict):
        await db.autocommit(note("a"))
    assert await db.autocommit(unit) is False


async def who_reads_changes_nothing(db: Database) -> None:
    units: list[Unit[Any]] = [
        note("a"),
        rename_if("a", "b"),
        lambda tx: tx.query(insert(AuditLog).values(id="a", event_type="note", success=1)),
        lambda tx: tx.query(text("DELETE FROM audit_logs")),
    ]
    for unit in units:
        for operation in (db.read, db.report):
            with pytest.raises(TooManyChanges, match="only read"):
                await operation(unit)
    assert await ids(db) == []


async def a_write_makes_any_number_of_changes_or_none(db: Database) -> None:
    await db.write(two_notes)

    def failing(tx: Transaction) -> None:
        tx.query(insert(AuditLog).values(id="third", event_type="note", success=1))
        rename_if("first", "fourth")(tx)
        raise LookupError

    with pytest.raises(LookupError):
        await db.write(failing)
    assert await ids(db) == ["first", "second"]


async def one_row_is_asked_for(db: Database) -> None:
    def one(tx: Transaction) -> Any:
        return tx.execute(IDS).one()

    with pytest.raises(LookupError, match="found 0"):
        await db.read(one)
    await db.write(note("a"))
    assert tuple(await db.read(one)) == ("a",)
    await db.write(note("b"))
    with pytest.raises(LookupError, match="found 2"):
        await db.read(one)


# -- reports --


async def a_report_gives_what_it_found(db: Database) -> None:
    await db.write(two_notes)
    assert await db.report(lambda tx: [row[0] for row in tx.query(select(AuditLog.id))]) == [
        "first",
        "second",
    ]


async def a_report_cannot_change_anything(db: Database) -> None:
    """Not even by a statement that looks like a read: the connection itself refuses."""
    sly = text(
        "INSERT INTO audit_logs (id, event_type, success) VALUES ('a', 'x', 1) RETURNING id"
    ).columns(column("id"))
    with pytest.raises(DatabaseUnavailable):
        await db.report(lambda tx: tx.query(sly))
    assert await ids(db) == []


async def a_report_that_takes_too_long_ends_and_logins_go_on(db: Database) -> None:
    """The event loop never waits for it."""
    begun, longest = time.monotonic(), 0.0
    report = asyncio.create_task(db.report(lambda tx: tx.query(SLOW).one(), 1.0))
    written = 0
    while not report.done():
        before = time.monotonic()
        await db.write(note(f"{written:06}"))
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - before)
        written += 1
    with pytest.raises(ReportTimeout):
        await report
    assert 0.9 < time.monotonic() - begun < 10
    assert written > 20
    assert longest < 0.8


async def reports_are_few_and_the_next_one_waits(db: Database) -> None:
    """Its wait counts."""
    slow = [asyncio.create_task(db.report(lambda tx: tx.query(SLOW).one(), 1.0)) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(ReportTimeout):
        await db.report(count, 0.1)
    ends = await asyncio.gather(*slow, return_exceptions=True)
    assert [type(end) for end in ends] == [ReportTimeout] * 2
    assert await db.report(count, 5.0) == 0


async def a_report_whose_caller_goes_ends(db: Database) -> None:
    """Its place is free again."""
    for _ in range(4):
        report = asyncio.create_task(db.report(lambda tx: tx.query(SLOW).one(), 60.0))
        await asyncio.sleep(0.1)
        report.cancel()
        with pytest.raises(asyncio.CancelledError):
            await report
    assert await db.report(count, 10.0) == 0


async def what_a_report_raises_is_its_callers(db: Database) -> None:
    def unit(tx: Transaction) -> None:
        raise LookupError("own")

    with pytest.raises(LookupError, match="own"):
        await db.report(unit)

    def late(tx: Transaction) -> None:
        raise TimeoutError("own")

    with pytest.raises((TimeoutError, DatabaseUnavailable)):
        await db.report(late)
    with pytest.raises(DatabaseUnavailable):
        await db.report(lambda tx: tx.query(text("SELECT 1 FROM nowhere").columns(column("x"))))


SCENES: dict[str, Scene] = {
    scene.__name__.replace("_", " "): scene
    for scene in (
        one_change_is_made,
        reads_are_free_in_number,
        a_second_change_in_a_decision_leaves_nothing,
        a_failure_after_the_change_of_a_decision_leaves_nothing,
        every_kind_of_second_change_is_refused,
        execute_if_is_one_change_and_the_last,
        execute_if_changes_all_or_nothing,
        a_change_that_failed_is_none,
        who_reads_changes_nothing,
        a_write_makes_any_number_of_changes_or_none,
        one_row_is_asked_for,
        a_report_gives_what_it_found,
        a_report_cannot_change_anything,
        a_report_that_takes_too_long_ends_and_logins_go_on,
        reports_are_few_and_the_next_one_waits,
        a_report_whose_caller_goes_ends,
        what_a_report_raises_is_its_callers,
    )
}
