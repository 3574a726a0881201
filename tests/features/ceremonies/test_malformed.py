"""Credentials that are not even shaped like one: refused like any other, never a crash."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import OMIT, Flaw, SoftAuthenticator
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
    passkeys,
)
from tests.support.service import JANE, Service

# Not one of these is the base64url text that a member must be.
NO_OCTETS: dict[str, object] = {
    "left out": OMIT,
    "null": None,
    "a number": 7,
    "a list": ["A"],
    "an object": {},
    "one letter": "A",
    "no ASCII": "é",
    "padded": "AAAA====",
    "with a space": "AA AA",
    "padded too little": "AA=",
    "padding inside": "AA==AA==",
    "both alphabets of base64": "+-/_",
    "unused bits that are not zero": "AB==",
    "lines": "AAAA\nAAAA",
}
SIGNED_MEMBERS = ("authenticatorData", "signature")


@pytest.mark.parametrize("value", NO_OCTETS.values(), ids=NO_OCTETS)
@pytest.mark.parametrize("member", SIGNED_MEMBERS)
def test_a_login_with_a_malformed_member_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], member: str, value: object
) -> None:
    """A15: the library would raise whatever it raises."""
    answer = service.try_login(device, flaw=Flaw(response={member: value}))
    assert_login_refused(service, answer, f"member_{member}")


@pytest.mark.parametrize("value", NO_OCTETS.values(), ids=NO_OCTETS)
def test_a_registration_with_a_malformed_member_is_refused(
    service: Service, device: SoftAuthenticator, value: object
) -> None:
    """A15: the same for the attestation object."""
    flaw = Flaw(response={"attestationObject": value})
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, "member_attestationObject")
    assert_nothing_stored(service)


@pytest.mark.parametrize(
    "handle", ["A", "é", "AA=", 7, [], {}, True], ids=lambda handle: repr(handle)
)
@pytest.mark.parametrize("email", [JANE["email"], None], ids=["by email", "usernameless"])
def test_a_malformed_user_handle_is_refused(
    service: Service,
    device: SoftAuthenticator,
    jane: dict[str, Any],
    email: str | None,
    handle: object,
) -> None:
    """A15: "A" and "é" are not base64url, and once crashed the library."""
    answer = service.try_login(device, email, flaw=Flaw(response={"userHandle": handle}))
    assert_login_refused(service, answer, "member_userHandle")


def test_a_user_handle_of_an_impossible_length_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A15: at most 64 bytes (WebAuthn L3 §5.4.3)."""
    answer = service.try_login(device, flaw=Flaw(user_handle=bytes(65)))
    assert_login_refused(service, answer, "length_userHandle")


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        pytest.param(Flaw(credential={"type": "password"}), "credential_type", id="another type"),
        pytest.param(Flaw(credential={"type": ["public-key"]}), "credential_type", id="a list"),
        pytest.param(Flaw(credential={"id": OMIT}), "id_and_raw_id_differ", id="no id"),
        pytest.param(Flaw(credential={"rawId": OMIT}), "id_and_raw_id_differ", id="no rawId"),
        pytest.param(Flaw(credential={"id": 7, "rawId": 7}), "member_rawId", id="a number"),
        pytest.param(Flaw(credential={"id": "A", "rawId": "A"}), "member_rawId", id="no base64"),
        pytest.param(Flaw(credential={"id": "", "rawId": ""}), "length_rawId", id="empty"),
        pytest.param(Flaw(authenticator_data=b"short"), "authenticator_data_short", id="short"),
        pytest.param(Flaw(authenticator_data=b""), "length_authenticatorData", id="no data"),
        pytest.param(Flaw(authenticator_data=bytes(8193)), "length_authenticatorData", id="long"),
        pytest.param(Flaw(signature=b""), "length_signature", id="no signature"),
        pytest.param(Flaw(signature=bytes(1025)), "length_signature", id="a long signature"),
    ],
)
def test_a_malformed_assertion_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], flaw: Flaw, reason: str
) -> None:
    """A15: each for its own reason, which only the audit trail tells."""
    assert_login_refused(service, service.try_login(device, flaw=flaw), reason)


@pytest.mark.parametrize("body", [{}, {"response": None}, {"response": []}, {"response": {}}])
def test_an_empty_credential_is_refused(service: Service, body: dict[str, Any]) -> None:
    """A15: there is no challenge in it, so no ceremony is found."""
    answer = service.complete_login(JANE["email"], body)
    assert_login_refused(service, answer, "no_ceremony", "member_response", "member_clientDataJSON")
    answer = service.complete_registration(JANE["email"], body)
    assert_registration_refused(
        service, answer, "no_ceremony", "member_response", "member_clientDataJSON"
    )


@pytest.mark.parametrize(
    "stored", [b"", b"\x01", b"\xa0", b"\x04", b"\xff", b"\xa1\x03\x26"], ids=repr
)
def test_a_stored_key_that_is_damaged_fails_like_any_login(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], stored: bytes
) -> None:
    """A15: no input can do this; it stands for a disk that does not keep what it was given."""
    service.rows("UPDATE webauthn_credentials SET public_key = ?", stored)
    event = assert_login_refused(service, service.try_login(device), "public_key")
    assert event["user_id"] == jane["id"]
    assert [key["last_used_at"] for key in passkeys(service)] == [None]


def test_members_of_the_future_are_ignored(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    flaw = Flaw(response={"new": [None]}, credential={"clientExtensionResults": {"x": {"y": 1}}})
    assert service.try_login(device, flaw=flaw).status_code == 200
