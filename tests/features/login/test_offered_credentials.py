"""Which passkeys a login may be answered with: all of the user's, and no other."""

from __future__ import annotations

import secrets
from typing import Any

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.features.devices import id_of, second_device
from tests.features.expect import assert_login_refused, passkeys
from tests.support.service import JANE, Service


def test_every_passkey_of_a_user_is_offered_and_may_answer(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    telephone = second_device(service, jane, transports=("hybrid", "internal"))
    offered = service.begin_login()["allowCredentials"]
    assert sorted(offered, key=lambda descriptor: len(descriptor["transports"])) == [
        {"type": "public-key", "id": id_of(held.passkeys[0]), "transports": list(held.transports)}
        for held in (device, telephone)
    ]
    for held in (device, telephone):
        assert service.try_login(held).status_code == 200
        assert service.try_login(held, None).status_code == 200


def test_a_passkey_that_was_not_offered_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A5: it is Jane's own and good otherwise, but it came after this login was begun."""
    options = service.begin_login()
    late = second_device(service, jane)
    assertion = late.get(options, flaw=Flaw(ignores_options=True))
    answer = service.complete_login(JANE["email"], assertion)
    event = assert_login_refused(service, answer, "credential_not_offered")
    assert event["user_id"] == jane["id"]
    assert service.try_login(late).status_code == 200


def test_a_passkey_nobody_registered_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A5: an id that this service never saw."""
    flaw = Flaw(credential_id=secrets.token_bytes(32))
    answer = service.try_login(device, flaw=flaw)
    event = assert_login_refused(service, answer, "unknown_credential")
    # The owner of an unknown passkey is unknown: the email is only claimed.
    assert (event["user_email"], event["user_id"]) == (JANE["email"], None)


def test_a_passkey_that_was_removed_since_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A5: having been offered once is not enough."""
    options = service.begin_login()
    service.rows("DELETE FROM webauthn_credentials")
    answer = service.complete_login(JANE["email"], device.get(options))
    assert_login_refused(service, answer, "unknown_credential")


def test_a_decoy_is_never_a_way_in(service: Service, device: SoftAuthenticator) -> None:
    """A5, D1: what an unknown email was offered is not there, whoever signs for it."""
    options = service.begin_login("nobody@example.com")
    device.create(service.begin_registration())
    assertion = device.get(options, flaw=Flaw(ignores_options=True))
    decoy = options["allowCredentials"][0]["id"]
    claim = {**assertion, "id": decoy, "rawId": decoy}
    answer = service.complete_login("nobody@example.com", claim)
    assert_login_refused(service, answer, "unknown_credential")


def test_a_real_passkey_cannot_answer_a_login_that_offered_decoys(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A5: the email of the ceremony has no passkey at all."""
    options = service.begin_login("nobody@example.com")
    assertion = device.get(options, flaw=Flaw(ignores_options=True))
    answer = service.complete_login("nobody@example.com", assertion)
    assert_login_refused(service, answer, "other_email")
    assert [key["last_used_at"] for key in passkeys(service)] == [None]


def test_an_account_that_was_disabled_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    options = service.begin_login()
    service.rows("UPDATE users SET disabled = 1")
    answer = service.complete_login(JANE["email"], device.get(options))
    assert_login_refused(service, answer, "user_disabled")
    assert_login_refused(service, service.try_login(device, None), "user_disabled")
