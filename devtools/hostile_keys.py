"""Credential public keys that a relying party must refuse at registration.

Each is a value for `Flaw(cose_key=...)`: a COSE_Key map (RFC 9052 §7), raw CBOR bytes, or a
function of the correct key. `EVERY` holds all of them by name, for parametrized tests.
"""

import secrets
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from devtools import cose
from devtools.cose import ALG, CRV, KTY, E, N, X, Y
from devtools.hostile_cbor import (
    CoseKey,
    claimed_length,
    colliding_integer_map,
    indefinite_length,
    miscounted_ed25519,
    nested_lists,
    repeated_kty,
    with_colliding_parameters,
)

KeyChange = Callable[[CoseKey], object]

UNIVERSAL_ED25519_SIGNATURE: Final = b"\x01" + bytes(63)
"""A signature of every message under `small_order_ed25519()`: R is the neutral point, S is 0."""


def off_curve() -> CoseKey:
    """ES256 with a point that is not on P-256: one bit of y is wrong."""
    key = cose.cose_key(cose.generate_private_key(cose.ES256).public_key())
    return {**key, Y: key[Y][:-1] + bytes([key[Y][-1] ^ 1])}


def zero_point() -> CoseKey:
    """ES256 with x = y = 0, which some libraries read as the point at infinity."""
    return {KTY: cose.KTY_EC2, ALG: cose.ES256, CRV: cose.CRV_P256, X: bytes(32), Y: bytes(32)}


def p384() -> CoseKey:
    """A P-384 key that claims ES256; WebAuthn L3 §5.8.5 allows only P-256."""
    point = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    x, y = (coordinate.to_bytes(48, "big") for coordinate in (point.x, point.y))
    return {KTY: cose.KTY_EC2, ALG: cose.ES256, CRV: 2, X: x, Y: y}


def compressed_point(honest: CoseKey) -> CoseKey:
    """The correct ES256 key with y as a sign bit (RFC 9053 §7.1.1), which WebAuthn forbids."""
    return {**honest, Y: bool(honest[Y][-1] & 1)}


def rsa(bits: int = 2048, e: int = 65537) -> CoseKey:
    """RS256 with a modulus of `bits` and the exponent `e`, even weak ones.

    Its private key is not known to anybody; but with e = 1 everybody can sign.
    """
    modulus, exponent = cose.minimal_bytes(_modulus(bits)), cose.minimal_bytes(e)
    return {KTY: cose.KTY_RSA, ALG: cose.RS256, N: modulus, E: exponent}


@cache
def _modulus(bits: int) -> int:
    """An RSA modulus where the library creates one quickly, else a random odd number."""
    if 1024 <= bits <= 2048:
        return generate_private_key(65537, bits).public_key().public_numbers().n
    return secrets.randbits(bits) | 1 << (bits - 1) | 1


def short_ed25519(length: int = 5) -> CoseKey:
    """EdDSA with a public key of `length` bytes; Ed25519 has 32."""
    return _okp(secrets.token_bytes(length))


def small_order_ed25519() -> CoseKey:
    """EdDSA with the neutral point: anybody can sign, with UNIVERSAL_ED25519_SIGNATURE."""
    return _okp(b"\x01" + bytes(31))


def off_curve_ed25519() -> CoseKey:
    """EdDSA with y = 2, which no point has; OpenSSL notices only at the first signature."""
    return _okp(b"\x02" + bytes(31))


def unreduced_ed25519() -> CoseKey:
    """EdDSA with a y above the field prime, which RFC 8032 §5.1.3 forbids."""
    return _okp(b"\xff" * 31 + b"\x7f")


def x25519() -> CoseKey:
    """EdDSA on X25519, a curve for key agreement that has no signatures."""
    return _okp(secrets.token_bytes(32), crv=4)


def _okp(x: bytes, crv: int = cose.CRV_ED25519) -> CoseKey:
    return {KTY: cose.KTY_OKP, ALG: cose.EDDSA, CRV: crv, X: x}


def without(*labels: int) -> KeyChange:
    """The correct key without the named COSE parameters: `without(KTY)`."""
    return lambda honest: {label: honest[label] for label in honest if label not in labels}


def with_parameters(parameters: Mapping[int, object]) -> KeyChange:
    """The correct key with parameters added or replaced: `with_parameters({ALG: -37})`."""
    return lambda honest: {**honest, **parameters}


def huge_parameter(size: int = 1 << 20, label: int = -70001) -> KeyChange:
    """The correct key with an unknown parameter of `size` bytes, which a service might store."""
    return with_parameters({label: bytes(size)})


EVERY: Final[Mapping[str, object]] = {
    "a point off the curve": off_curve(),
    "the point at infinity": zero_point(),
    "a P-384 key for ES256": p384(),
    "a P-256 key labelled P-384": with_parameters({CRV: 2}),
    "a curve named in text": with_parameters({CRV: "P-256"}),
    "a compressed point": compressed_point,
    "a coordinate that is an integer": with_parameters({X: 5}),
    "an empty coordinate": with_parameters({X: b""}),
    "a coordinate of 33 bytes": with_parameters({X: b"\xff" * 33}),
    "RSA of 512 bits": rsa(512),
    "RSA of 1024 bits": rsa(1024),
    "RSA of 16384 bits": rsa(16384),
    "RSA with an even modulus": {**rsa(), N: cose.minimal_bytes(1 << 2047)},
    "RSA with e = 0": rsa(e=0),
    "RSA with e = 1": rsa(e=1),
    "RSA with an even e": rsa(e=65536),
    "Ed25519 of 5 bytes": short_ed25519(),
    "Ed25519 of small order": small_order_ed25519(),
    "Ed25519 off the curve": off_curve_ed25519(),
    "Ed25519 beyond the prime": unreduced_ed25519(),
    "Ed25519 in a map that says three": miscounted_ed25519(),
    "X25519 for EdDSA": x25519(),
    "an algorithm never offered": with_parameters({ALG: -65535}),
    "an algorithm named in text": with_parameters({ALG: "ES256"}),
    "an algorithm that is a fraction": with_parameters({ALG: -7.5}),
    "no algorithm": without(ALG),
    "no key type": without(KTY),
    "an unknown key type": with_parameters({KTY: 99}),
    "a key type that is true": with_parameters({KTY: True}),
    "no curve": without(CRV),
    "no x": without(X),
    "no y": without(Y),
    "a private key beside the public one": with_parameters({-4: bytes(32)}),
    "an unknown parameter of 8 kB": huge_parameter(8 << 10),
    "an unknown parameter of 1 MB": huge_parameter(),
    "500 colliding labels": with_colliding_parameters(500),
    "a map of colliding labels alone": colliding_integer_map(500),
    "a label given twice": repeated_kty,
    "a map of indefinite length": indefinite_length,
    "an empty map": {},
    "an integer": 7,
    "a list": [1, 2, 3],
    "text": "key",
    "null": b"\xf6",
    "a byte string": b"\x58\x41" + bytes(65),
    "nothing at all": b"",
    "nested lists": nested_lists(),
    "a list that claims 2**60 items": claimed_length(),
}
"""Every hostile key by name. All of them are for `create(options)`, which means ES256."""
