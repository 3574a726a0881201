"""Changes and values for any field: bytes, texts and JSON values. All draws come from `rng`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

MARKER = "zqmarkzq"
"""Every genuine request contains this text; no error response may contain it."""

NASTY_BYTES = b'\x00\x01\x07\x1b\x7f\x80\xc0\xed\xff"\\{}[],:\r\n '
NASTY_TEXTS: Sequence[str] = (
    "", " ", "\0", f"{MARKER}\0", "a\r\nSet-Cookie: a=b", "\x1b[2J\x1b[31mred",
    "line\u2028separator", "\u202eesrever", "zero\u200bwidth", "\ufeffmark", "\ud800",
    "\udfff\ud800", "\U0010ffff", "\ufdfa" * 30, "\u0130\u1e9e\u00df\ufb01",
    "a" + "\u0301\u0316" * 90, "a" + "\u0301" * 3000 + "\u0316" * 3000,
    "<img src=x onerror=alert(1)>", "{{7*7}}${jndi:ldap://x}%n%s", "'; DROP TABLE users; --",
    "../../../../etc/passwd", "%00%0d%0a", "\U0001f469\u200d\U0001f4bb", f"{MARKER}" * 900,
    "A" * 65_000,
)  # fmt: skip
NASTY_VALUES: Sequence[Any] = (
    None, True, False, 0, -1, 1, 1.5, 1e308, 2**53 + 1, 10**18, "", "null", [], {}, [[]],
    {"": {}}, ["public-key"], [MARKER] * 1000, {MARKER: MARKER}, {"__proto__": {"role": "admin"}},
)  # fmt: skip


def index(rng: Random, count: int) -> int:
    """A random index below `count`, for the price of one draw."""
    return int(rng.random() * count)


def pick(rng: Random, choices: Sequence[T]) -> T:
    """One of the choices."""
    return choices[index(rng, len(choices))]


def flip_bits(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(pick(rng, (1, 1, 1, 2, 8))):
        changed[index(rng, len(changed))] ^= 1 << index(rng, 8)
    return bytes(changed)


def overwrite(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(pick(rng, (1, 1, 3))):
        changed[index(rng, len(changed))] = pick(rng, NASTY_BYTES)
    return bytes(changed)


def truncate(rng: Random, data: bytes) -> bytes:
    return data[: index(rng, len(data))]


def cut_out(rng: Random, data: bytes) -> bytes:
    start = index(rng, len(data))
    return data[:start] + data[start + 1 + index(rng, 16) :]


def repeat(rng: Random, data: bytes) -> bytes:
    start = index(rng, len(data))
    return data[:start] + data[start : start + 1 + index(rng, 64)] * 2 + data[start:]


def insert(rng: Random, data: bytes) -> bytes:
    start = index(rng, len(data))
    return data[:start] + rng.randbytes(1 + index(rng, 12)) + data[start:]


def append(rng: Random, data: bytes) -> bytes:
    more = (b"\0", b"\n", b"{}", b"\xff", data, rng.randbytes(1 + index(rng, 40)))
    return data + pick(rng, more)


BYTE_CHANGES: Sequence[Callable[[Random, bytes], bytes]] = (
    flip_bits, flip_bits, overwrite, truncate, cut_out, repeat, insert, append,
)  # fmt: skip


def corrupt(rng: Random, data: bytes) -> bytes:
    """`data` after one of the byte changes; never equal to `data`."""
    changed = pick(rng, BYTE_CHANGES)(rng, data)
    return changed if changed != data else data + b"\0"


def replacing(old: Any, new: Any) -> Callable[[Any], Any]:
    """A change that replaces `old` by `new` in a text or in bytes."""
    return lambda value: value.replace(old, new)
