"""Key pairs of credentials and their COSE form, for ES256, EdDSA (Ed25519) and RS256.

Labels and values are those of RFC 9052 §7, RFC 9053 §7 and RFC 8230 §4;
WebAuthn L3 §5.8.5 fixes the curve of each algorithm.
"""

from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

ES256: Final = -7
EDDSA: Final = -8
RS256: Final = -257

KTY: Final = 1
ALG: Final = 3
CRV: Final = -1
X: Final = -2
Y: Final = -3
N: Final = -1
E: Final = -2

KTY_OKP: Final = 1
KTY_EC2: Final = 2
KTY_RSA: Final = 3
CRV_P256: Final = 1
CRV_ED25519: Final = 6


def generate_private_key(alg: int) -> PrivateKey:
    """A new private key for a COSE algorithm identifier. Raises ValueError for other algorithms."""
    if alg == ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if alg == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if alg == RS256:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    raise ValueError(f"the software authenticator has no COSE algorithm {alg}")


def cose_key(public_key: PublicKey) -> dict[int, Any]:
    """The COSE_Key map of a public key, with its members in CTAP2 canonical order."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        point = public_key.public_numbers()
        x, y = (coordinate.to_bytes(32, "big") for coordinate in (point.x, point.y))
        return {KTY: KTY_EC2, ALG: ES256, CRV: CRV_P256, X: x, Y: y}
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        x = public_key.public_bytes_raw()
        return {KTY: KTY_OKP, ALG: EDDSA, CRV: CRV_ED25519, X: x}
    numbers = public_key.public_numbers()
    return {KTY: KTY_RSA, ALG: RS256, N: minimal_bytes(numbers.n), E: minimal_bytes(numbers.e)}


def minimal_bytes(number: int) -> bytes:
    """The shortest big-endian bytes of a non-negative integer (RFC 8230 §4)."""
    return number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")


def spki(public_key: PublicKey) -> bytes:
    """The DER SubjectPublicKeyInfo of a public key (WebAuthn L3 §5.2.1.1)."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(private_key: PrivateKey, message: bytes) -> bytes:
    """The signature of the message, in the encoding of WebAuthn L3 §6.5.5."""
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return private_key.sign(message, ec.ECDSA(SHA256()))
    if isinstance(private_key, rsa.RSAPrivateKey):
        return private_key.sign(message, padding.PKCS1v15(), SHA256())
    return private_key.sign(message)
