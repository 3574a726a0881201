"""What the authenticator vouches for in its flags: someone was there, and was verified."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.features.expect import (
    assert_login_refused,
    assert_nothing_stored,
    assert_registration_refused,
    passkeys,
)
from tests.support.service import JANE, Service

UNSOUND = [
    pytest.param(Flaw(up=False), "user_not_present", id="UP = 0"),
    pytest.param(Flaw(uv=False), "user_not_verified", id="UV = 0"),
    pytest.param(Flaw(bs=True), "backed_up_but_not_eligible", id="BS without BE"),
]
RESERVED = [
    pytest.param(Flaw(rfu1=True), "0x02", id="bit 1"),
    pytest.param(Flaw(rfu2=True), "0x20", id="bit 5"),
    pytest.param(Flaw(rfu1=True, rfu2=True), "0x22", id="both"),
]
ELIGIBILITY = [pytest.param(True, id="BE was 1"), pytest.param(False, id="BE was 0")]


@pytest.mark.parametrize(("flaw", "reason"), UNSOUND)
def test_a_login_with_unsound_flags_is_refused(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], flaw: Flaw, reason: str
) -> None:
    """A9: the signature covers the flags and is good."""
    assert_login_refused(service, service.try_login(device, flaw=flaw), reason)


@pytest.mark.parametrize(("flaw", "reason"), UNSOUND)
def test_a_registration_with_unsound_flags_is_refused(
    service: Service, device: SoftAuthenticator, flaw: Flaw, reason: str
) -> None:
    """A9: no passkey is kept that nobody was there for."""
    credential = device.create(service.begin_registration(), flaw=flaw)
    answer = service.complete_registration(JANE["email"], credential)
    assert_registration_refused(service, answer, reason)
    assert_nothing_stored(service)


@pytest.mark.parametrize(("flaw", "noted"), RESERVED)
def test_reserved_flags_of_a_login_are_ignored_and_on_record(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], flaw: Flaw, noted: str
) -> None:
    """A14: a later specification may give the bits a meaning, so they refuse nobody."""
    assert service.try_login(device, flaw=flaw).status_code == 200
    details = service.last_audit("login_complete")["details"]
    assert details == f"User Jane Doe logged in (role: user) (reserved flags: {noted})"


@pytest.mark.parametrize(("flaw", "noted"), RESERVED)
def test_reserved_flags_of_a_registration_are_ignored_and_on_record(
    service: Service, device: SoftAuthenticator, flaw: Flaw, noted: str
) -> None:
    """A14: the passkey is kept, and works without the bits."""
    service.register(device, flaw=flaw)
    details = service.last_audit("registration_complete")["details"]
    assert details.endswith(f" (reserved flags: {noted})")
    assert service.try_login(device).status_code == 200
    assert "reserved" not in service.last_audit("login_complete")["details"]


@pytest.mark.parametrize(("flaw", "_noted"), RESERVED)
def test_reserved_flags_are_covered_by_the_signature(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any], flaw: Flaw, _noted: str
) -> None:
    """A14: only the authenticator sets them. They open no way around the other flags."""
    unverified = dataclasses.replace(flaw, uv=False)
    assert_login_refused(service, service.try_login(device, flaw=unverified), "user_not_verified")


@pytest.mark.parametrize("eligible", ELIGIBILITY)
def test_backup_eligibility_never_changes(service: Service, eligible: bool) -> None:
    """A9: it is fixed when the passkey is made; another value is another key."""
    device = SoftAuthenticator(backup_eligible=eligible)
    service.register(device)
    answer = service.try_login(device, flaw=Flaw(be=not eligible))
    assert_login_refused(service, answer, "backup_eligibility_changed")
    assert service.try_login(device).status_code == 200


def test_backup_eligibility_does_not_change_together_with_the_backup_state(
    service: Service, device: SoftAuthenticator, jane: dict[str, Any]
) -> None:
    """A9: BE and BS agree with each other here, but not with the registration."""
    answer = service.try_login(device, flaw=Flaw(be=True, bs=True))
    assert_login_refused(service, answer, "backup_eligibility_changed")


@pytest.mark.parametrize("backed_up", [True, False])
def test_backup_flags_are_kept_from_the_registration(service: Service, backed_up: bool) -> None:
    service.register(SoftAuthenticator(backup_eligible=True, backed_up=backed_up))
    (key,) = passkeys(service)
    assert (key["backup_eligible"], key["backed_up"]) == (1, int(backed_up))


def test_the_backup_state_follows_every_login(service: Service) -> None:
    # WebAuthn L3 §7.2 step 24: the credential record's backup state is updated.
    device = SoftAuthenticator(backup_eligible=True)
    service.register(device)
    for backed_up in (True, False):
        device.passkeys[0].backed_up = backed_up
        assert service.try_login(device).status_code == 200
        assert [key["backed_up"] for key in passkeys(service)] == [int(backed_up)]
