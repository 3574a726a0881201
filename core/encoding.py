"""base64url without padding (RFC 4648 §5), exactly one spelling for every byte string."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

_TO_URL = bytes.maketrans(b"+/", b"-_")
# What is of the other alphabet, or padding, becomes what is of none.
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/   ")
_PADDING = (b"", None, b"==", b"=")
# The last letter of a text whose length leaves 2 or 3: the bits that no byte takes are zero.
_LAST = (None, "", "AQgw", "AEIMQUYcgkosw048")


def encode(data: bytes) -> str:
    """The unpadded base64url text of `data`."""
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes `text` spells. Raises ValueError for padding, junk, or a second spelling."""
    left = len(text) % 4
    padding, last = _PADDING[left], _LAST[left]
    if padding is None or (last and text[-1] not in last):
        raise ValueError("not canonical base64url")
    return a2b_base64(text.encode("ascii").translate(_FROM_URL) + padding, strict_mode=True)
