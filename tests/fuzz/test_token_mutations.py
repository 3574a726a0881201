"""The two readers of a token agree, whatever becomes of one."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.features.tokens.forge import token
from tests.features.tokens.readers import Readers
from tests.fuzz.strategies import steady

READERS = Readers.make()
TEXT = READERS.good.text
CLAIMS = json.dumps(READERS.good.claims, separators=(",", ":")).encode()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["cut", "put", "swap"]), st.integers(0, 10_000), st.integers(0, 127)),
    min_size=1,
    max_size=4,
)


def mutated(data: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    """`data` with bytes left out, put in or exchanged."""
    changed = bytearray(data)
    for how, place, value in changes:
        at = place % len(changed)
        changed[at : at + (how != "put")] = b"" if how == "cut" else bytes([value])
    return bytes(changed)


@steady
@given(CHANGES)
def test_a_text_that_was_changed(changes: list[tuple[str, int, int]]) -> None:
    """C1: the fast path reads no text but the genuine one."""
    text = mutated(TEXT.encode(), changes).decode("ascii")
    assert READERS.agree_on(text) is (text == TEXT)


@steady
@given(CHANGES)
def test_claims_that_were_changed_and_signed(changes: list[tuple[str, int, int]]) -> None:
    """C2: what is no JSON, or is JSON to one reader only."""
    READERS.agree_on(token(READERS.good.header, mutated(CLAIMS, changes)))


@steady
@given(st.dictionaries(st.sampled_from([*READERS.good.claims, "nbf", "extra"]), JSON, min_size=1))
def test_claims_of_any_value(claims: dict[str, Any]) -> None:
    """C2: of every type, and more than were asked for."""
    READERS.agree_on(READERS.good.with_claims(**claims))


@steady
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    assert not READERS.agree_on(text)
    assert not READERS.agree_on(f"{TEXT.rpartition('.')[0]}.{text}") or text == TEXT[-43:]
