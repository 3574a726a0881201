"""Tokens as an attacker would build them. What is wrong is named; all else is as the service does
it, the signature included: only so does a test show the one defence it is about.
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
    """JSON of a value, spelled as the service does; bytes are taken to be JSON already."""
    return part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()


def mac(signed: str, key: bytes = KEY, digest: str = "sha256") -> str:
    return b64(hmac.digest(key, signed.encode(), digest))


def token(header: Any, claims: Any, key: bytes = KEY, digest: str = "sha256") -> str:
    """A compact JWS over any header and any claims."""
    signed = f"{b64(raw(header))}.{b64(raw(claims))}"
    return f"{signed}.{mac(signed, key, digest)}"


@dataclass(frozen=True)
class Genuine:
    """A token that the service has issued, taken apart."""

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
        """The same header and claims in another spelling, which is no wrong one."""
        return token(json.dumps(self.header).encode(), self.claims)

    def with_claims(self, **changes: Any) -> str:
        """Other claims, signed with the service's own key."""
        return token(self.header, {**self.claims, **changes})

    def without(self, *names: str) -> str:
        return token(
            self.header, {name: kept for name, kept in self.claims.items() if name not in names}
        )

    def with_parts(self, *parts: str) -> str:
        """Three texts with dots between them; an empty one is kept from the genuine token."""
        return ".".join(given or kept for given, kept in zip(parts, self.parts, strict=True))

    def claims_text(self, text: bytes) -> str:
        """Claims as raw bytes, signed with the service's own key."""
        return token(self.header, text)
