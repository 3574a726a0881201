"""Decoys come from a published table and a secret, and are recognised again."""

from __future__ import annotations

import secrets
from collections import Counter

import pytest

from core.relying_party.decoys import SHAPES, Decoys, Shape
from core.relying_party.options import MAX_OFFERED_ID
from core.relying_party.registration import MIN_CREDENTIAL_ID
from core.relying_party.response_json import TRANSPORTS
from core.settings import Settings

EMAILS = [f"nobody{number}@example.com" for number in range(5000)]
DECOYS = Decoys(Settings())
SECRET = "another secret of more than thirty-two bytes"


def drawn(made: Decoys, emails: list[str] = EMAILS) -> list[Shape]:
    return [Shape(len(key), transports) for email in emails for key, transports in made.of(email)]


def test_the_shares_of_the_table_are_thousandths() -> None:
    assert sum(SHAPES.values()) == 1000
    assert min(SHAPES.values()) > 0


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_a_shape_of_the_table_is_one_that_a_passkey_can_have(shape: Shape) -> None:
    """D1: long enough for a registration, short enough for an offer, transports as stored."""
    assert MIN_CREDENTIAL_ID <= shape.length <= MAX_OFFERED_ID
    names = tuple(filter(None, shape.transports.split(",")))
    assert names == tuple(name for name in TRANSPORTS if name in names)


def test_shapes_are_drawn_with_the_odds_of_the_table() -> None:
    """D1: each within five standard deviations of its share."""
    counted = Counter(drawn(DECOYS))
    assert set(counted) == set(SHAPES)
    for shape, weight in SHAPES.items():
        expected, share = len(EMAILS) * weight / 1000, weight / 1000
        assert abs(counted[shape] - expected) < 5 * (expected * (1 - share)) ** 0.5


def test_two_workers_agree() -> None:
    """D1: nothing but the secret and the email decides."""
    assert [Decoys(Settings()).of(email) for email in EMAILS[:50]] == [
        DECOYS.of(email) for email in EMAILS[:50]
    ]


def test_another_secret_draws_other_shapes_and_ids() -> None:
    """D1: who knows the table cannot compute the shape of an email."""
    other = Decoys(Settings.model_validate({"decoy_secret": SECRET}))
    assert drawn(other, EMAILS[:100]) != drawn(DECOYS, EMAILS[:100])
    assert not {other.of(email)[0][0] for email in EMAILS} & {
        DECOYS.of(email)[0][0] for email in EMAILS
    }


def test_ids_differ_from_the_first_bytes_on_and_at_their_ends() -> None:
    """D1: no part of an id tells that it is a decoy."""
    keys = [DECOYS.of(email)[0][0] for email in EMAILS]
    assert len({key[:8] for key in keys}) == len({key[-8:] for key in keys}) == len(EMAILS)
    for place in (*range(16), -1):
        assert max(Counter(key[place] for key in keys).values()) < 3 * len(EMAILS) / 256


def test_a_decoy_of_every_length_is_recognised() -> None:
    """D1: or its registration would succeed, and a real passkey's not."""
    keys = [DECOYS.of(email)[0][0] for email in EMAILS]
    assert {len(key) for key in keys} == {shape.length for shape in SHAPES}
    assert all(map(DECOYS.is_decoy, keys))


@pytest.mark.parametrize("length", [0, 1, 7, 8, 16, 20, 32, 64, 65, 255, 1023])
def test_no_other_id_is_taken_for_a_decoy(length: int) -> None:
    """D1: a person who registers never meets this refusal."""
    assert not any(DECOYS.is_decoy(secrets.token_bytes(length)) for _ in range(100))


def test_a_changed_decoy_is_none() -> None:
    """D1: nobody can make one from another."""
    key, _ = DECOYS.of(EMAILS[0])[0]
    for place in range(len(key)):
        changed = bytearray(key)
        changed[place] ^= 1
        assert not DECOYS.is_decoy(bytes(changed))
    assert not Decoys(Settings.model_validate({"decoy_secret": SECRET})).is_decoy(key)
