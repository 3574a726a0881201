"""The CBOR that authenticators write, and no more of it: CTAP 2.1 §8, canonical encoding form.

CBOR readers take what RFC 8949 allows: tags that share references (a kilobyte unfolds to all the
memory there is), compile regular expressions or divide fractions; maps whose keys collide; one
value in several lengths, in whose shadow bytes can trail. So the bytes are walked first, once.
"""

from __future__ import annotations

MAX_DEPTH = 6
MAX_MEMBERS = 64
UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP = range(6)
SIMPLE = 7
FALSE, TRUE, NULL = 20, 21, 22
# Additional information that says "the argument is in the next so many bytes" (RFC 8949 §3).
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


class NotCanonical(ValueError):
    """The bytes are not CBOR as an authenticator writes it."""


def end_of_item(data: bytes, start: int = 0, *, depth: int = MAX_DEPTH) -> int:
    """Where the item that begins at `start` ends. Raises NotCanonical; takes linear time."""
    if depth == 0:
        raise NotCanonical("nested too deeply")
    kind, argument, position = _head(data, start)
    if kind in (UNSIGNED, NEGATIVE, SIMPLE):
        return position
    if kind in (BYTES, TEXT):
        return _within(data, position + argument)
    if argument > MAX_MEMBERS:
        raise NotCanonical("too many members")
    for _ in range(argument):
        if kind == MAP:
            position = _end_of_key(data, position)
        position = end_of_item(data, position, depth=depth - 1)
    return position


def _end_of_key(data: bytes, start: int) -> int:
    # True is 1 to Python, and a list is no key at all.
    kind, _, _ = _head(data, start)
    if kind not in (UNSIGNED, NEGATIVE, BYTES, TEXT):
        raise NotCanonical("a key that is neither a number nor a string")
    return end_of_item(data, start)


def is_map(data: bytes, start: int) -> bool:
    """Whether a map begins at `start`."""
    return _head(data, start)[0] == MAP


def _head(data: bytes, start: int) -> tuple[int, int, int]:
    """Major type and argument of the item at `start`, and where what follows them begins."""
    first = data[_within(data, start + 1) - 1]
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
    position = _within(data, start + 1 + width)
    argument = int.from_bytes(data[start + 1 : position])
    shorter = 24 if width == 1 else 1 << 8 * (width // 2)
    if argument < shorter:
        raise NotCanonical("a longer head than needed")
    return kind, argument, position


def _within(data: bytes, position: int) -> int:
    if position > len(data):
        raise NotCanonical("cut off")
    return position
