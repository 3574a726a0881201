"""What is broken the same way whatever it means: bytes, texts, JSON values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

MARKER = "zqmarkzq"
"""In every genuine request; no error may give it back."""

NASTY_BYTES = b'\x00\x01\x07\x1b\x7f\x80\xc0\xed\xff"\\{}[],:\r\n '
NASTY_TEXTS: Sequence[str] = (
    "",
    " ",
    "\0",
    f"{MARKER}\0",
    "a\r\nSet-Cookie: a=b",
    "\x1b[2J\x1b[31mred",
    "line\u2028separator",
    "\u202eesrever",
    "zero\u200bwidth",
    "\ufeffmark",
    "\ud800",
    "\udfff\ud800",
    "\U0010ffff",
    "\ufdfa" * 30,
    "\u0130\u1e9e\u00df\ufb01",
    "a" + "\u0301\u0316" * 90,
    "a" + "\u0301" * 3000 + "\u0316" * 3000,
    "<img src=x onerror=alert(1)>",
    "{{7*7}}${jndi:ldap://x}%n%s",
    "'; DROP TABLE users; --",
    "../../../../etc/passwd",
    "%00%0d%0a",
    "\U0001f469\u200d\U0001f4bb",
    f"{MARKER}" * 900,
    "A" * 65_000,
)
NASTY_VALUES: Sequence[Any] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    1e308,
    2**53 + 1,
    10**18,
    "",
    "null",
    [],
    {},
    [[]],
    {"": {}},
    ["public-key"],
    [MARKER] * 1000,
    {MARKER: MARKER},
    {"__proto__": {"role": "admin"}},
)


def at(rng: Random, count: int) -> int:
    """An index below `count`, at the cost of one draw."""
    return int(rng.random() * count)


def pick(rng: Random, choices: Sequence[T]) -> T:
    """One of them."""
    return choices[at(rng, len(choices))]


def flip_bits(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(pick(rng, (1, 1, 1, 2, 8))):
        changed[at(rng, len(changed))] ^= 1 << at(rng, 8)
    return bytes(changed)


def poke(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(pick(rng, (1, 1, 3))):
        changed[at(rng, len(changed))] = pick(rng, NASTY_BYTES)
    return bytes(changed)


def truncate(rng: Random, data: bytes) -> bytes:
    return data[: at(rng, len(data))]


def cut_out(rng: Random, data: bytes) -> bytes:
    start = at(rng, len(data))
    return data[:start] + data[start + 1 + at(rng, 16) :]


def repeat(rng: Random, data: bytes) -> bytes:
    start = at(rng, len(data))
    return data[:start] + data[start : start + 1 + at(rng, 64)] * 2 + data[start:]


def splice(rng: Random, data: bytes) -> bytes:
    start = at(rng, len(data))
    return data[:start] + rng.randbytes(1 + at(rng, 12)) + data[start:]


def append(rng: Random, data: bytes) -> bytes:
    return data + pick(rng, (b"\0", b"\n", b"{}", b"\xff", data, rng.randbytes(1 + at(rng, 40))))


BYTE_CHANGES: Sequence[Callable[[Random, bytes], bytes]] = (
    flip_bits,
    flip_bits,
    poke,
    truncate,
    cut_out,
    repeat,
    splice,
    append,
)


def corrupt(rng: Random, data: bytes) -> bytes:
    """`data` changed in one of these ways, and never as it was."""
    changed = pick(rng, BYTE_CHANGES)(rng, data)
    return changed if changed != data else data + b"\0"
