"""The secrets that sign and verify access tokens with HMAC (HS256, HS384 or HS512)."""

from __future__ import annotations

from typing import NamedTuple

from core.settings import Settings


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
