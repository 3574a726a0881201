"""The walk over CBOR: what an authenticator writes is measured, anything else is refused."""

from __future__ import annotations

import time
from typing import Any

import cbor2
import pytest

from core.relying_party import ctap_cbor
from core.relying_party.ctap_cbor import MAX_DEPTH, MAX_MEMBERS, NotCanonical, end_of_item
from devtools.hostile_cbor import claimed_length, colliding_integer_map, nested_lists
from tests.features.cbor_bombs import (
    colliding_fractions,
    regular_expressions,
    shared_references,
)

CANONICAL: dict[str, Any] = {
    "zero": 0,
    "23": 23,
    "24": 24,
    "255": 255,
    "256": 256,
    "65535": 65535,
    "65536": 65536,
    "the largest": 2**64 - 1,
    "negative": -1,
    "the most negative": -(2**64),
    "no bytes": b"",
    "300 bytes": bytes(300),
    "text": "é" * 12,
    "true": True,
    "false": False,
    "null": None,
    "a list": [1, [2, [3]]],
    "a map": {"fmt": "none", "attStmt": {}, "authData": bytes(200)},
    "a key": {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)},
    "as many members as may be": {n: n for n in range(MAX_MEMBERS)},
}
REFUSED = {
    "nothing": b"",
    "a head cut off": b"\x19\x01",
    "bytes cut off": b"\x43ab",
    "a list cut off": b"\x82\x01",
    "a map without its last value": b"\xa1\x01",
    "a list that claims 2**60 items": claimed_length(),
    "0 in two bytes": b"\x18\x00",
    "23 in two bytes": b"\x18\x17",
    "255 in three bytes": b"\x19\x00\xff",
    "65535 in five bytes": b"\x1a\x00\x00\xff\xff",
    "2**32 - 1 in nine bytes": b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff",
    "a length longer than needed": b"\x58\x01a",
    "reserved information": b"\x1c",
    "endless bytes": b"\x5f\x41a\xff",
    "endless text": b"\x7f\x61a\xff",
    "an endless list": b"\x9f\xff",
    "an endless map": b"\xbf\xff",
    "a break alone": b"\xff",
    "undefined": b"\xf7",
    "an unknown simple value": b"\xe0",
    "a simple value in two bytes": b"\xf8\xff",
    "a half float": b"\xf9\x3c\x00",
    "a float": b"\xfa\x3f\x80\x00\x00",
    "a double": b"\xfb" + bytes(8),
    "a date": cbor2.dumps(cbor2.CBORTag(0, "2020-01-01T00:00:00Z")),
    "a large integer": cbor2.dumps(2**64),
    "a tag of two bytes": b"\xd8\x20\x01",
    "a tag inside": b"\x81\xc2\x41\x01",
    "one level too many": b"\x81" * MAX_DEPTH + b"\x00",
    "lists in lists": nested_lists(),
    "one member too many": cbor2.dumps({n: n for n in range(MAX_MEMBERS + 1)}),
    "one item too many": cbor2.dumps([0] * (MAX_MEMBERS + 1)),
    "colliding integers": colliding_integer_map(500),
    "colliding fractions": colliding_fractions(),
    "a regular expression": regular_expressions(),
    "shared references": shared_references(),
}


@pytest.mark.parametrize("value", CANONICAL.values(), ids=CANONICAL)
def test_a_canonical_item_is_measured(value: Any) -> None:
    encoded = cbor2.dumps(value)
    assert end_of_item(encoded) == len(encoded)
    # Wherever it stands, and whatever comes after it.
    assert end_of_item(b"\xff\xff" + encoded + b"\xff", 2) == 2 + len(encoded)


@pytest.mark.parametrize("encoded", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused(encoded: bytes) -> None:
    """A14, A16: before a reader that takes all of RFC 8949 sees it."""
    with pytest.raises(NotCanonical):
        end_of_item(encoded)


@pytest.mark.parametrize("start", [1, 2, 1000])
def test_a_start_behind_the_end_is_refused(start: int) -> None:
    """A15: the length of a credential id may point anywhere."""
    with pytest.raises(NotCanonical):
        end_of_item(b"\x00", start)


def test_the_walk_takes_linear_time() -> None:
    """A16: 12,000 items in 12 kB, which is what fits into an attestation object."""
    row = cbor2.dumps([0] * MAX_MEMBERS)
    encoded = b"\x83" + (cbor2.dumps([None] * MAX_MEMBERS)[:2] + row * MAX_MEMBERS) * 3
    start = time.process_time()
    assert end_of_item(encoded) == len(encoded)
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize(
    ("data", "start", "answer"),
    [(b"\xa0", 0, True), (b"\x80", 0, False), (b"\x05", 0, False), (b"\x00\xa1", 1, True)],
)
def test_a_map_is_known_by_its_head(data: bytes, start: int, answer: bool) -> None:
    assert ctap_cbor.is_map(data, start) is answer


REASONS = {
    "nested too deeply": b"\x81" * 6 + b"\x00",
    "too many members": b"\x98\x41" + bytes(65),
    "a float or an unknown simple value": b"\xf9\x3c\x00",
    "a tag": b"\xc1\x00",
    "an indefinite length": b"\x5f\xff",
    "a longer head than needed": b"\x18\x17",
    "cut off": b"\x42a",
}


@pytest.mark.parametrize("words", REASONS)
def test_a_refusal_says_what_it_is_for(words: str) -> None:
    """A14: each by its own look, not by another's."""
    with pytest.raises(NotCanonical, match=f"^{words}$"):
        end_of_item(REASONS[words])


def test_five_lists_in_a_list_are_not_too_deep() -> None:
    encoded = b"\x81" * 5 + b"\x00"
    assert end_of_item(encoded) == 6


def test_64_members_are_not_too_many() -> None:
    assert end_of_item(b"\x98\x40" + bytes(64)) == 66
    assert end_of_item(b"\xb8\x40" + bytes(128)) == 130


@pytest.mark.parametrize("encoded", [b"\xb8\x41" + bytes(130), b"\x98\x41" + bytes(65)])
def test_65_members_are_too_many(encoded: bytes) -> None:
    """A16: whether it is a list or a map."""
    with pytest.raises(NotCanonical, match=r"^too many members$"):
        end_of_item(encoded)


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_a_head_cut_off_is_cut_off(width: int) -> None:
    """A15: by every width of its argument."""
    head = bytes([0x18 + (1, 2, 4, 8).index(width)])
    assert end_of_item(head + b"\xff" * width) == 1 + width
    with pytest.raises(NotCanonical, match=r"^cut off$"):
        end_of_item(head + b"\xff" * (width - 1))


@pytest.mark.parametrize("information", [28, 29, 30, 31])
def test_no_width_is_reserved(information: int) -> None:
    with pytest.raises(NotCanonical, match=r"^an indefinite length$"):
        end_of_item(bytes([information]) + bytes(16))
