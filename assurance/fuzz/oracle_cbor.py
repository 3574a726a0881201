"""A strict CBOR reader for the oracle, without a library: it accepts only what CTAP2 allows.

The service uses a library. With the same library here, both would make the same mistakes.
"""

from __future__ import annotations

import struct
from typing import Any

MAX_DEPTH = 5  # CTAP2 §8 has 4; the formats of attestation may need one more


class Malformed(Exception):
    """Not CBOR, or CBOR that CTAP2 does not allow."""


def only_item(data: bytes) -> Any:
    """The only item in `data`. Raises Malformed if bytes follow it."""
    value, end = item(data, 0)
    if end != len(data):
        raise Malformed("trailing bytes")
    return value


def item(data: bytes, start: int, depth: int = 0) -> tuple[Any, int]:
    """The item at `start`, and where it ends. Raises Malformed."""
    if depth > MAX_DEPTH:
        raise Malformed("nested too deeply")
    major, extra = data[start] >> 5 if start < len(data) else 8, data[start : start + 1]
    if not extra:
        raise Malformed("too short")
    if major == 7:
        return _simple(data, start)
    number, at = _number(data, start)
    if major in (0, 1):
        return (number if major == 0 else -1 - number), at
    if major in (2, 3):
        return _string(data, at, number, is_text=major == 3)
    if major == 4:
        return _list(data, at, number, depth)
    if major == 5:
        return _map(data, at, number, depth)
    raise Malformed("a tag")


def skip(data: bytes, start: int, depth: int = 0) -> int:
    """Where the item at `start` ends. Strings are not decoded and keys not compared."""
    if depth > MAX_DEPTH or start >= len(data):
        raise Malformed("nested too deeply, or too short")
    major = data[start] >> 5
    if major == 7:
        return _simple(data, start)[1]
    number, at = _number(data, start)
    if major in (2, 3):
        return at + len(_string(data, at, number, is_text=False)[0])
    if major == 6:
        raise Malformed("a tag")
    for _ in range({4: number, 5: 2 * number}.get(major, 0)):
        at = skip(data, at, depth + 1)
    return at


def _number(data: bytes, start: int) -> tuple[int, int]:
    info = data[start] & 31
    if info < 24:
        return info, start + 1
    if info > 27:
        raise Malformed("indefinite or reserved length")
    width: int = 1 << (info - 24)
    raw = data[start + 1 : start + 1 + width]
    number = int.from_bytes(raw)
    shortest = 24 if width == 1 else 256 ** (width // 2)
    if len(raw) < width or number < shortest:
        raise Malformed("a number in too many bytes, or too few")
    return number, start + 1 + width


def _string(data: bytes, at: int, length: int, *, is_text: bool) -> tuple[Any, int]:
    raw = data[at : at + length]
    if len(raw) < length:
        raise Malformed("too short")
    try:
        return (raw.decode("utf-8") if is_text else raw), at + length
    except UnicodeDecodeError:
        raise Malformed("text that is not UTF-8") from None


def _list(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(count):
        value, at = item(data, at, depth + 1)
        items.append(value)
    return items, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[Any, Any], int]:
    members: dict[Any, Any] = {}
    for _ in range(count):
        key, at = item(data, at, depth + 1)
        # No bool: in Python True and 1 are the same key.
        if type(key) not in (int, str, bytes) or key in members:
            raise Malformed("a key twice, or of a strange type")
        members[key], at = item(data, at, depth + 1)
    return members, at


def _simple(data: bytes, start: int) -> tuple[Any, int]:
    first = data[start]
    if first in (0xF4, 0xF5, 0xF6, 0xF7):
        return {0xF4: False, 0xF5: True}.get(first), start + 1
    layout = {0xF9: ">e", 0xFA: ">f", 0xFB: ">d"}.get(first)
    if layout is None:
        raise Malformed("an unknown simple value")
    end = start + 1 + struct.calcsize(layout)
    if end > len(data):
        raise Malformed("too short")
    return struct.unpack(layout, data[start + 1 : end])[0], end
