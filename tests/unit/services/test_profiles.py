"""Who may read whose profile, over a database that is a dictionary: events, answers and order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

import audit
from audit import Caller, Event, Principal
from core.database.interface import Database, Transaction
from core.errors import ApiError
from core.settings import Settings
from core.tokens.access_tokens import Subject, Tokens
from services.profiles import Profiles
from services.rate_limits import RateLimits
from stores import users
from stores.users import UserRow
from tests.support.clock import HeldClock

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CALLER = Caller("192.0.2.7", "curl/8", "r-1", AT)
JANE_ID, BOB_ID, ADA_ID, OFF_ID, NOBODY = (
    f"{n}0000000-0000-4000-8000-000000000000" for n in "12345"
)
TX = cast(Transaction, object())


def user(user_id: str, name: str, role: str = "user", disabled: int = 0) -> UserRow:
    email = f"{name.lower()}@x"
    return UserRow(user_id, name, "Doe", email, None, AT, "Engineer", role, disabled, AT)


JANE, BOB, ADA = user(JANE_ID, "Jane"), user(BOB_ID, "Bob"), user(ADA_ID, "Ada", "admin")
ROWS = {row.id: row for row in (JANE, BOB, ADA, user(OFF_ID, "Off", disabled=1))}
REJECTED = "Could not validate credentials"


class World:
    """A database that is a dictionary, rate limits that count, and a trail that is a list."""

    def __init__(self) -> None:
        self.trail: list[Event] = []
        self.admitted: list[tuple[Caller, str]] = []
        self.order: list[str] = []

    async def write(self, unit: Callable[[Transaction], Any]) -> Any:
        self.order.append("write")
        return unit(TX)

    async def autocommit(self, unit: Callable[[Transaction], Any]) -> Any:
        return await self.write(unit)

    decide = autocommit

    async def enforce(self, caller: Caller, action: str) -> dict[str, str]:
        self.order.append("enforce")
        self.admitted.append((caller, action))
        return {}

    def record(self, tx: Transaction, caller: Caller, event: Event) -> None:
        assert (tx, caller) == (TX, CALLER)
        self.trail.append(event)

    def by_id(self, tx: Transaction, user_id: str) -> UserRow | None:
        assert tx is TX
        return ROWS.get(user_id)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(audit, "record", world.record)
    monkeypatch.setattr(users, "by_id", world.by_id)
    return world


TOKENS = Tokens(Settings(), HeldClock(AT))


def token(user_id: str) -> str:
    return TOKENS.issue(Subject(user_id, "who@x", "A", "B", "admin"))


def read(world: World, bearer: str | None, user_id: str) -> UserRow:
    access = Profiles(cast(Database, world), TOKENS, cast(RateLimits, world))
    return asyncio.run(access.read_profile(CALLER, bearer, user_id))


def refused(world: World, bearer: str | None, user_id: str) -> tuple[int, str, str]:
    with pytest.raises(ApiError) as caught:
        read(world, bearer, user_id)
    return caught.value.status, caught.value.code, caught.value.detail


@pytest.mark.parametrize(("reader", "read_one"), [(JANE, JANE), (ADA, JANE), (ADA, ADA)])
def test_a_profile_is_for_its_owner_and_for_admins(
    world: World, reader: UserRow, read_one: UserRow
) -> None:
    """C6: and it is on record who read whose."""
    assert read(world, token(reader.id), read_one.id) is read_one
    assert world.trail == [audit.ProfileRead(Principal.of(reader), Principal.of(read_one))]
    assert world.order == ["write"]


def test_nobody_reads_another(world: World) -> None:
    """C6: the role in the token counts for nothing."""
    assert refused(world, token(JANE_ID), BOB_ID)[:2] == (403, "forbidden")
    refusal = audit.ProfileRefused(Principal.of(JANE), Principal.of(BOB), reason="forbidden")
    assert world.trail == [refusal]


def test_a_user_is_not_told_that_nobody_is_there(world: World) -> None:
    """C6: forbidden comes before not found."""
    assert refused(world, token(JANE_ID), NOBODY)[:2] == (403, "forbidden")
    refusal = audit.ProfileRefused(Principal.of(JANE), Principal(NOBODY, None), reason="forbidden")
    assert world.trail == [refusal]


@pytest.mark.parametrize(("asked", "kept"), [(NOBODY, NOBODY), ("me", None), (NOBODY + "x", None)])
def test_an_admin_is_told_and_no_junk_is_kept(world: World, asked: str, kept: str | None) -> None:
    """C6: what is no UUID does not stand in the trail."""
    assert refused(world, token(ADA_ID), asked) == (404, "user_not_found", "User not found")
    refusal = audit.ProfileRefused(Principal.of(ADA), Principal(kept, None), reason="not_found")
    assert world.trail == [refusal]


def test_what_is_no_uuid_is_not_looked_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROWS, "me", BOB)
    assert refused(world, token(ADA_ID), "me")[0] == 404


@pytest.mark.parametrize(
    ("user_id", "reason"), [(OFF_ID, "user_disabled"), (NOBODY, "unknown_user")]
)
def test_a_token_of_nobody_who_may_authorizes_nothing(
    world: World, user_id: str, reason: str
) -> None:
    """C4: the database has the last word, at once."""
    assert refused(world, token(user_id), user_id) == (401, "invalid_token", REJECTED)
    assert world.trail == [audit.TokenRejected(Principal(user_id, None), reason=reason)]
    assert world.admitted == []


@pytest.mark.parametrize(
    ("bearer", "answer", "reason"),
    [
        (None, (401, "not_authenticated", "Not authenticated"), "missing"),
        ("", (401, "invalid_token", REJECTED), "Decode"),
        ("x.y.z", (401, "invalid_token", REJECTED), "Decode"),
    ],
)
def test_no_token_and_a_bad_one_are_told_apart(
    world: World, bearer: str | None, answer: tuple[int, str, str], reason: str
) -> None:
    """Counted before it is recorded, or the trail could be flooded."""
    assert refused(world, bearer, JANE_ID) == answer
    assert world.trail == [audit.TokenRejected(reason=reason)]
    assert world.admitted == [(CALLER, "token_rejected")]
    assert world.order == ["enforce", "write"]
