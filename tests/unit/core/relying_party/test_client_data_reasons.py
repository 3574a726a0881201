"""Credentials as JSON: the reason for every refusal, and each limit as a number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.base64url import encode
from core.client_data import BadCredential, read_authentication, read_registration

DATA = {"type": "webauthn.get", "challenge": "AAAA", "origin": "http://localhost:8000"}
TRANSPORTS = ("ble", "hybrid", "internal", "nfc", "smart-card", "usb")


def client_data(**members: Any) -> str:
    return encode(json.dumps({**DATA, **members}).encode())


def assertion(credential: dict[str, Any] | None = None, **response: Any) -> dict[str, Any]:
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
    "an empty user handle": (assertion(userHandle=""), "length_userHandle"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_credential_is_refused_for_the_true_reason(name: str) -> None:
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


def test_what_was_read_goes_with_its_json() -> None:
    """The library reads it once more: the same one."""
    login, registration = assertion(), attestation()
    assert read_authentication(login).json is login
    assert read_registration(registration).json is registration


def test_every_transport_there_is_is_kept() -> None:
    read = read_registration(attestation(transports=[*reversed(TRANSPORTS), "USB", "pigeon", 7]))
    assert read.transports == TRANSPORTS


@pytest.mark.parametrize("transports", [None, "internal", {"internal": 1}, 7, []], ids=repr)
def test_transports_that_are_no_list_are_none(transports: Any) -> None:
    """A15: a text would hold its own parts."""
    assert read_registration(attestation(transports=transports)).transports == ()


def test_a_registration_says_what_the_browser_said() -> None:
    data = read_registration(attestation()).client_data
    assert (data.type, data.challenge, data.origin) == tuple(DATA.values())
    assert (data.cross_origin, data.top_origin) == (False, None)
    assert json.loads(data.raw) == DATA


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
