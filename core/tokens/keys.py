"""The secrets that sign and verify access tokens with HMAC (HS256, HS384 or HS512)."""

from __future__ import annotations

from typing import NamedTuple

import jwt
from jwt.algorithms import HMACAlgorithm

from core.settings import Settings

HASHES = {
    "HS256": HMACAlgorithm.SHA256,
    "HS384": HMACAlgorithm.SHA384,
    "HS512": HMACAlgorithm.SHA512,
}


class _CheckedKey(HMACAlgorithm):
    """HMAC with one secret that was checked before.

    PyJWT checks for each token that the secret is no PEM, SSH, DER or JWK key: half of the time.
    """

    def __init__(self, hash_name: str, secret: bytes) -> None:
        super().__init__(HASHES[hash_name])
        self._secret = super().prepare_key(secret)

    def prepare_key(self, key: str | bytes) -> bytes:  # noqa: ARG002 (the signature)
        return self._secret


def signer(algorithm: str, secret: bytes) -> jwt.PyJWS:
    """PyJWT's encoder of signed texts (RFC 7515) for this secret alone."""
    jws = jwt.PyJWS()
    jws.unregister_algorithm(algorithm)
    jws.register_algorithm(algorithm, _CheckedKey(algorithm, secret))
    return jws


class HmacKeys(NamedTuple):
    """The algorithm and the secrets of one service.

    `signing` signs. `verifying` are the secrets that verify, in the order in which they are tried:
    the one that signs, then the one before it while secrets are rotated.
    """

    algorithm: str
    signing: bytes
    verifying: tuple[bytes, ...]

    @classmethod
    def of(cls, settings: Settings) -> HmacKeys:
        """The keys of JWT_SECRET, JWT_SECRET_PREVIOUS and JWT_ALGORITHM."""
        secrets = tuple(secret.encode() for secret in settings.token_secrets.values())
        return cls(settings.jwt_algorithm, secrets[0], secrets)
