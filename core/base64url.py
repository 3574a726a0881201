"""base64url without padding (RFC 4648 §5), exactly one spelling for every byte string."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(data: bytes) -> str:
    """The unpadded base64url text of `data`."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes `text` spells. Raises ValueError for padding, junk, or a second spelling.

    Python's decoder skips what it does not know; only the text it would write itself is taken.
    """
    data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data
