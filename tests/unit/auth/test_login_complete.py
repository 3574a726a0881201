"""Completing a login in auth.py: the record before the token, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest

import audit
from audit import Principal
from auth import PasskeyCeremonies
from core.email_address import EmailAddress
from devtools.authenticator import Flaw, SoftAuthenticator
from tests.unit.auth.conftest import (
    AT,
    BOB,
    CALLER,
    FAILED,
    FORM,
    INVALID,
    JANE,
    World,
    assertion,
    log_in,
    refused,
    register,
    run,
)


@pytest.mark.parametrize("email", [JANE, None], ids=["by email", "usernameless"])
def test_a_login_is_on_record_before_its_token(
    passkeys: PasskeyCeremonies, world: World, email: EmailAddress | None
) -> None:
    device = SoftAuthenticator()
    user = register(passkeys, device)
    world.trail.clear()
    answer = log_in(passkeys, device, email)
    assert answer.user.id == user.id
    assert passkeys.tokens.verify(answer.access_token) == user.id
    assert world.trail[1:] == [audit.LoginCompleted(Principal.of(user))]
    values = {"key": world.keys[0].id, "new_count": 1, "new_backed_up": 0, "moment": AT}
    assert world.used == [values]


def test_a_usernameless_login_may_name_its_email_at_the_end(passkeys: PasskeyCeremonies) -> None:
    device = SoftAuthenticator()
    user = register(passkeys, device)
    answer = assertion(passkeys, device, None, Flaw())
    assert run(passkeys.login_complete(CALLER, JANE, answer)).user.id == user.id


LOGIN: dict[str, tuple[Flaw, str, bool]] = {
    # The flaw, the reason, and whether the account was found before it was noticed.
    "a bad signature": (Flaw(flip_signature_bit=True), "signature", True),
    "a bad origin": (Flaw(origin="http://evil.example"), "origin", True),
    "another user": (Flaw(user_handle=b"bob"), "user_handle", True),
    "an unknown passkey": (Flaw(credential_id=b"j" * 32), "unknown_credential", False),
    "another challenge": (Flaw(challenge="A" * 43), "no_ceremony", False),
    "no challenge": (Flaw(client_data_members={"challenge": 7}), "member_challenge", False),
    "no signature": (Flaw(response={"signature": None}), "member_signature", False),
}


@pytest.mark.parametrize("email", [JANE, None], ids=["by email", "usernameless"])
@pytest.mark.parametrize("name", LOGIN)
def test_a_login_that_fails_is_one_row_and_one_answer(
    passkeys: PasskeyCeremonies, world: World, name: str, email: EmailAddress | None
) -> None:
    """A15: what failed stands in the trail only."""
    flaw, reason, found = LOGIN[name]
    device = SoftAuthenticator()
    user = register(passkeys, device)
    answer = assertion(passkeys, device, email, flaw)
    assert refused(passkeys.login_complete(CALLER, email, answer)) == INVALID
    claimed = Principal(None, email.canonical if email else None)
    who = Principal.of(user) if found else claimed
    assert world.trail[-1] == audit.LoginRefused(who, reason=reason)
    assert world.used == []


def test_a_login_is_completed_for_the_email_it_was_begun_for(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """A3: neither for another nor for none."""
    device = SoftAuthenticator()
    register(passkeys, device)
    for email in (BOB, None):
        answer = assertion(passkeys, device, JANE, Flaw())
        assert refused(passkeys.login_complete(CALLER, email, answer)) == INVALID
        claimed = Principal(None, email.canonical if email else None)
        assert world.trail[-1] == audit.LoginRefused(claimed, reason="other_email")


def test_a_passkey_of_another_account_does_not_do(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """A3: the email named at the end is the owner's."""
    device = SoftAuthenticator()
    user = register(passkeys, device)
    answer = assertion(passkeys, device, None, Flaw())
    assert refused(passkeys.login_complete(CALLER, BOB, answer)) == INVALID
    assert world.trail[-1] == audit.LoginRefused(Principal.of(user), reason="other_email")


def test_a_passkey_that_was_not_offered_does_not_do(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """A5: not even one of the same account."""
    device = SoftAuthenticator()
    user = register(passkeys, device)
    (row,) = world.keys
    world.keys[0] = row._replace(credential_id=b"o" * 32)
    options = run(passkeys.login_begin(CALLER, JANE))
    world.keys[0] = row
    answer = device.get(options, flaw=Flaw(ignores_options=True))
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    refusal = audit.LoginRefused(Principal.of(user), reason="credential_not_offered")
    assert world.trail[-1] == refusal


def test_a_disabled_user_does_not_get_in(passkeys: PasskeyCeremonies, world: World) -> None:
    device = SoftAuthenticator()
    user = register(passkeys, device)
    world.people[0] = user._replace(disabled=1)
    answer = assertion(passkeys, device, None, Flaw())
    assert refused(passkeys.login_complete(CALLER, None, answer)) == INVALID
    assert world.trail[-1] == audit.LoginRefused(Principal.of(user), reason="user_disabled")


def test_a_usernameless_login_needs_the_user_handle(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """A4: nothing else names the account; by email something does."""
    device = SoftAuthenticator()
    register(passkeys, device)
    absent = Flaw(response={"userHandle": None})
    assert log_in(passkeys, device, JANE, absent).access_token
    answer = assertion(passkeys, device, None, absent)
    assert refused(passkeys.login_complete(CALLER, None, answer)) == INVALID
    assert world.trail[-1].reason == "user_handle_missing"


def test_a_sign_count_seen_before_is_a_possible_clone(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """A10: by the look at the signature, and by the write that comes too late."""
    device = SoftAuthenticator()
    user = register(passkeys, device, Flaw(sign_count=7))
    answer = assertion(passkeys, device, JANE, Flaw(sign_count=7))
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    assert world.trail[-1] == audit.CloneSuspected(Principal.of(user))
    assert world.used == []
    world.moves = False
    answer = assertion(passkeys, device, JANE, Flaw(sign_count=8))
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    assert world.trail[-1] == audit.CloneSuspected(Principal.of(user))
    assert not any(isinstance(event, audit.LoginCompleted) for event in world.trail)


def test_a_synced_passkey_stays_one(passkeys: PasskeyCeremonies, world: World) -> None:
    device = SoftAuthenticator(backup_eligible=True)
    register(passkeys, device)
    answer = assertion(passkeys, device, JANE, Flaw(be=False))
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    assert world.trail[-1].reason == "backup_eligibility_changed"


@pytest.mark.parametrize("credential", [{}, {"response": 7}], ids=repr)
def test_a_credential_that_is_none_fails_like_any(
    passkeys: PasskeyCeremonies, world: World, credential: dict[str, Any]
) -> None:
    """A15: with no challenge in it, nothing is taken."""
    assert refused(passkeys.register_complete(CALLER, JANE, credential)) == FAILED
    assert refused(passkeys.login_complete(CALLER, None, credential)) == INVALID
    assert [event.reason for event in world.trail] == ["member_response"] * 2


def test_a_failed_try_spends_its_challenge(passkeys: PasskeyCeremonies, world: World) -> None:
    """A1: whatever was wrong with it."""
    device = SoftAuthenticator()
    register(passkeys, device)
    options = run(passkeys.login_begin(CALLER, JANE))
    bad = device.get(options, flaw=Flaw(origin="http://evil.example"))
    assert refused(passkeys.login_complete(CALLER, JANE, bad)) == INVALID
    assert refused(passkeys.login_complete(CALLER, JANE, device.get(options))) == INVALID
    assert world.trail[-1].reason == "no_ceremony"


def test_a_challenge_of_a_registration_logs_nobody_in(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """A3: and the other way round."""
    device = SoftAuthenticator()
    register(passkeys, device)
    other = FORM.model_copy(update={"email": BOB})
    flaw = Flaw(challenge=run(passkeys.register_begin(CALLER, other))["challenge"])
    answer = assertion(passkeys, device, JANE, flaw)
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    assert world.trail[-1].reason == "other_ceremony"
