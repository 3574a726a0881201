"""Encodes CBOR by hand, so that the encoding can be wrong (RFC 8949 §3)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import cbor2

from assurance.fuzz.byte_mutations import MARKER, index, pick

UINT, NEGATIVE, OCTETS, TEXT, LIST, MAP, TAG, SIMPLE = range(8)
BREAK = b"\xff"
MERSENNE = 2**61 - 1
Pairs = list[tuple[bytes, bytes]]
"""The encoded keys and values of a map."""
TAGS = (0, 1, 2, 3, 4, 5, 21, 24, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 261, 55799, 2**40)


def head(major: int, number: int, width: int | None = None) -> bytes:
    """The first bytes of an item; `width` is the size of the number in bytes (None: shortest)."""
    if width is None:
        width = next(size for size in (0, 1, 2, 4, 8) if number < (24 if size == 0 else 256**size))
    if width == 0:
        return bytes([major << 5 | number])
    return bytes([major << 5 | (24, 25, 26, 27)[(1, 2, 4, 8).index(width)]]) + number.to_bytes(
        width
    )


def text(value: str) -> bytes:
    raw = value.encode()
    return head(TEXT, len(raw)) + raw


def octets(value: bytes) -> bytes:
    return head(OCTETS, len(value)) + value


def tagged(tag: int, item: bytes) -> bytes:
    return head(TAG, tag) + item


def half(number: float) -> bytes:
    """A number as a half-precision float; cbor2 encodes the same float six bytes longer."""
    return b"\xf9" + struct.pack(">e", number)


def mapping(pairs: Sequence[tuple[bytes, bytes]], count: int | None = None) -> bytes:
    """A map of encoded pairs; `count` is the number of pairs that its head claims."""
    members = b"".join(key + value for key, value in pairs)
    return head(MAP, len(pairs) if count is None else count) + members


def pairs_of(honest: Mapping[Any, Any]) -> Pairs:
    """The members of an honest map, encoded one by one."""
    return [(cbor2.dumps(key), cbor2.dumps(value)) for key, value in honest.items()]


def expensive_pattern(rng: Random, size: int) -> bytes:
    """Tag 35: a regular expression that a decoder compiles, which takes long."""
    ranges = "(?i)" + f"[{chr(0x100 + index(rng, 5000))}-\uffff]" * (size // 8)
    return head(TAG, 35) + text(ranges)


def colliding(size: int) -> bytes:
    """A map of about `size` bytes whose keys all have one hash in CPython."""
    return mapping([(cbor2.dumps(n * MERSENNE), b"\0") for n in range(1, size // 12)])


# Numbers, simple values, floats, empty strings and containers, texts.
ATOMS: Sequence[bytes] = (
    b"\0", b"\x20", head(UINT, 2**64 - 1), head(NEGATIVE, 2**64 - 1), b"\xf4", b"\xf5", b"\xf6",
    b"\xf7", b"\xe5", half(-7.0), b"\xf9\x7e\x00", b"\xf9\x7c\x00",
    b"\xfb" + struct.pack(">d", 2.0),
    b"\x40", b"\x60", b"\x80", b"\xa0", text(MARKER), text("\0"), octets(b"\0" * 32),
)  # fmt: skip
HOSTILE: Sequence[Callable[[Random], bytes]] = (
    lambda rng: expensive_pattern(rng, pick(rng, (16, 200, 800))),
    lambda rng: expensive_pattern(rng, pick(rng, (200, 800, 2000))),
    lambda rng: expensive_pattern(rng, 400),
    lambda rng: colliding(pick(rng, (100, 7000, 12_000))),
    lambda rng: tagged(35, text("(a" * 40)),
    lambda rng: tagged(36, text("A: b\n" * 1000)),
    lambda rng: tagged(2, octets(rng.randbytes(pick(rng, (0, 1, 9, 8000))))),
    lambda rng: tagged(3, octets(rng.randbytes(8000))),
    lambda rng: tagged(4, b"\x82" + head(UINT, 2**63) + b"\x01"),
    lambda rng: tagged(4, b"\x82\x03" + tagged(2, octets(rng.randbytes(7000)))),
    lambda rng: tagged(5, b"\x82\x1a\x00\xff\xff\xff" + tagged(2, octets(b"\xff" * 7000))),
    lambda rng: tagged(30, b"\x82\x01\x00"),
    lambda rng: tagged(28, b"\x81" + tagged(29, b"\x00")),
    lambda rng: tagged(256, b"\x82" + text(MARKER) + tagged(25, b"\x00")),
    lambda rng: tagged(258, b"\x82\x01\x01"),
    lambda rng: tagged(pick(rng, TAGS), pick(rng, ATOMS)),
    lambda rng: head(TAG, 24) * pick(rng, (5, 3000)) + b"\0",
    lambda rng: b"\x81" * pick(rng, (5, 9, 400, 7000)) + b"\0",
    lambda rng: b"\xa1\x00" * pick(rng, (5, 9, 400, 3500)) + b"\0",
    lambda rng: b"\x9f" * pick(rng, (2, 400)) + BREAK,
    lambda rng: head(pick(rng, (OCTETS, TEXT, LIST, MAP)), 2 ** pick(rng, (31, 32, 62, 63))),
    lambda rng: bytes([pick(rng, (0x1C, 0x3D, 0x5E, 0xFC, 0xFD, 0xFF, 0xF8))]),
    lambda rng: b"\x7f" + text("no") + text("ne") + BREAK,
    lambda rng: b"\x5f" + octets(b"a") + b"\x5f" + BREAK + BREAK,
    lambda rng: b"\x62\xc3\x28",
    lambda rng: pick(rng, ATOMS),
)


def hostile(rng: Random) -> bytes:
    """One item that no authenticator sends."""
    return pick(rng, HOSTILE)(rng)
