"""Credential public keys (COSE_Key, RFC 9052 §7): checked at registration, stored in one form.

With attestation `none` no manufacturer vouches for the key: the client can send any bytes. A key
that can never verify a signature must be refused at registration, or every later login with it
would fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from core.relying_party.errors import BadCredential

# Labels of a COSE_Key (RFC 9052 §7.1, RFC 9053 §7, RFC 8230 §4).
KTY, KID, ALG, KEY_OPS, CRV, X, Y = 1, 2, 3, 4, -1, -2, -3
N, E = -1, -2
ES256, EDDSA, RS256 = -7, -8, -257
# In the order of preference. SHA-1, RSA-PSS, P-384 and P-521 are never offered.
OFFERED = (ES256, EDDSA, RS256)

# Parameters that some security keys add, although WebAuthn L3 §6.5.1.1 says that they must not.
# They are checked, mean nothing here, and are not stored.
MAX_KEY_ID = 64
MAX_KEY_OPS = 10  # RFC 9052 §7.1 defines as many
VERIFY = 2

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 4096
MIN_EXPONENT = 65537  # FIPS 186-5 §5.1: 2^16 < e

ED25519_PRIME = 2**255 - 19
ED25519_D = -121665 * pow(121666, -1, ED25519_PRIME) % ED25519_PRIME
# The y coordinates of the points whose order divides 8. A signature under such a key proves
# nothing.
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER_Y = frozenset((0, 1, ED25519_PRIME - 1, _ORDER_8, ED25519_PRIME - _ORDER_8))

_P256, _ECDSA, _SHA256 = ec.SECP256R1(), ec.ECDSA(SHA256()), SHA256()


class BadKey(Exception):
    """The bytes are not a public key that this service accepts."""


def canonical(encoded: bytes) -> bytes:
    """Return the COSE_Key in `encoded` as canonical CBOR, the form that is stored.

    Raises BadKey unless it is a valid key of an offered algorithm with the members that WebAuthn L3
    §5.8.5 and §6.5.1.1 demand. Of all others only a key id and key operations are accepted.
    """
    try:
        key = cbor2.loads(encoded, allow_duplicate_keys=False)
        if type(key) is not dict or any(type(label) is not int for label in key):
            raise BadKey("not a COSE map")
        _drop_optional(key)
        # In Python `True == 1`, so the types are compared, too.
        if any(type(key.get(label)) is not int for label in (KTY, ALG)):
            raise BadKey("not a COSE key")
        check = _CHECKS.get((key[KTY], key[ALG]))
        if check is None:
            raise BadKey("algorithm not offered")
        return cbor2.dumps(check(key), canonical=True)
    except BadKey:
        raise
    except Exception as error:
        raise BadKey(type(error).__name__) from None


def verify_signature(canonical_key: bytes, signature: bytes, data: bytes) -> None:
    """Verify `signature` over `data` under a key that `canonical` returned. Raises BadCredential.

    The signature formats are those of WebAuthn L3 §6.5.5 (RFC 9053 §2, RFC 8812 §2).

    The key object is built at each call, which takes a tenth of the time. A cached key would answer
    faster, and so would tell that somebody has used it recently.
    """
    try:
        key = cbor2.loads(canonical_key)
        _VERIFIERS[key[ALG]](key, signature, data)
    except InvalidSignature:
        raise BadCredential("signature") from None
    except Exception:
        raise BadCredential("public_key") from None


def algorithm_of(canonical_key: bytes) -> int:
    """Return the COSE algorithm identifier of a canonical key, or 0 if the bytes are not a key."""
    try:
        algorithm: int = cbor2.loads(canonical_key)[ALG]
    except Exception:
        return 0
    return algorithm


def _drop_optional(key: dict[int, Any]) -> None:
    """Remove the optional parameters from `key`, if they are such (RFC 9052 §7.1)."""
    if len(_octets(key.pop(KID, b""))) > MAX_KEY_ID:
        raise BadKey("a key id that is too long")
    operations = key.pop(KEY_OPS, [VERIFY])
    if type(operations) is not list or len(operations) > MAX_KEY_OPS:
        raise BadKey("key operations that are none")
    # A key that is not for verifying signatures must not verify any.
    if not any(type(each) in (int, str) and each in (VERIFY, "verify") for each in operations):
        raise BadKey("not a key for verifying")


def _require_members(key: Mapping[int, Any], *labels: int) -> None:
    if set(key) != {KTY, ALG, *labels}:
        raise BadKey("missing or unknown members")


def _octets(value: Any, length: int | None = None) -> bytes:
    if type(value) is not bytes or (length is not None and len(value) != length):
        raise BadKey("not a byte string of the right length")
    return value


def _es256(key: Mapping[int, Any]) -> dict[int, Any]:
    _require_members(key, CRV, X, Y)
    if type(key[CRV]) is not int or key[CRV] != 1:
        raise BadKey("ES256 takes P-256 only")
    x, y = _octets(key[X], 32), _octets(key[Y], 32)
    # This raises unless the point lies on the curve.
    _point(x, y)
    return {KTY: 2, ALG: ES256, CRV: 1, X: x, Y: y}


def _eddsa(key: Mapping[int, Any]) -> dict[int, Any]:
    _require_members(key, CRV, X)
    if type(key[CRV]) is not int or key[CRV] != 6:
        raise BadKey("EdDSA takes Ed25519 only")
    x = _octets(key[X], 32)
    Ed25519PublicKey.from_public_bytes(x)
    _require_edwards_point(x)
    return {KTY: 1, ALG: EDDSA, CRV: 6, X: x}


def _require_edwards_point(encoded: bytes) -> None:
    # RFC 8032 §5.1.3: x² = (y² - 1) / (d·y² + 1) must have a root. OpenSSL looks at first use only.
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    square = (y * y - 1) * pow(ED25519_D * y * y + 1, -1, ED25519_PRIME) % ED25519_PRIME
    on_curve = pow(square, (ED25519_PRIME - 1) // 2, ED25519_PRIME) in (0, 1)
    if y >= ED25519_PRIME or not on_curve or y in SMALL_ORDER_Y:
        raise BadKey("not a point of the curve")


def _rs256(key: Mapping[int, Any]) -> dict[int, Any]:
    _require_members(key, N, E)
    modulus, exponent = int.from_bytes(_octets(key[N])), int.from_bytes(_octets(key[E]))
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS or modulus % 2 == 0:
        raise BadKey("RSA modulus out of bounds")
    if not MIN_EXPONENT <= exponent < 2**32 or exponent % 2 == 0:
        raise BadKey("RSA exponent out of bounds")
    rsa.RSAPublicNumbers(exponent, modulus).public_key()
    return {KTY: 3, ALG: RS256, N: _shortest(modulus), E: _shortest(exponent)}


def _shortest(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def _verify_es256(key: Mapping[int, Any], signature: bytes, data: bytes) -> None:
    _point(key[X], key[Y]).verify(signature, data, _ECDSA)


def _point(x: bytes, y: bytes) -> ec.EllipticCurvePublicKey:
    # SEC 1 §2.3.3: 4 stands before a point that is not compressed.
    return ec.EllipticCurvePublicKey.from_encoded_point(_P256, b"\x04" + x + y)


def _verify_eddsa(key: Mapping[int, Any], signature: bytes, data: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(key[X]).verify(signature, data)


def _verify_rs256(key: Mapping[int, Any], signature: bytes, data: bytes) -> None:
    numbers = rsa.RSAPublicNumbers(int.from_bytes(key[E]), int.from_bytes(key[N]))
    numbers.public_key().verify(signature, data, PKCS1v15(), _SHA256)


_VERIFIERS: dict[int, Callable[[Mapping[int, Any], bytes, bytes], None]] = {
    ES256: _verify_es256,
    EDDSA: _verify_eddsa,
    RS256: _verify_rs256,
}
_CHECKS: dict[tuple[Any, Any], Callable[[Mapping[int, Any]], dict[int, Any]]] = {
    (2, ES256): _es256,
    (1, EDDSA): _eddsa,
    (3, RS256): _rs256,
}
