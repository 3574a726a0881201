"""CBOR written out by hand: what no honest encoder makes (RFC 8949 §3, CTAP2 §8).

Raw bytes, or functions of the honest COSE key that return raw bytes; all of them go into
`Flaw(cose_key=...)`.
"""

from collections.abc import Callable
from typing import Any

import cbor2

CoseKey = dict[int, Any]


def repeated_kty(honest: CoseKey) -> bytes:
    """The honest key with its first label twice: CTAP2 canonical CBOR bars duplicate labels."""
    kty, other_kty = cbor2.dumps(1), cbor2.dumps(99)
    return bytes([0xA0 | len(honest) + 1]) + kty + other_kty + _members(honest)


def indefinite_length(honest: CoseKey) -> bytes:
    """The honest key as a CBOR map of indefinite length, which CTAP2 canonical CBOR bars."""
    return b"\xbf" + _members(honest) + b"\xff"


def miscounted_ed25519(x: bytes = bytes(32)) -> bytes:
    """A map of four members that says three, the known mistake of an early EdDSA authenticator;
    some libraries mend it in passing, and then meet a key type of "OKP" in text."""
    return bytes.fromhex("a301634f4b500327206745643235353139") + cbor2.dumps(-2) + cbor2.dumps(x)


def colliding_integer_map(size: int) -> bytes:
    """Danger: a CBOR map of `size` integer keys that all hash to 0 in CPython, multiples of
    2**61 - 1; decoding it takes time quadratic in `size` (attack A16)."""
    return _map_head(size) + _colliding_members(size)


def with_colliding_parameters(size: int) -> Callable[[CoseKey], bytes]:
    """Danger: the honest key with `size` colliding labels added, so that it is good otherwise."""
    return lambda honest: (
        _map_head(len(honest) + size) + _members(honest) + _colliding_members(size)
    )


def nested_lists(depth: int = 5000) -> bytes:
    """Danger: CBOR lists one inside the other, against decoders that recurse."""
    return b"\x81" * depth + b"\x00"


def claimed_length(items: int = 1 << 60) -> bytes:
    """Danger: a CBOR list that claims many items and holds none, against decoders that reserve."""
    return b"\x9b" + items.to_bytes(8, "big")


def _map_head(size: int) -> bytes:
    return b"\xba" + size.to_bytes(4, "big")


def _members(honest: CoseKey) -> bytes:
    """A map of fewer than 24 members has a head of one byte; this is what follows it."""
    return cbor2.dumps(honest)[1:]


def _colliding_members(size: int) -> bytes:
    """No dict on the way: one with these keys would take the same quadratic time to fill."""
    return b"".join(cbor2.dumps(n * (2**61 - 1)) + b"\x00" for n in range(1, size + 1))
