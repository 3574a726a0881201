"""Texts for bytes (base64url without padding, RFC 4648 §5), and text without control characters."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


def base64url_encode(data: bytes) -> str:
    """The unpadded base64url text of `data`."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def base64url_decode(text: str) -> bytes:
    """The bytes of `text`. Raises ValueError for padding, other characters, a second spelling."""
    # Python's decoder skips what is not in the alphabet and takes any unused bits in the last
    # character. Encoding again tells the one spelling that is accepted from all others.
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url_encode(data) != text:
        raise ValueError("not canonical base64url")
    return data


def escape_unprintable(text: str) -> str:
    """`text` with every unprintable character written as an escape, such as ``\\n``.

    The result is safe to show in a terminal, and is one line.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
