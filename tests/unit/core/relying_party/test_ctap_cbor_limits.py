"""What the walk over CBOR says, and its limits as numbers."""

from __future__ import annotations

import pytest

from core.ctap_cbor import NotCanonical, end_of_item

SAID = {
    "nested too deeply": b"\x81" * 6 + b"\x00",
    "too many members": b"\x98\x41" + bytes(65),
    "a float or an unknown simple value": b"\xf9\x3c\x00",
    "a tag": b"\xc1\x00",
    "an indefinite length": b"\x5f\xff",
    "a longer head than needed": b"\x18\x17",
    "cut off": b"\x42a",
}


@pytest.mark.parametrize("words", SAID)
def test_a_refusal_says_what_it_is_for(words: str) -> None:
    """A14: each by its own look, not by another's."""
    with pytest.raises(NotCanonical, match=f"^{words}$"):
        end_of_item(SAID[words])


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
