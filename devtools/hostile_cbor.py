"""CBOR that no encoder produces, built byte by byte (RFC 8949 §3, CTAP2 §8).

Each function returns raw bytes, or a function of the correct COSE key that returns raw bytes. All
of them are values for `Flaw(cose_key=...)`.
"""

from collections.abc import Callable
from typing import Any

import cbor2

CoseKey = dict[int, Any]


def repeated_kty(honest: CoseKey) -> bytes:
    """The correct key with its first label twice; CTAP2 canonical CBOR forbids duplicate labels."""
    kty, other_kty = cbor2.dumps(1), cbor2.dumps(99)
    return bytes([0xA0 | len(honest) + 1]) + kty + other_kty + _members(honest)


def indefinite_length(honest: CoseKey) -> bytes:
    """The correct key as a map of indefinite length, which CTAP2 canonical CBOR forbids."""
    return b"\xbf" + _members(honest) + b"\xff"


def miscounted_ed25519(x: bytes = bytes(32)) -> bytes:
    """A map of four members whose head says three: the known bug of an early EdDSA authenticator.

    Some libraries correct it silently, and then find the text "OKP" as the key type.
    """
    return bytes.fromhex("a301634f4b500327206745643235353139") + cbor2.dumps(-2) + cbor2.dumps(x)


def colliding_integer_map(size: int) -> bytes:
    """Danger: a CBOR map whose decoding takes time quadratic in `size` (attack A16).

    Its `size` keys are multiples of 2**61 - 1, which all have the hash 0 in CPython.
    """
    return _map_head(size) + _colliding_members(size)


def with_colliding_parameters(size: int) -> Callable[[CoseKey], bytes]:
    """Danger: the correct key with `size` labels added that all have one hash."""
    return lambda honest: (
        _map_head(len(honest) + size) + _members(honest) + _colliding_members(size)
    )


def nested_lists(depth: int = 5000) -> bytes:
    """Danger: nested CBOR lists, against decoders that recurse."""
    return b"\x81" * depth + b"\x00"


def claimed_length(items: int = 1 << 60) -> bytes:
    """Danger: a CBOR list that claims many items and has none, against decoders that allocate."""
    return b"\x9b" + items.to_bytes(8, "big")


def _map_head(size: int) -> bytes:
    return b"\xba" + size.to_bytes(4, "big")


def _members(honest: CoseKey) -> bytes:
    """The members of the encoded map. A map of fewer than 24 members has a head of one byte."""
    return cbor2.dumps(honest)[1:]


def _colliding_members(size: int) -> bytes:
    """The encoded members. No dict is used: filling it would take the same quadratic time."""
    return b"".join(cbor2.dumps(n * (2**61 - 1)) + b"\x00" for n in range(1, size + 1))
