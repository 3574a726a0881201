"""A scanner that accepts only the CBOR of authenticators: CTAP 2.1 §8, canonical encoding form.

A general CBOR decoder accepts all of RFC 8949, and an attacker can use that:

- tags that share references (one kilobyte can unfold to all of the memory), compile regular
  expressions, or build fractions;
- maps whose keys are different in CBOR and equal in Python;
- one value in several lengths, which leaves room for bytes that no reader uses.

So this module scans the bytes once, before a decoder gets them. It decodes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_DEPTH = 6
MAX_MEMBERS = 64
UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP = range(6)
SIMPLE = 7
FALSE, TRUE, NULL = 20, 21, 22
# Additional information, and in how many following bytes the argument is (RFC 8949 §3).
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


class NotCanonical(ValueError):
    """The bytes are not CBOR in CTAP's canonical encoding form."""


def end_of_item(data: bytes, start: int = 0, *, depth: int = MAX_DEPTH) -> int:
    """Return the offset behind the item that begins at `start`.

    Raises NotCanonical. The time is linear in the number of bytes.
    """
    if depth == 0:
        raise NotCanonical("nested too deeply")
    kind, argument, position = _head(data, start)
    if kind in (UNSIGNED, NEGATIVE, SIMPLE):
        return position
    if kind in (BYTES, TEXT):
        return _checked_end(data, position + argument)
    if argument > MAX_MEMBERS:
        raise NotCanonical("too many members")
    for _ in range(argument):
        if kind == MAP:
            position = _end_of_key(data, position)
        position = end_of_item(data, position, depth=depth - 1)
    return position


def _end_of_key(data: bytes, start: int) -> int:
    # `true` as a key would collide with 1 in Python, and a list cannot be a key at all.
    kind, _, _ = _head(data, start)
    if kind not in (UNSIGNED, NEGATIVE, BYTES, TEXT):
        raise NotCanonical("a key that is neither a number nor a string")
    return end_of_item(data, start)


def is_map(data: bytes, start: int) -> bool:
    """Return whether the item that begins at `start` is a map. Raises NotCanonical."""
    return _head(data, start)[0] == MAP


def kind_of(data: bytes) -> int:
    """Return the major type of the item at the beginning of `data`, which is not empty."""
    return data[0] >> 5


def members(data: bytes) -> Iterator[tuple[bytes | None, int, int]]:
    """For each member of the map in `data`: its name, and where its value begins and ends.

    The name is UTF-8; it is None for a key that is not text. `data` must be canonical.
    """
    _, count, position = _head(data, 0)
    for _ in range(count):
        kind, length, start = _head(data, position)
        position = end_of_item(data, position)
        name = data[start : start + length] if kind == TEXT else None
        end = end_of_item(data, position)
        yield name, position, end
        position = end


def _head(data: bytes, start: int) -> tuple[int, int, int]:
    """Return major type and argument of the item at `start`, and the offset behind its head."""
    first = data[_checked_end(data, start + 1) - 1]
    kind, information = first >> 5, first & 0x1F
    if kind == SIMPLE and information not in (FALSE, TRUE, NULL):
        raise NotCanonical("a float or an unknown simple value")
    if kind not in (UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, SIMPLE):
        raise NotCanonical("a tag")
    if information < 24:
        return kind, information, start + 1
    width = _WIDTHS.get(information)
    if width is None:
        raise NotCanonical("an indefinite length")
    position = _checked_end(data, start + 1 + width)
    argument = int.from_bytes(data[start + 1 : position])
    shorter = 24 if width == 1 else 1 << 8 * (width // 2)
    if argument < shorter:
        raise NotCanonical("a longer head than needed")
    return kind, argument, position


def _checked_end(data: bytes, position: int) -> int:
    """Return `position`, or raise NotCanonical if it lies behind the end of `data`."""
    if position > len(data):
        raise NotCanonical("cut off")
    return position
