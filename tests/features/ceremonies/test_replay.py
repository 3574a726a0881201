"""A challenge is spent by the first try, whatever comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.authenticator import OMIT, Flaw, SoftAuthenticator
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
    events_of,
    passkeys,
    users,
)
from tests.support.service import JANE, Service

FAILED_TRIES = [
    pytest.param(Flaw(origin="http://evil.example"), "origin", id="from another origin"),
    pytest.param(Flaw(uv=False), "user_not_verified", id="without user verification"),
    pytest.param(Flaw(rp_id="evil.example"), "rp_id_hash", id="for another relying party"),
    pytest.param(Flaw(raw_id=bytes(32)), "id_and_raw_id_differ", id="with a malformed id"),
    pytest.param(Flaw(credential={"type": OMIT}), "credential_type", id="without a type"),
    pytest.param(
        Flaw(client_data_members={"origin": OMIT}), "member_origin", id="without an origin"
    ),
    pytest.param(
        Flaw(client_data_members={"type": 7}), "member_type", id="of a malformed ceremony"
    ),
]


def test_a_finished_login_cannot_be_sent_again(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A1: a replayed login finds its challenge spent."""
    assertion = device.get(service.begin_login())
    assert service.complete_login(JANE["email"], assertion).status_code == 200
    for _ in range(3):
        replayed = service.complete_login(JANE["email"], assertion)
        assert_login_refused(service, replayed, "no_ceremony")


def test_a_spent_challenge_cannot_be_signed_afresh(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A1: the sign count would allow this one; only the challenge is in its way."""
    options = service.begin_login()
    assert service.complete_login(JANE["email"], device.get(options)).status_code == 200
    again = service.complete_login(JANE["email"], device.get(options))
    assert_login_refused(service, again, "no_ceremony")


def test_a_passkey_that_never_counts_cannot_be_replayed_either(service: Service) -> None:
    """A1: no sign count helps here."""
    device = SoftAuthenticator(counter=False)
    service.register(device)
    assertion = device.get(service.begin_login())
    assert service.complete_login(JANE["email"], assertion).status_code == 200
    replayed = service.complete_login(JANE["email"], assertion)
    assert_login_refused(service, replayed, "no_ceremony")


@pytest.mark.parametrize(("flaw", "reason"), FAILED_TRIES)
def test_a_failed_login_spends_its_challenge(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], flaw: Flaw, reason: str
) -> None:
    """A1: after a failed try the right assertion comes too late."""
    options = service.begin_login()
    failed = service.complete_login(JANE["email"], device.get(options, flaw=flaw))
    assert_login_refused(service, failed, reason)
    late = service.complete_login(JANE["email"], device.get(options))
    assert_login_refused(service, late, "no_ceremony")


def test_a_finished_registration_cannot_be_sent_again(
    service: Service, device: SoftAuthenticator
) -> None:
    """A1: a replayed registration finds its challenge spent."""
    credential = device.create(service.begin_registration())
    assert service.complete_registration(JANE["email"], credential).status_code == 201
    replayed = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, replayed, "no_ceremony")
    assert (len(users(service)), len(passkeys(service))) == (1, 1)


@pytest.mark.parametrize(("flaw", "reason"), FAILED_TRIES)
def test_a_failed_registration_spends_its_challenge(
    service: Service, device: SoftAuthenticator, flaw: Flaw, reason: str
) -> None:
    """A1: after a failed try the right credential comes too late."""
    options = service.begin_registration()
    failed = service.complete_registration(JANE["email"], device.create(options, flaw=flaw))
    assert_registration_refused(service, failed, reason)
    late = service.complete_registration(JANE["email"], device.create(options))
    assert_registration_refused(service, late, "no_ceremony")
    assert_nothing_stored(service)


def test_a_body_that_cannot_be_read_is_no_try(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A1: a 422 names no challenge, so it spends none and is no event."""
    assertion = device.get(service.begin_login())
    body = {"email": "no address", "assertion": assertion}
    unread = service.post("/login/complete", body)
    assert (unread.status_code, events_of(service, unread)) == (422, [])
    assert service.complete_login(JANE["email"], assertion).status_code == 200
