"""Registrations in auth.py: the rows and events they write, and their refusals."""

from __future__ import annotations

from uuid import UUID

import pytest

import audit
from audit import Principal
from auth import PasskeyCeremonies
from devtools.authenticator import Flaw, SoftAuthenticator
from stores.credentials import CredentialRow
from stores.users import UserRow
from tests.unit.auth.conftest import (
    AT,
    BOB,
    CALLER,
    FAILED,
    FORM,
    JANE,
    World,
    log_in,
    refused,
    register,
    run,
)


def test_a_registration_is_begun_with_these_options(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    options = run(passkeys.register_begin(CALLER, FORM))
    assert world.trail == [audit.RegistrationBegun(Principal(None, "jane@example.com"))]
    user = options["user"]
    assert (user["name"], user["displayName"]) == ("jane@example.com", "Jane Doe")
    assert len(options["challenge"]) == 43
    assert world.people == []


def test_an_email_is_registered_once(passkeys: PasskeyCeremonies, world: World) -> None:
    register(passkeys, SoftAuthenticator())
    world.trail.clear()
    answer = refused(passkeys.register_begin(CALLER, FORM))
    sentence = "This email cannot be registered"
    assert answer == (409, "registration_not_possible", sentence)
    party = Principal(None, "jane@example.com")
    assert world.trail == [audit.RegistrationBeginRefused(party, reason="email_taken")]


def test_a_registration_writes_these_rows(passkeys: PasskeyCeremonies, world: World) -> None:
    device = SoftAuthenticator(
        transports=("usb", "internal"), backup_eligible=True, backed_up=False
    )
    user = register(passkeys, device, Flaw(sign_count=3))
    assert UUID(user.id).version == 4
    assert user == UserRow(
        id=user.id,
        first_name="Jane",
        last_name="Doe",
        email="jane@example.com",
        email_typed="Jane@Example.com",
        date_of_birth=FORM.date_of_birth,
        job_title="Engineer",
        role="user",
        disabled=0,
        created_at=AT,
    )
    assert world.people == [user]
    (row,) = world.keys
    assert UUID(row.id).version == 4
    assert row.id != user.id
    assert row == CredentialRow(
        id=row.id,
        user_id=user.id,
        credential_id=device.passkeys[0].credential_id,
        public_key=row.public_key,
        sign_count=3,
        transports="internal,usb",
        aaguid="8d7a4a4e-5f0f-4b0c-9c2f-6d2b7a51c0de",
        backup_eligible=1,
        backed_up=0,
        user_verified=1,
        created_at=AT,
    )
    assert device.passkeys[0].user_handle == user.id.encode()
    done = audit.RegistrationCompleted(Principal.of(user), aaguid=row.aaguid or "")
    assert world.trail[1:] == [done]


@pytest.mark.parametrize("backed_up", [True, False])
def test_backup_is_stored_as_numbers(
    passkeys: PasskeyCeremonies, world: World, backed_up: bool
) -> None:
    device = SoftAuthenticator(backup_eligible=backed_up, backed_up=backed_up)
    register(passkeys, device)
    (row,) = world.keys
    assert (row.backup_eligible, row.backed_up) == (int(backed_up), int(backed_up))
    assert type(row.backed_up) is type(row.backup_eligible) is type(row.user_verified) is int
    log_in(passkeys, device)
    assert world.used[0]["new_backed_up"] is int(backed_up)


REGISTRATION: dict[str, tuple[Flaw, str]] = {
    "a bad origin": (Flaw(origin="http://evil.example"), "origin"),
    "another challenge": (Flaw(challenge="A" * 43), "no_ceremony"),
    "no challenge": (Flaw(client_data_members={"challenge": 7}), "member_challenge"),
    "no user verified": (Flaw(uv=False), "user_not_verified"),
}


@pytest.mark.parametrize("name", REGISTRATION)
def test_a_registration_that_fails_is_one_row_and_one_answer(
    passkeys: PasskeyCeremonies, world: World, name: str
) -> None:
    """A15: what failed stands in the trail only."""
    flaw, reason = REGISTRATION[name]
    options = run(passkeys.register_begin(CALLER, FORM))
    credential = SoftAuthenticator().create(options, flaw=flaw)
    assert refused(passkeys.register_complete(CALLER, JANE, credential)) == FAILED
    party = Principal(None, "jane@example.com")
    assert world.trail[1:] == [audit.RegistrationRefused(party, reason=reason)]
    assert (world.people, world.keys) == ([], [])


def test_a_registration_is_completed_for_the_email_it_was_begun_for(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """A3: nobody else's."""
    credential = SoftAuthenticator().create(run(passkeys.register_begin(CALLER, FORM)))
    assert refused(passkeys.register_complete(CALLER, BOB, credential)) == FAILED
    party = Principal(None, "bob@example.com")
    assert world.trail[1:] == [audit.RegistrationRefused(party, reason="other_email")]


def test_a_challenge_of_a_login_registers_nobody(passkeys: PasskeyCeremonies, world: World) -> None:
    """A3: and the other way round."""
    login = run(passkeys.login_begin(CALLER, None))
    flaw = Flaw(challenge=login["challenge"])
    options = run(passkeys.register_begin(CALLER, FORM))
    credential = SoftAuthenticator().create(options, flaw=flaw)
    assert refused(passkeys.register_complete(CALLER, JANE, credential)) == FAILED
    assert world.trail[-1].reason == "other_ceremony"


def test_of_two_registrations_of_one_email_the_second_fails(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    credential = SoftAuthenticator().create(run(passkeys.register_begin(CALLER, FORM)))
    register(passkeys, SoftAuthenticator())
    assert refused(passkeys.register_complete(CALLER, JANE, credential)) == FAILED
    assert world.trail[-1].reason == "email_taken"
    assert (len(world.people), len(world.keys)) == (1, 1)


def test_a_credential_id_is_registered_once(passkeys: PasskeyCeremonies, world: World) -> None:
    """A12: whoever has it."""
    register(passkeys, SoftAuthenticator(), Flaw(credential_id=b"i" * 16))
    other = FORM.model_copy(update={"email": BOB})
    options = run(passkeys.register_begin(CALLER, other))
    credential = SoftAuthenticator().create(options, flaw=Flaw(credential_id=b"i" * 16))
    assert refused(passkeys.register_complete(CALLER, BOB, credential)) == FAILED
    assert world.trail[-1].reason == "credential_taken"
    assert (len(world.people), len(world.keys)) == (1, 1)
