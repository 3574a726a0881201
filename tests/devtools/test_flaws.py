"""Every flaw of the software authenticator is what it says, and the only thing that is wrong."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn import verify_registration_response
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import InvalidRegistrationResponse

from devtools.authenticator import (
    OMIT,
    Flaw,
    SoftAuthenticator,
    packed_self,
    packed_x5c,
    statement,
    with_raw_statement,
)
from devtools.cose import ALG, EDDSA, ES256, KTY, RS256, generate_private_key
from devtools.encoding import b64url, from_b64url
from devtools.hostile_cbor import colliding_integer_map
from devtools.options import CHALLENGE, creation_options, request_options

JSON = dict[str, Any]
HONEST_FLAGS = 0x05
HONEST_CLIENT_DATA = {
    "type": "webauthn.get",
    "challenge": CHALLENGE,
    "origin": "http://localhost:8000",
    "crossOrigin": False,
}


def registered(flaw: Flaw, alg: int = ES256) -> JSON:
    return SoftAuthenticator().create(creation_options(), alg=alg, flaw=flaw)


def asserted(flaw: Flaw) -> tuple[JSON, ec.EllipticCurvePublicKey]:
    authenticator = SoftAuthenticator()
    authenticator.create(creation_options())
    public_key = authenticator.passkeys[0].public_key
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    return authenticator.get(request_options(), flaw=flaw), public_key


def soundly_asserted(flaw: Flaw) -> JSON:
    """The members of the response, decoded, once their signature has been seen to hold."""
    assertion, public_key = asserted(flaw)
    members = {name: from_b64url(text) for name, text in assertion["response"].items()}
    check_signature(public_key, members)
    return members


def check_signature(public_key: ec.EllipticCurvePublicKey, members: Mapping[str, bytes]) -> None:
    message = members["authenticatorData"] + sha256(members["clientDataJSON"]).digest()
    public_key.verify(members["signature"], message, ec.ECDSA(SHA256()))


def attestation(credential: JSON) -> JSON:
    decoded = cbor2.loads(from_b64url(credential["response"]["attestationObject"]))
    assert isinstance(decoded, dict)
    return decoded


def attested_key(flaw: Flaw) -> bytes:
    """The COSE key as it stands in the authenticator data, behind a credential ID of 32 bytes."""
    return bytes(attestation(registered(flaw))["authData"][37 + 16 + 2 + 32 :])


def verify(credential: JSON) -> Any:
    return verify_registration_response(
        credential=credential,
        expected_challenge=base64url_to_bytes(CHALLENGE),
        expected_rp_id="localhost",
        expected_origin="http://localhost:8000",
        require_user_verification=True,
    )


@pytest.mark.parametrize(
    ("flaw", "changed"),
    [
        (Flaw(), {}),
        (Flaw(type="webauthn.create"), {"type": "webauthn.create"}),
        (Flaw(challenge="other"), {"challenge": "other"}),
        (Flaw(challenge_padding=True), {"challenge": CHALLENGE + "="}),
        (Flaw(origin="http://evil.example"), {"origin": "http://evil.example"}),
        (Flaw(cross_origin=True), {"crossOrigin": True}),
        (Flaw(top_origin="http://evil.example"), {"topOrigin": "http://evil.example"}),
        (Flaw(client_data_members={"origin": None}), {"origin": None}),
        (Flaw(client_data_members={"extra": [1]}), {"extra": [1]}),
    ],
)
def test_client_data_is_flawed_where_it_says(flaw: Flaw, changed: JSON) -> None:
    client_data = json.loads(soundly_asserted(flaw)["clientDataJSON"])
    assert client_data == HONEST_CLIENT_DATA | changed


def test_members_of_client_data_can_be_left_out() -> None:
    flaw = Flaw(client_data_members={"crossOrigin": OMIT})
    assert "crossOrigin" not in json.loads(soundly_asserted(flaw)["clientDataJSON"])


def test_client_data_can_be_any_bytes_or_an_edit_of_the_honest_ones() -> None:
    assert soundly_asserted(Flaw(client_data=b"\xff"))["clientDataJSON"] == b"\xff"
    edited = soundly_asserted(Flaw(client_data=lambda honest: b"\xef\xbb\xbf" + honest))
    assert edited["clientDataJSON"].startswith(b'\xef\xbb\xbf{"type":"webauthn.get"')


def test_client_data_text_is_escaped_as_browsers_escape_it() -> None:
    flaw = Flaw(origin='é"\\\n')
    assert '"origin":"é\\"\\\\\\u000a"'.encode() in soundly_asserted(flaw)["clientDataJSON"]


@pytest.mark.parametrize(
    ("flaw", "flags"),
    [
        (Flaw(), 0x05),
        (Flaw(up=False), 0x04),
        (Flaw(rfu1=True), 0x07),
        (Flaw(uv=False), 0x01),
        (Flaw(be=True), 0x0D),
        (Flaw(bs=True), 0x15),
        (Flaw(rfu2=True), 0x25),
        (Flaw(at=True), 0x45),
        (Flaw(ed=True), 0x85),
    ],
)
def test_each_flag_can_be_forced(flaw: Flaw, flags: int) -> None:
    assert soundly_asserted(flaw)["authenticatorData"][32:] == bytes([flags, 0, 0, 0, 1])


def test_authenticator_data_is_flawed_where_it_says() -> None:
    def honest(data: bytes) -> bytes:
        return sha256(b"localhost").digest() + bytes([HONEST_FLAGS]) + data

    def data(flaw: Flaw) -> Any:
        return soundly_asserted(flaw)["authenticatorData"]

    assert data(Flaw(rp_id="evil.example"))[:32] == sha256(b"evil.example").digest()
    assert data(Flaw(sign_count=2**32 - 1)) == honest(b"\xff\xff\xff\xff")
    assert data(Flaw(trailing_authenticator_data=b"!")) == honest(b"\0\0\0\1!")
    assert data(Flaw(authenticator_data=b"short")) == b"short"
    assert data(Flaw(extensions={"a": 1}))[32:] == b"\x85\0\0\0\1" + cbor2.dumps({"a": 1})
    assert data(Flaw(extensions=b"\xff", ed=False)) == honest(b"\0\0\0\1\xff")


def test_a_flawed_sign_count_does_not_change_the_passkeys_own() -> None:
    authenticator = SoftAuthenticator()
    authenticator.create(creation_options())
    authenticator.get(request_options(), flaw=Flaw(sign_count=9))
    assert authenticator.passkeys[0].sign_count == 1


def test_a_flaw_shows_only_what_is_wrong() -> None:
    assert repr(Flaw(origin="null", uv=False)) == "Flaw(origin='null', uv=False)"


@pytest.mark.parametrize("length", [0, 1, 1024, 65535])
def test_a_credential_id_can_have_any_length(length: int) -> None:
    authenticator = SoftAuthenticator()
    credential = authenticator.create(creation_options(), flaw=Flaw(credential_id=bytes(length)))
    data = attestation(credential)["authData"]
    assert credential["id"] == credential["rawId"] == b64url(bytes(length))
    assert data[53:55] == length.to_bytes(2, "big")
    assert authenticator.passkeys[0].credential_id == bytes(length)


def test_the_three_places_of_a_credential_id_can_disagree() -> None:
    credential = registered(
        Flaw(credential_id=b"id", raw_id=b"raw", attested_credential_id=b"attested")
    )
    assert (credential["id"], credential["rawId"]) == (b64url(b"id"), b64url(b"raw"))
    assert attestation(credential)["authData"][53:63] == b"\0\x08attested"


def test_the_attested_length_and_aaguid_can_lie() -> None:
    data = attestation(registered(Flaw(attested_credential_id_length=9, aaguid=b"?")))["authData"]
    assert data[37:40] == b"?\0\x09"


def test_a_cose_key_can_be_a_value_or_raw_cbor_or_an_edit() -> None:
    assert attested_key(Flaw(cose_key=7)) == b"\x07"
    assert attested_key(Flaw(cose_key=[1, 2])) == b"\x82\x01\x02"
    assert attested_key(Flaw(cose_key={1: 2})) == b"\xa1\x01\x02"
    assert attested_key(Flaw(cose_key=b"\xff\xff")) == b"\xff\xff"
    assert KTY not in cbor2.loads(attested_key(Flaw(cose_key=lambda key: {ALG: key[ALG]})))


def test_an_attestation_statement_can_be_anything() -> None:
    credential = registered(Flaw(attestation=statement("none", {"sig": b"sig"})))
    assert attestation(credential)["attStmt"] == {"sig": b"sig"}
    with pytest.raises(InvalidRegistrationResponse, match="unexpected attestation statement"):
        verify(credential)
    assert attestation(registered(Flaw(attestation=statement(1, None))))["fmt"] == 1


def test_a_packed_attestation_can_be_wrong_in_each_member() -> None:
    with pytest.raises(InvalidRegistrationResponse, match="did not equal attestation statement"):
        verify(registered(Flaw(attestation=packed_self(alg=RS256))))
    with pytest.raises(InvalidRegistrationResponse, match="Could not verify"):
        verify(registered(Flaw(attestation=packed_self(signature=b"0"))))
    foreign = Flaw(attestation=packed_self(), signing_key=generate_private_key(EDDSA))
    with pytest.raises(InvalidRegistrationResponse, match="Could not verify"):
        verify(registered(foreign))
    junk = registered(Flaw(attestation=packed_x5c(b"junk", 7)))
    assert attestation(junk)["attStmt"]["x5c"] == [b"junk", 7]


def test_an_attestation_object_can_be_any_bytes() -> None:
    def raw(flaw: Flaw) -> bytes:
        return from_b64url(registered(flaw)["response"]["attestationObject"])

    assert raw(Flaw(attestation_object=b"\xff")) == b"\xff"
    assert raw(Flaw(trailing_attestation_object=b"more")).endswith(b"more")
    colliding = colliding_integer_map(3)
    assert b"gattStmt" + colliding in raw(Flaw(attestation_object=with_raw_statement(colliding)))


def test_py_webauthn_alone_sees_only_some_of_the_bytes_that_trail() -> None:
    with pytest.raises(InvalidRegistrationResponse, match="malformed"):
        verify(registered(Flaw(trailing_authenticator_data=b"!")))
    verify(registered(Flaw(trailing_attestation_object=b"!")))  # refused by our service alone


@pytest.mark.parametrize(
    ("flaw", "sent"),
    [
        (Flaw(), b64url(b"jane's handle")),
        (Flaw(user_handle=b"john"), b64url(b"john")),
        (Flaw(user_handle=b""), ""),
        (Flaw(user_handle="A"), "A"),
        (Flaw(user_handle="é"), "é"),
        (Flaw(response={"userHandle": None}), None),
    ],
)
def test_a_user_handle_can_be_bytes_or_text_as_it_stands(flaw: Flaw, sent: object) -> None:
    assert asserted(flaw)[0]["response"]["userHandle"] == sent


def test_a_user_handle_can_be_left_out() -> None:
    assert "userHandle" not in asserted(Flaw(user_handle=OMIT))[0]["response"]


@pytest.mark.parametrize(
    "flaw",
    [
        Flaw(flip_signature_bit=True),
        Flaw(signing_key=generate_private_key(ES256)),
        Flaw(signature=b"no signature"),
        Flaw(signature=lambda honest: honest[:-1]),
        Flaw(response={"authenticatorData": b64url(bytes(37))}),
    ],
)
def test_a_signature_can_fail(flaw: Flaw) -> None:
    with pytest.raises(InvalidSignature):
        soundly_asserted(flaw)


def test_any_member_of_the_json_can_be_replaced_or_removed() -> None:
    response: dict[str, object] = {"signature": 7, "clientDataJSON": OMIT, "new": [None]}
    flaw = Flaw(response=response, credential={"type": OMIT, "id": None, "rawId": str.lower})
    assertion = asserted(flaw)[0]
    assert (assertion["response"]["signature"], assertion["response"]["new"]) == (7, [None])
    assert "clientDataJSON" not in assertion["response"]
    assert (assertion["id"], "type" in assertion) == (None, False)
    assert assertion["rawId"] == assertion["rawId"].lower()
