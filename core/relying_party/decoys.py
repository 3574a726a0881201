"""Credentials that do not exist, for emails that do not either.

`/login/begin` answers an unknown email as it answers a known one. The ids come from an HMAC of
the email, so they never change; their lengths and transports are drawn from those of the first
thousand real passkeys, so they do not stand out, and nobody who registers later can move them
(WebAuthn L3 §14.6.2).
"""

from __future__ import annotations

import hmac
import math
from collections import Counter
from collections.abc import Iterable

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from core.config import Settings

# Of each passkey an account has: the id's length, and its transports.
Shape = tuple[tuple[int, str], ...]

SAMPLE_SIZE = 1000
# Before anyone has registered: what the commonest platform passkeys look like.
DEFAULT_SHAPE: Shape = ((32, "internal"),)


class Decoys:
    """The decoy of every email, under one secret."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.decoy_secret or settings.jwt_secret
        self._key = hmac.digest(secret.get_secret_value().encode(), b"decoys v1", "sha512")
        self._weights: Counter[Shape] = Counter()

    @property
    def settled(self) -> bool:
        """Whether the sample is whole: what is registered from now on changes no decoy."""
        passkeys = sum(len(shape) * weight for shape, weight in self._weights.items())
        return passkeys >= SAMPLE_SIZE

    def learn(self, sample: Iterable[Shape]) -> None:
        """Take over what the first accounts look like."""
        self._weights = Counter(sample)

    def add(self, shape: Shape) -> None:
        """An account has been registered: while they are few, it counts."""
        if not self.settled:
            self._weights[shape] += 1

    def of(self, email: str) -> tuple[tuple[bytes, str], ...]:
        """Credential ids and transports of `email`'s decoys; the same for every call."""
        return tuple(
            (self._id(email, number, length), transports)
            for number, (length, transports) in enumerate(self._shape(email))
        )

    def _id(self, email: str, number: int, length: int) -> bytes:
        info = b"id:%d:" % number + email.encode()
        return HKDFExpand(SHA512(), length, info).derive(self._key)

    def _shape(self, email: str) -> Shape:
        """Draw a shape with the odds it has in the sample.

        By weighted rendezvous hashing: when the sample changes, hardly any email's draw does.
        """
        shapes = self._weights
        if len(shapes) < 2:
            return next(iter(shapes), DEFAULT_SHAPE)
        return max(shapes, key=lambda shape: (self._score(email, shape, shapes[shape]), shape))

    def _score(self, email: str, shape: Shape, weight: int) -> float:
        draw = hmac.digest(self._key, f"shape:{shape}:{email}".encode(), "sha256")
        unit = (int.from_bytes(draw[:8]) + 1) / (2**64 + 1)
        return -weight / math.log(unit)
