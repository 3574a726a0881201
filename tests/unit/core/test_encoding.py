"""base64url: one text for every byte string, and no other is taken."""

from __future__ import annotations

import secrets

import pytest

from core import base64url
from devtools.hostile_text import same_bytes_other_text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg"),
        (b"\xfb\xef\xbe", "----"),
        (b"\xff\xff\xff", "____"),
        (b"\xfb\xff", "-_8"),
    ],
)
def test_the_vectors_of_the_rfc(data: bytes, text: str) -> None:
    # RFC 4648 §10, without padding, and three that need the letters of §5.
    assert base64url.encode(data) == text
    assert base64url.decode(text) == data


@pytest.mark.parametrize("length", range(40))
def test_what_was_encoded_is_decoded(length: int) -> None:
    data = secrets.token_bytes(length)
    assert base64url.decode(base64url.encode(data)) == data


@pytest.mark.parametrize("length", [1, 2, 3, 31, 32, 33])
def test_every_other_spelling_of_the_same_bytes_is_refused(length: int) -> None:
    """A7: python's own decoder takes each of these."""
    for text in same_bytes_other_text(base64url.encode(bytes(range(length)))).values():
        with pytest.raises(ValueError, match=r"canonical|padding|ascii|base64"):
            base64url.decode(text)


@pytest.mark.parametrize("text", ["A", "AAAAA", "é", "Zg==", "Zg=", "+/+/", "Zm9v\n", " ", "\0"])
def test_what_is_no_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any ValueError will do)
        base64url.decode(text)
