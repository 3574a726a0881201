"""Decoys take their shapes from the registered passkeys and hardly ever change."""

from __future__ import annotations

from collections import Counter

import pytest

from core.relying_party.decoys import DEFAULT_SHAPE, SAMPLE_SIZE, CredentialShape, Decoys
from core.settings import Settings

EMAILS = [f"nobody{number}@example.com" for number in range(400)]
COMMON: CredentialShape = ((32, "internal"),)
RARE: CredentialShape = ((16, "hybrid,internal"), (32, "internal"))


def decoys(*shapes: CredentialShape) -> Decoys:
    made = Decoys(Settings())
    made.observe(shapes)
    return made


def drawn(made: Decoys) -> list[CredentialShape]:
    return [
        tuple((len(key), transports) for key, transports in passkeys)
        for passkeys in map(made.of, EMAILS)
    ]


def test_before_anyone_has_registered_decoys_look_like_the_commonest_passkey() -> None:
    """D1: so the first to register does not stand out, most likely."""
    assert set(drawn(decoys())) == {DEFAULT_SHAPE}


def test_shapes_are_drawn_with_the_odds_they_have() -> None:
    """D1: one in four passkeys is rare, so about one in four decoys is."""
    counted = Counter(drawn(decoys(*[COMMON] * 75, *[RARE] * 25)))
    assert set(counted) == {COMMON, RARE}
    # Five standard deviations around a hundred.
    assert 57 <= counted[RARE] <= 143


def test_the_draw_hardly_changes_with_the_sample() -> None:
    """D1: one more passkey in a hundred moves about one email in a hundred, and no more."""
    before = drawn(decoys(*[COMMON] * 75, *[RARE] * 25))
    after = drawn(decoys(*[COMMON] * 75, *[RARE] * 26))
    moved = sum(old != new for old, new in zip(before, after, strict=True))
    assert moved <= 20


def test_adding_is_like_having_learnt() -> None:
    grown = decoys(COMMON)
    grown.add(RARE)
    assert list(map(grown.of, EMAILS)) == list(map(decoys(COMMON, RARE).of, EMAILS))


def test_once_the_sample_is_whole_nobody_moves_a_decoy() -> None:
    """D1: or one could tell decoys by registering odd passkeys and looking again."""
    full = decoys(*[COMMON] * SAMPLE_SIZE)
    assert full.sample_is_complete
    for _ in range(SAMPLE_SIZE):
        full.add(RARE)
    assert set(drawn(full)) == {COMMON}


@pytest.mark.parametrize("length", [1, 16, 64, 65, 1023])
def test_an_id_may_have_any_length_that_passkeys_have(length: int) -> None:
    made = decoys(((length, ""),))
    assert set(drawn(made)) == {((length, ""),)}
    assert made.of(EMAILS[0]) == made.of(EMAILS[0])


def test_a_longer_decoy_is_not_known_by_its_beginning() -> None:
    """D1: ids differ from email to email from the first bytes on."""
    keys = [decoys(((32, ""),)).of(email)[0][0] for email in EMAILS]
    assert len({key[:8] for key in keys}) == len(EMAILS)
