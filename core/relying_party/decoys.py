"""Decoys: credentials that do not exist, for emails that do not exist either.

`/login/begin` answers an unknown email as it answers a known one (WebAuthn L3 §14.6.2). The ids and
their shape come from an HMAC of the email under DECOY_SECRET and from the table below. Nothing is
learned from registrations, so nobody can change a decoy, and all processes agree.

Every decoy id ends in a tag, which only this service can tell from random bytes. So a registration
with a decoy's id is refused like one with the id of a real passkey.

docs/decisions/0034-decoys-from-a-published-table.md says where each row of the table comes from.
"""

from __future__ import annotations

import hmac
from itertools import repeat
from typing import NamedTuple

from core.settings import Settings


class Shape(NamedTuple):
    """What is visible of a credential: its id's length in bytes, and its transports."""

    length: int
    transports: str


# The shapes that providers of passkeys make, and their share in thousandths.
SHAPES: dict[Shape, int] = {
    Shape(16, "hybrid,internal"): 360,
    Shape(20, "hybrid,internal"): 290,
    Shape(32, "internal"): 200,
    Shape(16, "internal"): 60,
    Shape(20, "internal"): 20,
    Shape(32, "hybrid,internal"): 20,
    Shape(65, "internal"): 20,
    Shape(20, ""): 10,
    Shape(32, ""): 10,
    Shape(64, "nfc,usb"): 5,
    Shape(64, "usb"): 5,
}
# One entry for each thousandth: to draw is to index, which takes the same time for every shape.
_DRAWN = tuple(shape for shape, weight in SHAPES.items() for _ in repeat(None, weight))
# One SHA-512 of 64 bytes has the draw and the longest id of the table without its tag.
_DRAW_BYTES, _TAG_BYTES = 7, 8


class Decoys:
    """Makes and recognises the decoys of a secret."""

    def __init__(self, settings: Settings) -> None:
        secret = (settings.decoy_secret or settings.jwt_secret).get_secret_value().encode()
        self._key = hmac.digest(secret, b"decoys v2", "sha512")
        self._tag_key = hmac.digest(secret, b"decoy tags v2", "sha512")

    def of(self, email: str) -> tuple[tuple[bytes, str], ...]:
        """Return credential id and transports of each decoy of the canonical `email`."""
        stream = hmac.digest(self._key, email.encode(), "sha512")
        drawn = int.from_bytes(stream[:_DRAW_BYTES]) * len(_DRAWN) >> 8 * _DRAW_BYTES
        length, transports = _DRAWN[drawn]
        body = stream[_DRAW_BYTES : _DRAW_BYTES + length - _TAG_BYTES]
        return ((body + self._tag(body), transports),)

    def is_decoy(self, credential_id: bytes) -> bool:
        """Whether `credential_id` is a decoy. A random id is taken for one once in 2^64."""
        body, tag = credential_id[:-_TAG_BYTES], credential_id[-_TAG_BYTES:]
        return hmac.compare_digest(self._tag(body), tag)

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._tag_key, body, "sha256")[:_TAG_BYTES]
