"""Credential ids: one owner, a length no one can guess, and the same in all three places."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.encoding import b64url
from tests.features.conftest import BOB
from tests.features.expect import (
    assert_nothing_stored,
    assert_registration_refused,
    events_of,
    passkeys,
    users,
)
from tests.support.service import JANE, Service


def test_a_credential_id_that_another_owns_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A12: the owner keeps the passkey, and the thief gets no account."""
    before = passkeys(service)
    flaw = Flaw(credential_id=device.passkeys[0].credential_id)
    thief = SoftAuthenticator()
    credential = thief.create(service.begin_registration(BOB), flaw=flaw)
    answer = service.complete_registration(BOB["email"], credential)
    event = assert_registration_refused(service, answer, "credential_taken")
    assert event["user_email"] == BOB["email"]
    assert passkeys(service) == before
    assert [user["email"] for user in users(service)] == [JANE["email"]]
    assert service.try_login(device).status_code == 200
    assert service.try_login(thief, None).status_code == 401


def test_the_thief_may_register_with_a_credential_id_of_their_own(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    flaw = Flaw(credential_id=device.passkeys[0].credential_id)
    credential = SoftAuthenticator().create(service.begin_registration(BOB), flaw=flaw)
    service.complete_registration(BOB["email"], credential)
    service.register(SoftAuthenticator(), BOB)


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        (0, "length_rawId"),
        (1, "credential_id_short"),
        (15, "credential_id_short"),
        (1024, "length_rawId"),
        (4000, "length_rawId"),
    ],
)
def test_a_credential_id_too_short_or_too_long_is_refused(
    service: Service, device: SoftAuthenticator, length: int, reason: str
) -> None:
    """A12: at least 16 bytes, or it can be guessed; at most 1023, as WebAuthn says."""
    credential = device.create(service.begin_registration(), flaw=Flaw(credential_id=bytes(length)))
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, reason)
    assert_nothing_stored(service)


@pytest.mark.parametrize("length", [16, 32, 1023])
def test_a_credential_id_of_any_length_between_serves(
    service: Service, device: SoftAuthenticator, length: int
) -> None:
    """One over 255 bytes is not offered, but may answer."""
    service.register(device, flaw=Flaw(credential_id=bytes(range(16)) + bytes(length - 16)))
    long = Flaw(ignores_options=length > 255)
    assert service.try_login(device, flaw=long).status_code == 200
    assert service.try_login(device, None).status_code == 200


def test_a_credential_id_of_65535_bytes_is_refused_before_it_is_read(
    service: Service, device: SoftAuthenticator
) -> None:
    """A12, A16: three copies of it are past the cap on bodies."""
    credential = device.create(service.begin_registration(), flaw=Flaw(credential_id=bytes(65535)))
    answer = service.complete_registration(JANE["email"], credential)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert events_of(service, answer) == []
    assert_nothing_stored(service)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 65535])
def test_an_attested_credential_id_of_a_false_length_is_refused(
    service: Service, device: SoftAuthenticator, length: int
) -> None:
    """A12: the length is a claim, too; what follows it is no key then."""
    flaw = Flaw(attested_credential_id_length=length)
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(
        service, answer, "public_key", "attestation_malformed", "credential_id_not_attested"
    )
    assert_nothing_stored(service)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        pytest.param(
            Flaw(attested_credential_id=bytes(32)), "credential_id_not_attested", id="attested id"
        ),
        pytest.param(Flaw(raw_id=bytes(32)), "id_and_raw_id_differ", id="rawId"),
        pytest.param(Flaw(credential={"id": b64url(bytes(32))}), "id_and_raw_id_differ", id="id"),
        pytest.param(
            Flaw(credential={"id": b64url(bytes(32)), "rawId": b64url(bytes(32))}),
            "credential_id_not_attested",
            id="id and rawId",
        ),
    ],
)
def test_a_credential_id_that_is_not_the_same_everywhere_is_refused(
    service: Service, device: SoftAuthenticator, flaw: Flaw, reason: str
) -> None:
    """A12: only the attested one is the authenticator's word."""
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, reason)
    assert_nothing_stored(service)


def test_anothers_credential_id_cannot_be_claimed_from_outside(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A12: the attested id is the thief's own, the one beside it is Jane's."""
    janes = b64url(device.passkeys[0].credential_id)
    flaw = Flaw(credential={"id": janes, "rawId": janes})
    credential = SoftAuthenticator().create(service.begin_registration(BOB), flaw=flaw)
    answer = service.complete_registration(BOB["email"], credential)
    assert_registration_refused(service, answer, "credential_id_not_attested")
    assert len(passkeys(service)) == 1
