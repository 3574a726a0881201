"""base64url without padding, the text form of bytes in WebAuthn JSON (RFC 4648 §5)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def b64url(raw: bytes) -> str:
    """Encode bytes as base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_b64url(text: str) -> bytes:
    """Decode canonical base64url without padding. Raises ValueError for any other text."""
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64url(raw) != text:
        raise ValueError(f"not canonical base64url: {text[:60]!r}")
    return raw
