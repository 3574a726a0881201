"""Placeholder keys: public keys whose private keys were deleted.

An assertion for an unknown credential ID is verified against a placeholder credential. So a refusal
takes the same time, whether or not the credential exists.
"""

from __future__ import annotations

from functools import cache

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.relying_party import cose_key
from core.relying_party.cose_key import ALG, CRV, EDDSA, ES256, KTY, RS256, E, N, X, Y
from core.relying_party.credential_record import CredentialRecord


@cache
def placeholder_keys() -> dict[int, bytes]:
    """Return one key of each offered algorithm. They are made once in each process."""
    return generate_keys()


def placeholder_credential() -> CredentialRecord:
    """Return the record that stands in for an unknown credential. No signature is valid for it."""
    key = placeholder_keys()[ES256]
    return CredentialRecord(key, sign_count=0, backup_eligible=False, user_handle=b"nobody")


def generate_keys() -> dict[int, bytes]:
    """Return a new public key of each offered algorithm, as canonical COSE_Keys.

    The private halves are random and are forgotten at once.
    """
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    rsa_key = rsa.generate_private_key(cose_key.MIN_EXPONENT, cose_key.MIN_RSA_BITS).public_key()
    n, e = rsa_key.public_numbers().n, rsa_key.public_numbers().e
    keys = {
        ES256: {KTY: 2, ALG: ES256, CRV: 1, X: point.x.to_bytes(32), Y: point.y.to_bytes(32)},
        EDDSA: {KTY: 1, ALG: EDDSA, CRV: 6, X: x},
        RS256: {KTY: 3, ALG: RS256, N: n.to_bytes(cose_key.MIN_RSA_BITS // 8), E: e.to_bytes(3)},
    }
    return {algorithm: cose_key.canonical(cbor2.dumps(key)) for algorithm, key in keys.items()}
