"""Credentials taken apart: limits and shapes, on either side of the line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.base64url import encode
from core.client_data import (
    BadCredential,
    peek_client_data,
    read_authentication,
    read_registration,
)

CLIENT_DATA = {"type": "webauthn.get", "challenge": "AAAA", "origin": "http://localhost:8000"}


def client_data(**members: Any) -> str:
    return encode(json.dumps({**CLIENT_DATA, **members}).encode())


def assertion(**response: Any) -> dict[str, Any]:
    honest = {
        "clientDataJSON": client_data(),
        "authenticatorData": encode(bytes(37)),
        "signature": encode(bytes(64)),
        "userHandle": encode(b"jane"),
    }
    return {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": honest | response}


def attestation(**response: Any) -> dict[str, Any]:
    honest = {"clientDataJSON": client_data(), "attestationObject": encode(b"\xa0")}
    return {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": honest | response}


def padded_to(size: int) -> str:
    """Client data of exactly that many bytes."""
    bare = json.dumps({**CLIENT_DATA, "x": ""})
    return client_data(x="x" * (size - len(bare)))


def test_an_assertion_is_decoded() -> None:
    read = read_authentication(assertion())
    assert (read.credential_id, read.user_handle) == (bytes(3), b"jane")
    assert (read.authenticator_data, read.signature) == (bytes(37), bytes(64))
    data = read.client_data
    assert (data.type, data.challenge, data.origin) == tuple(CLIENT_DATA.values())
    assert (data.cross_origin, data.top_origin) == (False, None)
    assert json.loads(data.raw) == CLIENT_DATA


def test_a_registration_is_decoded() -> None:
    read = read_registration(attestation(transports=["usb", "internal", "pigeon"]))
    assert (read.credential_id, read.attestation_object) == (bytes(3), b"\xa0")
    assert read.transports == ("internal", "usb")


@pytest.mark.parametrize("absent", [{"userHandle": None}, {}], ids=["null", "left out"])
def test_a_user_handle_may_be_absent(absent: dict[str, Any]) -> None:
    credential = assertion(**absent)
    if not absent:
        del credential["response"]["userHandle"]
    assert read_authentication(credential).user_handle is None


@pytest.mark.parametrize(
    ("member", "largest"),
    [("authenticatorData", 8192), ("signature", 1024), ("userHandle", 64)],
)
def test_members_of_an_assertion_have_a_largest_size(member: str, largest: int) -> None:
    """A16: on the line it is read, one byte past it is not."""
    read_authentication(assertion(**{member: encode(bytes(largest))}))
    for size in (0, largest + 1):
        with pytest.raises(BadCredential, match=f"length_{member}"):
            read_authentication(assertion(**{member: encode(bytes(size))}))


def test_an_attestation_object_has_at_most_16_kib() -> None:
    """A16: refused by its length, before it is parsed."""
    read_registration(attestation(attestationObject=encode(bytes(16 * 1024))))
    with pytest.raises(BadCredential, match="length_attestationObject"):
        read_registration(attestation(attestationObject=encode(bytes(16 * 1024 + 1))))


def test_a_text_too_long_is_not_even_decoded() -> None:
    """A16: it is not looked at whether this is base64url."""
    with pytest.raises(BadCredential, match="length_signature"):
        read_authentication(assertion(signature="é" * (24 * 1024 + 1)))


def test_client_data_have_at_most_4_kib() -> None:
    """A16: the same for what the browser says."""
    read_authentication(assertion(clientDataJSON=padded_to(4096)))
    with pytest.raises(BadCredential, match="length_clientDataJSON"):
        read_authentication(assertion(clientDataJSON=padded_to(4097)))


@pytest.mark.parametrize("length", [1, 16, 1023])
def test_a_credential_id_of_up_to_1023_bytes_is_read(length: int) -> None:
    text = encode(bytes(length))
    read = read_authentication({**assertion(), "id": text, "rawId": text})
    assert read.credential_id == bytes(length)


@pytest.mark.parametrize(
    ("value", "cross"),
    [(False, False), (True, True), (None, True), (0, True), ("", True), ([], True)],
)
def test_cross_origin_is_false_or_it_is_cross(value: Any, cross: bool) -> None:
    """A8: Python would take None, 0 and "" for false."""
    read = read_authentication(assertion(clientDataJSON=client_data(crossOrigin=value)))
    assert read.client_data.cross_origin is cross


@pytest.mark.parametrize("value", ["http://evil.example", "", 0, False, [], {}], ids=repr)
def test_a_top_origin_of_any_kind_is_one(value: Any) -> None:
    """A8: none is the only one that is none."""
    read = read_authentication(assertion(clientDataJSON=client_data(topOrigin=value)))
    assert read.client_data.top_origin is not None


def test_the_challenge_can_be_read_before_anything_is_judged() -> None:
    """A1: even where everything else is wrong."""
    response = {"clientDataJSON": client_data(type="?", origin="?", crossOrigin=True)}
    peeked = peek_client_data({"response": response})
    assert peeked is not None
    assert peeked.challenge == "AAAA"


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"response": None},
        {"response": {}},
        {"response": {"clientDataJSON": 7}},
        {"response": {"clientDataJSON": "é"}},
        {"response": {"clientDataJSON": encode(b"[]")}},
        {"response": {"clientDataJSON": encode(b'{"challenge":7}')}},
    ],
    ids=repr,
)
def test_where_there_is_no_challenge_none_is_found(credential: dict[str, Any]) -> None:
    """A15: and nothing is raised."""
    assert peek_client_data(credential) is None
