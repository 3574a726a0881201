"""Texts for bytes (base64url without padding, RFC 4648 §5), and text without control characters.

`client_base64_decode` also reads the other spellings of base64 that genuine clients write.
"""

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


def client_base64_decode(text: str) -> bytes:
    """The bytes of `text` in base64url or standard base64 (RFC 4648 §4), padded or not.

    For members of a credential that a page or an app encodes by itself. Raises ValueError for
    anything else: wrong padding, both alphabets at once, unused bits that are not zero, spaces.
    Never use it for a challenge, which is compared as text.
    """
    try:
        return base64url_decode(text)
    except ValueError:
        return base64url_decode(_as_base64url(text))


def _as_base64url(text: str) -> str:
    bare = text.removesuffix("=").removesuffix("=")
    if len(bare) < len(text) and len(text) % 4:
        raise ValueError("wrong padding")
    if ("+" in bare or "/" in bare) and ("-" in bare or "_" in bare):
        raise ValueError("both alphabets of base64")
    return bare.replace("+", "-").replace("/", "_")
