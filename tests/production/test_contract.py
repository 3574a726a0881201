"""The contract of `Database` on PostgreSQL, and what only several connections can show."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncpg
import pytest
from sqlalchemy import func, select

from core.database.interface import DatabaseUnavailable, TooManyChanges, Transaction
from core.database.postgres import DECIDE_ATTEMPTS, PostgresDatabase
from core.database.schema_version import require_newest
from models import AuditLog
from stores import audit_logs, users
from stores.users import UserRow
from tests.storage.contract import SCENES, ids, two_notes
from tests.storage.units import count, note
from tests.support import production

T = TypeVar("T")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
JANE = UserRow("u1", "Jane", "Doe", "jane@x", None, NOW, "Engineer", "admin", 0, NOW)
DEMOTE = "UPDATE users SET role = 'user'"


@pytest.fixture
def name(database: str) -> str:
    return database.rpartition("/")[2]


Play = Callable[[Callable[[PostgresDatabase], Awaitable[T]]], T]


@pytest.fixture
def play(database: str) -> Play[Any]:
    """Plays a scene on an empty database, over three connections."""

    async def live(scene: Callable[[PostgresDatabase], Awaitable[T]]) -> T:
        db = PostgresDatabase(database, require_newest, 3)
        await db.start()
        try:
            return await scene(db)
        finally:
            await db.stop()

    return lambda scene: asyncio.run(live(scene))


def beside(name: str, statement: str) -> None:
    """Run one statement on a connection of its own, while the event loop stands still."""
    with ThreadPoolExecutor(1) as other:
        other.submit(production.execute, name, statement).result(10)


@pytest.mark.parametrize("scene", SCENES)
def test_postgresql_keeps_the_contract(play: Play[None], scene: str) -> None:
    play(SCENES[scene])


def test_the_first_change_of_an_autocommit_unit_is_committed(play: Play[None]) -> None:
    """F16: the second is refused, and the mistake is raised; but nothing can be undone here."""

    async def scene(db: PostgresDatabase) -> None:
        with pytest.raises(TooManyChanges):
            await db.autocommit(two_notes)
        assert await ids(db) == ["first"]

    play(scene)


def role_and_record(tx: Transaction) -> str:
    """As a profile is read: the role, and then a row that says what was decided."""
    found = users.by_id(tx, "u1")
    assert found is not None
    note(f"read as {found.role}")(tx)
    return found.role


def test_a_role_that_changes_between_the_read_and_the_record_is_not_seen(
    play: Play[None], name: str
) -> None:
    """F16: the reads of a decision and its record are of one moment."""

    def unit(tx: Transaction) -> str:
        first = users.by_id(tx, "u1")
        beside(name, DEMOTE)
        again = users.by_id(tx, "u1")
        assert first == again
        assert first is not None
        note(first.role)(tx)
        return first.role

    async def scene(db: PostgresDatabase) -> None:
        await db.write(lambda tx: users.add(tx, JANE))
        assert await db.decide(unit) == "admin"
        assert await ids(db) == ["admin"]
        # The next decision sees the new role.
        assert await db.decide(role_and_record) == "user"

    play(scene)


def audit_row(**values: Any) -> dict[str, Any]:
    columns = AuditLog.__table__.columns.keys()
    kept = {"event_type": "note", "success": 1, "created_at": NOW}
    return {**dict.fromkeys(columns), **kept, **values}


def test_a_decision_that_another_transaction_was_in_the_way_of_is_made_again(
    play: Play[None], name: str
) -> None:
    """The account goes between the read and the record, which refers to it."""
    reads: list[bool] = []

    def unit(tx: Transaction) -> bool:
        there = users.by_id(tx, "u1") is not None
        reads.append(there)
        if there:
            beside(name, "DELETE FROM users")
        audit_logs.add(tx, audit_row(id=f"row {len(reads)}", user_id="u1"))
        return there

    async def scene(db: PostgresDatabase) -> None:
        await db.write(lambda tx: users.add(tx, JANE))
        assert await db.decide(unit) is False
        assert reads == [True, False]
        # Nothing of the first try remains, and the row has no link to a user who is gone.
        rows = await db.read(lambda tx: tx.query(select(AuditLog.id, AuditLog.user_id)).all())
        assert [tuple(row) for row in rows] == [("row 2", None)]

    play(scene)


def test_a_decision_is_not_made_again_for_ever(play: Play[None]) -> None:
    tries: list[int] = []

    def unit(_tx: Transaction) -> None:
        tries.append(1)
        raise asyncpg.exceptions.SerializationError

    async def scene(db: PostgresDatabase) -> None:
        with pytest.raises(DatabaseUnavailable):
            await db.decide(unit)
        assert await db.decide(count) == 0

    play(scene)
    assert len(tries) == DECIDE_ATTEMPTS


def test_the_limits_of_a_report_are_its_own(play: Play[None]) -> None:
    """The next unit on the connection knows nothing of them; one connection is left to requests."""

    async def scene(db: PostgresDatabase) -> None:
        def unit(tx: Transaction) -> str:
            return str(tx.query(_setting("statement_timeout")).scalar())

        assert await db.report(unit, 1.5) == "1500ms"
        assert await db.read(unit) == "0"
        read_only = _setting("transaction_read_only")
        assert await db.report(lambda tx: tx.query(read_only).scalar()) == "on"
        assert db._reports._value == 2

    play(scene)


def _setting(setting: str) -> Any:
    return select(func.current_setting(setting))
