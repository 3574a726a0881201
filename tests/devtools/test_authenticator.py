"""The software authenticator, honest: py_webauthn, which knows nothing of it, verifies its work."""

import json
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import base64url_to_bytes

from devtools.authenticator import (
    AlgorithmNotOffered,
    AlreadyRegistered,
    Flaw,
    NoPasskey,
    SoftAuthenticator,
    SoftPasskey,
    packed_self,
)
from devtools.cose import EDDSA, ES256, RS256, spki
from devtools.encoding import b64url, from_b64url
from devtools.options import CHALLENGE, creation_options, descriptor, request_options

ORIGIN = "http://localhost:8000"
ALGORITHMS = (ES256, EDDSA, RS256)
JSON = dict[str, Any]


def verify_registration(credential: JSON) -> Any:
    return verify_registration_response(
        credential=credential,
        expected_challenge=base64url_to_bytes(CHALLENGE),
        expected_rp_id="localhost",
        expected_origin=ORIGIN,
        require_user_verification=True,
    )


def verify_authentication(assertion: JSON, public_key: bytes, *, sign_count: int = 0) -> Any:
    return verify_authentication_response(
        credential=assertion,
        expected_challenge=base64url_to_bytes(CHALLENGE),
        expected_rp_id="localhost",
        expected_origin=ORIGIN,
        credential_public_key=public_key,
        credential_current_sign_count=sign_count,
        require_user_verification=True,
    )


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_registration_and_two_logins_verify(alg: int) -> None:
    authenticator = SoftAuthenticator(origin=ORIGIN)
    registered = verify_registration(authenticator.create(creation_options(), alg=alg))
    assert registered.sign_count == 0
    for count in (1, 2):
        assertion = authenticator.get(request_options())
        verified = verify_authentication(
            assertion, registered.credential_public_key, sign_count=count - 1
        )
        assert verified.new_sign_count == count


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_packed_self_attestation_verifies(alg: int) -> None:
    flaw = Flaw(attestation=packed_self())
    credential = SoftAuthenticator().create(creation_options(), alg=alg, flaw=flaw)
    assert verify_registration(credential).fmt == "packed"


def test_a_registration_has_the_shape_that_chrome_gives_it() -> None:
    authenticator = SoftAuthenticator()
    credential = authenticator.create(creation_options())
    response = credential["response"]
    assert credential == {
        "id": b64url(authenticator.passkeys[0].credential_id),
        "rawId": credential["id"],
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": response,
    }
    assert from_b64url(response["clientDataJSON"]) == (
        b'{"type":"webauthn.create","challenge":"%s","origin":"http://localhost:8000",'
        b'"crossOrigin":false}' % CHALLENGE.encode()
    )
    attestation = cbor2.loads(from_b64url(response["attestationObject"]))
    assert list(attestation) == ["fmt", "attStmt", "authData"]
    assert (attestation["fmt"], attestation["attStmt"]) == ("none", {})
    assert b64url(attestation["authData"]) == response["authenticatorData"]
    assert (attestation["authData"][32], len(authenticator.passkeys[0].credential_id)) == (0x45, 32)
    assert (response["transports"], response["publicKeyAlgorithm"]) == (["internal"], ES256)
    assert spki(authenticator.passkeys[0].public_key) == from_b64url(response["publicKey"])
    load_der_public_key(from_b64url(response["publicKey"]))


def test_an_assertion_has_the_shape_that_chrome_gives_it() -> None:
    authenticator = SoftAuthenticator()
    authenticator.create(creation_options())
    assertion = authenticator.get(request_options())
    members = ["clientDataJSON", "authenticatorData", "signature", "userHandle"]
    assert list(assertion["response"]) == members
    assert assertion["response"]["userHandle"] == b64url(b"jane's handle")
    assert from_b64url(assertion["response"]["authenticatorData"])[32:] == b"\x05\x00\x00\x00\x01"
    assert json.loads(json.dumps(assertion)) == assertion


def test_cred_props_is_answered_when_it_is_asked_for() -> None:
    options = creation_options(extensions={"credProps": True})
    credential = SoftAuthenticator().create(options)
    assert credential["clientExtensionResults"] == {"credProps": {"rk": True}}


def test_without_a_counter_every_sign_count_is_zero() -> None:
    authenticator = SoftAuthenticator(counter=False)
    public_key = verify_registration(authenticator.create(creation_options())).credential_public_key
    for _ in range(2):
        assertion = authenticator.get(request_options())
        assert verify_authentication(assertion, public_key).new_sign_count == 0


def test_a_synced_passkey_says_so_in_both_ceremonies() -> None:
    authenticator = SoftAuthenticator(backup_eligible=True, backed_up=True)
    registered = verify_registration(authenticator.create(creation_options()))
    assert registered.credential_backed_up
    assertion = authenticator.get(request_options())
    assert verify_authentication(assertion, registered.credential_public_key).credential_backed_up


def test_an_excluded_passkey_is_not_registered_twice() -> None:
    authenticator = SoftAuthenticator()
    authenticator.create(creation_options())
    excluded = [descriptor(authenticator.passkeys[0].credential_id)]
    with pytest.raises(AlreadyRegistered):
        authenticator.create(creation_options(excludeCredentials=excluded))
    SoftAuthenticator().create(creation_options(excludeCredentials=excluded))


def test_a_new_passkey_of_an_account_replaces_the_old_one() -> None:
    authenticator = SoftAuthenticator()
    for _ in range(2):
        authenticator.create(creation_options())
    assert len(authenticator.passkeys) == 1


def test_an_algorithm_that_is_not_offered_is_not_used() -> None:
    options = creation_options(pubKeyCredParams=[{"type": "public-key", "alg": RS256}])
    with pytest.raises(AlgorithmNotOffered):
        SoftAuthenticator().create(options)
    SoftAuthenticator().create(options, flaw=Flaw(ignores_options=True))


def test_only_an_allowed_passkey_answers() -> None:
    authenticator = SoftAuthenticator()
    authenticator.create(creation_options())
    others = creation_options(user={"id": b64url(b"john's handle"), "name": "john@example.com"})
    authenticator.create(others)
    jane, john = authenticator.passkeys
    allowed = request_options(b"someone else's", jane.credential_id)
    assert authenticator.get(allowed)["id"] == b64url(jane.credential_id)
    assert authenticator.get(request_options())["id"] == b64url(john.credential_id)
    with pytest.raises(NoPasskey):
        authenticator.get(allowed, passkey=john)
    ignoring = authenticator.get(allowed, passkey=john, flaw=Flaw(ignores_options=True))
    assert ignoring["id"] == b64url(john.credential_id)


def test_a_passkey_answers_its_own_relying_party_alone() -> None:
    authenticator = SoftAuthenticator()
    authenticator.create(creation_options())
    with pytest.raises(NoPasskey):
        authenticator.get(request_options(rpId="example.com"))


def test_the_relying_party_defaults_to_the_host_of_the_origin() -> None:
    authenticator = SoftAuthenticator(origin=ORIGIN)
    verify_registration(authenticator.create(creation_options(rp={"name": "Auth Example"})))
    assert authenticator.passkeys[0].rp_id == "localhost"


def test_options_that_a_browser_could_not_decode_are_refused() -> None:
    with pytest.raises(ValueError, match="not canonical base64url"):
        SoftAuthenticator().create(creation_options(challenge=CHALLENGE + "="))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_passkey_survives_its_json(alg: int) -> None:
    authenticator = SoftAuthenticator()
    registered = verify_registration(authenticator.create(creation_options(), alg=alg))
    authenticator.get(request_options())
    kept = json.loads(json.dumps(authenticator.passkeys[0].to_json()))
    other_device = SoftAuthenticator()
    other_device.passkeys = [SoftPasskey.from_json(kept)]
    assertion = other_device.get(request_options())
    verify_authentication(assertion, registered.credential_public_key, sign_count=1)
