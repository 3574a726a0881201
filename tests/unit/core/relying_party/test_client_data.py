"""Credentials as JSON: what is read from them, the limits, and the reason of each refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.encoding import base64url_encode as encode
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import (
    parse_client_data,
    read_authentication,
    read_registration,
)

DATA = {"type": "webauthn.get", "challenge": "AAAA", "origin": "http://localhost:8000"}
TRANSPORTS = ("ble", "hybrid", "internal", "nfc", "smart-card", "usb")


def padded_to(size: int) -> str:
    """Client data of exactly that many bytes."""
    bare = json.dumps({**DATA, "x": ""})
    return client_data(x="x" * (size - len(bare)))


def client_data(**members: Any) -> str:
    return encode(json.dumps({**DATA, **members}).encode())


def assertion(credential: dict[str, Any] | None = None, /, **response: Any) -> dict[str, Any]:
    honest = {
        "clientDataJSON": client_data(),
        "authenticatorData": encode(bytes(37)),
        "signature": encode(bytes(64)),
        "userHandle": encode(b"jane"),
    }
    whole = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": honest | response}
    return whole | (credential or {})


def attestation(**response: Any) -> dict[str, Any]:
    honest = {"clientDataJSON": client_data(), "attestationObject": encode(b"\xa0")}
    return {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": honest | response}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no response": (assertion({"response": None}), "member_response"),
    "a list for a response": (assertion({"response": []}), "member_response"),
    "another type": (assertion({"type": "Public-Key"}), "credential_type"),
    "no type": (assertion({"type": None}), "credential_type"),
    "two ids": (assertion({"id": "AAAB"}), "id_and_raw_id_differ"),
    "no id": (assertion({"id": None}), "id_and_raw_id_differ"),
    "an id that is a number": (assertion({"id": 7, "rawId": 7}), "member_rawId"),
    "an id that is no base64url": (assertion({"id": "é", "rawId": "é"}), "member_rawId"),
    "an empty id": (assertion({"id": "", "rawId": ""}), "length_rawId"),
    "an id of 1024 bytes": (
        assertion({"id": encode(bytes(1024)), "rawId": encode(bytes(1024))}),
        "length_rawId",
    ),
    "client data that are a number": (assertion(clientDataJSON=7), "member_clientDataJSON"),
    "client data that are no base64url": (assertion(clientDataJSON="é"), "member_clientDataJSON"),
    "client data that are empty": (assertion(clientDataJSON=""), "length_clientDataJSON"),
    "client data that are no JSON": (
        assertion(clientDataJSON=encode(b"{")),
        "client_data_malformed",
    ),
    "client data that are a list": (
        assertion(clientDataJSON=encode(b"[]")),
        "client_data_malformed",
    ),
    "no type inside": (assertion(clientDataJSON=client_data(type=None)), "member_type"),
    "no challenge": (assertion(clientDataJSON=client_data(challenge=1)), "member_challenge"),
    "no origin": (assertion(clientDataJSON=client_data(origin=[])), "member_origin"),
    "no authenticator data": (assertion(authenticatorData=None), "member_authenticatorData"),
    "no signature": (assertion(signature=None), "member_signature"),
    "a user handle that is a number": (assertion(userHandle=7), "member_userHandle"),
    "a user handle that is false": (assertion(userHandle=False), "member_userHandle"),
    "a user handle of one character": (assertion(userHandle="A"), "member_userHandle"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_credential_is_refused_for_its_own_reason(name: str) -> None:
    """A15: and in the word that the audit row gets."""
    credential, reason = REFUSED[name]
    with pytest.raises(BadCredential) as caught:
        read_authentication(credential)
    assert (caught.value.reason, str(caught.value)) == (reason, reason)


@pytest.mark.parametrize("value", [None, 7, "é"], ids=repr)
def test_an_attestation_object_is_base64url(value: Any) -> None:
    """A15: or it has no bytes."""
    with pytest.raises(BadCredential, match=r"^member_attestationObject$"):
        read_registration(attestation(attestationObject=value))


def test_a_registration_has_its_response() -> None:
    with pytest.raises(BadCredential, match=r"^member_response$"):
        read_registration({"id": "AAAA", "rawId": "AAAA", "type": "public-key"})


def test_every_transport_there_is_is_kept() -> None:
    read = read_registration(attestation(transports=[*reversed(TRANSPORTS), "USB", "pigeon", 7]))
    assert read.transports == TRANSPORTS


@pytest.mark.parametrize("transports", [None, "internal", {"internal": 1}, 7, []], ids=repr)
def test_transports_that_are_no_list_are_none(transports: Any) -> None:
    """A15: a text would hold its own parts."""
    assert read_registration(attestation(transports=transports)).transports == ()


def test_the_top_origin_is_kept_as_it_came() -> None:
    """A8: for the look that refuses it."""
    data = client_data(topOrigin="http://evil.example")
    read = read_authentication(assertion(clientDataJSON=data))
    assert read.client_data.top_origin == "http://evil.example"


@pytest.mark.parametrize("length", [24 * 1024, 24 * 1024 + 1])
def test_a_text_of_more_than_24_kib_is_not_decoded(length: int) -> None:
    """A16: on the line it is, and what is wrong in it is found."""
    reason = "member_signature" if length == 24 * 1024 else "length_signature"
    with pytest.raises(BadCredential, match=f"^{reason}$"):
        read_authentication(assertion(signature="é" * length))


def test_an_assertion_is_decoded() -> None:
    read = read_authentication(assertion())
    assert (read.credential_id, read.user_handle) == (bytes(3), b"jane")
    assert (read.authenticator_data, read.signature) == (bytes(37), bytes(64))
    data = read.client_data
    assert (data.type, data.challenge, data.origin) == tuple(DATA.values())
    assert (data.cross_origin, data.top_origin) == (False, None)
    assert json.loads(data.raw) == DATA


def test_a_registration_is_decoded() -> None:
    read = read_registration(attestation(transports=["usb", "internal", "pigeon"]))
    assert (read.credential_id, read.attestation_object) == (bytes(3), b"\xa0")
    assert read.transports == ("internal", "usb")


@pytest.mark.parametrize(
    "absent", [{"userHandle": None}, {"userHandle": ""}, {}], ids=["null", "empty", "left out"]
)
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
    for size in (largest + 1, *((0,) if member != "userHandle" else ())):
        with pytest.raises(BadCredential, match=f"length_{member}"):
            read_authentication(assertion(**{member: encode(bytes(size))}))


def test_an_attestation_object_has_at_most_16_kib() -> None:
    """A16: refused by its length, before it is parsed."""
    read_registration(attestation(attestationObject=encode(bytes(16 * 1024))))
    with pytest.raises(BadCredential, match="length_attestationObject"):
        read_registration(attestation(attestationObject=encode(bytes(16 * 1024 + 1))))


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
    peeked = parse_client_data({"response": response})
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
    assert parse_client_data(credential) is None
