"""base64url: one text for every byte string, and no other text is decoded."""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64encode

import pytest

from core.encoding import (
    base64url_decode,
    base64url_encode,
    client_base64_decode,
    escape_unprintable,
)
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
    assert base64url_encode(data) == text
    assert base64url_decode(text) == data


@pytest.mark.parametrize("length", range(40))
def test_encoded_bytes_are_decoded_to_the_same(length: int) -> None:
    data = secrets.token_bytes(length)
    assert base64url_decode(base64url_encode(data)) == data


@pytest.mark.parametrize("length", [1, 2, 3, 31, 32, 33])
def test_every_other_spelling_of_the_same_bytes_is_refused(length: int) -> None:
    """A7: Python's own decoder accepts each of these texts."""
    for text in same_bytes_other_text(base64url_encode(bytes(range(length)))).values():
        with pytest.raises(ValueError, match=r"canonical|padding|ascii|base64"):
            base64url_decode(text)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 31, 32, 33, 1000])
def test_a_clients_base64_may_be_padded_and_of_either_alphabet(length: int) -> None:
    data = secrets.token_bytes(length)
    for encoded in (b64encode(data), urlsafe_b64encode(data)):
        text = encoded.decode()
        assert client_base64_decode(text) == client_base64_decode(text.rstrip("=")) == data


@pytest.mark.parametrize(
    "text",
    ["+-AA", "_/AA", "AA=", "A===", "AAAA=", "AAAA==", "AAAA====", "=", "====", "AA==AA==",
     "AB==", "AAB=", " AAAA", "AAAA\n", "AA AA", "AA!A", "A", "AAAAA", "é", "٠٠٠٠", "AA\0A"],
)  # fmt: skip
def test_nothing_else_is_a_clients_base64(text: str) -> None:
    """A15: a text that two readers would decode differently is decoded by none."""
    with pytest.raises(ValueError, match=r"canonical|padding|ascii|base64|ASCII"):
        client_base64_decode(text)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize("prefix", ["A", "AA"])
def test_unused_bits_of_the_last_character_are_zero(prefix: str) -> None:
    """A7: of the 64 texts that begin so, only those without unused bits are accepted."""
    accepted = []
    for last in ALPHABET:
        try:
            base64url_decode(prefix + last)
        except ValueError:
            continue
        accepted.append(last)
    assert accepted == [*ALPHABET[:: 16 if prefix == "A" else 4]]


@pytest.mark.parametrize("text", ["A", "AAAAA", "é", "Zg==", "Zg=", "+/+/", "Zm9v\n", " ", "\0"])
def test_a_text_that_is_not_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any ValueError will do)
        base64url_decode(text)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("", ""),
        ("Zoë's \\ path", "Zoë's \\ path"),
        ("a\r\nb\0", "a\\r\\nb\\x00"),
        ("\x1b[2J\x9b", "\\x1b[2J\\x9b"),
        ("\u202e\ue000\U000e0041", "\\u202e\\ue000\\U000e0041"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, escaped: str) -> None:
    assert escape_unprintable(text) == escaped
