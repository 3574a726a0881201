"""Builds tokens as an attacker would.

Each differs from a genuine token in what its function names, and in nothing else: its signature is
valid. So a test shows the one defence that it is about.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from typing import Any

from core.settings.checks import DEVELOPMENT_SECRET

KEY = DEVELOPMENT_SECRET.encode()


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def raw(part: Any) -> bytes:
    """The JSON of a value, formatted as by the service. Bytes are returned unchanged."""
    return part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()


def mac(signed: str, key: bytes = KEY, digest: str = "sha256") -> str:
    return b64(hmac.digest(key, signed.encode(), digest))


def token(header: Any, claims: Any, key: bytes = KEY, digest: str = "sha256") -> str:
    """A compact JWS over any header and any claims."""
    signed = f"{b64(raw(header))}.{b64(raw(claims))}"
    return f"{signed}.{mac(signed, key, digest)}"


@dataclass(frozen=True)
class Genuine:
    """A token that the service has issued, and its parts."""

    text: str

    @property
    def parts(self) -> list[str]:
        return self.text.split(".")

    @property
    def header(self) -> dict[str, Any]:
        header: dict[str, Any] = json.loads(unb64(self.parts[0]))
        return header

    @property
    def claims(self) -> dict[str, Any]:
        claims: dict[str, Any] = json.loads(unb64(self.parts[1]))
        return claims

    def with_header(self, **changes: Any) -> str:
        """The same claims under another header, signed with the service's own key."""
        return token({**self.header, **changes}, self.claims)

    def in_other_words(self) -> str:
        """The same header and claims in another spelling, which is valid too."""
        return token(json.dumps(self.header).encode(), self.claims)

    def with_claims(self, **changes: Any) -> str:
        """Other claims, signed with the service's own key."""
        return token(self.header, {**self.claims, **changes})

    def without(self, *names: str) -> str:
        return token(
            self.header, {name: kept for name, kept in self.claims.items() if name not in names}
        )

    def with_parts(self, *parts: str) -> str:
        """The three parts joined by dots. For an empty one the genuine token's part is used."""
        return ".".join(given or kept for given, kept in zip(parts, self.parts, strict=True))

    def claims_text(self, text: bytes) -> str:
        """Claims as raw bytes, signed with the service's own key."""
        return token(self.header, text)
