"""Decoys: credentials that do not exist, for emails that do not exist either.

`/login/begin` answers an unknown email as it answers a known one (WebAuthn L3 §14.6.2). The ids
come from an HMAC of the email, so they never change. Their lengths and transports are drawn from
those of the first thousand real passkeys, so they do not stand out, and later registrations do not
change them.
"""

from __future__ import annotations

import hmac
import math
from collections import Counter
from collections.abc import Iterable

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from core.settings import Settings

# For each passkey of one account: the length of its id in bytes, and its transports.
CredentialShape = tuple[tuple[int, str], ...]

# How many passkeys the sample has.
SAMPLE_SIZE = 1000
# The shape of the most common platform passkeys, used until an account is registered.
DEFAULT_SHAPE: CredentialShape = ((32, "internal"),)


class Decoys:
    """Makes the decoys of an email. The same secret and sample always make the same decoys."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.decoy_secret or settings.jwt_secret
        self._key = hmac.digest(secret.get_secret_value().encode(), b"decoys v1", "sha512")
        self._weights: Counter[CredentialShape] = Counter()

    @property
    def sample_is_complete(self) -> bool:
        """True if the sample has SAMPLE_SIZE passkeys. Later registrations change no decoy."""
        passkeys = sum(len(shape) * weight for shape, weight in self._weights.items())
        return passkeys >= SAMPLE_SIZE

    def observe(self, sample: Iterable[CredentialShape]) -> None:
        """Replace the sample by the shapes of the first accounts in the database."""
        self._weights = Counter(sample)

    def add(self, shape: CredentialShape) -> None:
        """Add the shape of a newly registered account, unless the sample is complete."""
        if not self.sample_is_complete:
            self._weights[shape] += 1

    def of(self, email: str) -> tuple[tuple[bytes, str], ...]:
        """Return credential id and transports of each decoy of `email`."""
        return tuple(
            (self._id(email, number, length), transports)
            for number, (length, transports) in enumerate(self._shape(email))
        )

    def _id(self, email: str, number: int, length: int) -> bytes:
        info = b"id:%d:" % number + email.encode()
        return HKDFExpand(SHA512(), length, info).derive(self._key)

    def _shape(self, email: str) -> CredentialShape:
        """Draw a shape for `email`, with the frequency that the shape has in the sample.

        This is weighted rendezvous hashing: a change of the sample changes the shapes of very few
        emails.
        """
        shapes = self._weights
        if len(shapes) < 2:
            return next(iter(shapes), DEFAULT_SHAPE)
        return max(shapes, key=lambda shape: (self._score(email, shape, shapes[shape]), shape))

    def _score(self, email: str, shape: CredentialShape, weight: int) -> float:
        draw = hmac.digest(self._key, f"shape:{shape}:{email}".encode(), "sha256")
        unit = (int.from_bytes(draw[:8]) + 1) / (2**64 + 1)
        return -weight / math.log(unit)
