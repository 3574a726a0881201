"""The challenge store in memory: each challenge once, for five minutes, up to a capacity."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from core.encoding import base64url_decode as decode
from stores.challenges.interface import LIFETIME_SECONDS, Pending
from stores.challenges.memory import MemoryChallenges
from tests.support.clock import HeldClock

T = TypeVar("T")
JANE, BOB = Pending("login", "jane@example.com"), Pending("registration", "bob@example.com")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def store(clock: HeldClock) -> MemoryChallenges:
    return MemoryChallenges(clock, capacity=3)


def test_what_was_put_is_taken_once(store: MemoryChallenges) -> None:
    """A1: and it gives the ceremony that was put."""
    challenge = run(store.put(JANE))
    assert run(store.take(challenge)) == JANE
    assert run(store.take(challenge)) is None
    assert len(store) == 0


def test_a_challenge_opens_only_its_own(store: MemoryChallenges) -> None:
    first, second = run(store.put(JANE)), run(store.put(BOB))
    assert run(store.take(second)) == BOB
    assert run(store.take(first)) == JANE


@pytest.mark.parametrize("text", ["", "A", "A" * 43, "é"])
def test_an_unknown_challenge_opens_nothing(store: MemoryChallenges, text: str) -> None:
    run(store.put(JANE))
    assert run(store.take(text)) is None
    assert len(store) == 1


def test_challenges_are_32_random_bytes(clock: HeldClock) -> None:
    store = MemoryChallenges(clock, capacity=1000)
    challenges = {run(store.put(JANE)) for _ in range(100)}
    assert len(challenges) == 100
    assert {len(decode(challenge)) for challenge in challenges} == {32}


@pytest.mark.parametrize(
    ("seconds", "found"), [(0, JANE), (LIFETIME_SECONDS - 0.001, JANE), (LIFETIME_SECONDS, None)]
)
def test_a_challenge_lives_five_minutes(
    store: MemoryChallenges, clock: HeldClock, seconds: float, found: Pending | None
) -> None:
    """A6: exactly five minutes, whatever the wall clock does."""
    challenge = run(store.put(JANE))
    clock.advance(seconds)
    clock.set_wall(-seconds)
    assert run(store.take(challenge)) == found


def test_an_expired_challenge_is_spent_by_the_try(
    store: MemoryChallenges, clock: HeldClock
) -> None:
    """A6: it is removed at once, and not when its room is needed."""
    challenge = run(store.put(JANE))
    clock.advance(LIFETIME_SECONDS)
    assert run(store.take(challenge)) is None
    assert len(store) == 0


def test_when_it_is_full_the_oldest_goes(store: MemoryChallenges) -> None:
    challenges = [run(store.put(JANE)) for _ in range(5)]
    assert len(store) == 3
    assert [run(store.take(challenge)) for challenge in challenges] == [None, None] + [JANE] * 3


def test_a_taken_one_makes_room(store: MemoryChallenges) -> None:
    challenges = [run(store.put(JANE)) for _ in range(3)]
    run(store.take(challenges[1]))
    run(store.put(BOB))
    assert run(store.take(challenges[0])) == JANE


def test_all_that_have_expired_go_before_the_oldest_that_lives(
    store: MemoryChallenges, clock: HeldClock
) -> None:
    for _ in range(2):
        run(store.put(JANE))
    clock.advance(LIFETIME_SECONDS - 1)
    young = run(store.put(BOB))
    clock.advance(1)
    run(store.put(BOB))
    assert len(store) == 2
    assert run(store.take(young)) == BOB


def test_of_many_takers_one_gets_it(store: MemoryChallenges) -> None:
    """A2: in whatever order they run."""

    async def race() -> list[Pending | None]:
        challenge = await store.put(JANE)
        return await asyncio.gather(*(store.take(challenge) for _ in range(100)))

    found = run(race())
    assert [pending for pending in found if pending] == [JANE]


def test_how_many_wait_can_be_asked() -> None:
    store = MemoryChallenges(HeldClock(), 100)
    run(store.put(JANE))
    assert store.metrics() == {"challenges_waiting": 1}


def test_a_ceremony_begins_with_no_user_and_nothing_offered() -> None:
    pending = Pending("login", None)
    assert pending.user is None
    assert pending.offered == frozenset()


def test_a_challenge_lives_300_seconds() -> None:
    """A6: the contract's number; the tests above compute with the constant."""
    assert LIFETIME_SECONDS == 300
