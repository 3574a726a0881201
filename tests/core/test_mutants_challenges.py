"""The challenge store's small print."""

from __future__ import annotations

from stores.challenges import interface as challenges
from stores.challenges.interface import Pending


def test_a_ceremony_begins_with_no_user_and_nothing_offered() -> None:
    pending = Pending("login", None)
    assert pending.user is None
    assert pending.offered == frozenset()


def test_a_challenge_lives_300_seconds() -> None:
    """A6: as the contract has it, whatever the tests compute with."""
    assert challenges.LIFETIME_SECONDS == 300
