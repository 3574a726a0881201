"""Decoys in auth.py: who is offered one, and what becomes of who registers with one."""

from __future__ import annotations

from typing import Any

import audit
from audit import Principal
from auth import PasskeyCeremonies
from core.email_address import EmailAddress
from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.encoding import b64url
from tests.unit.auth.conftest import (
    BOB,
    CALLER,
    FAILED,
    FORM,
    INVALID,
    JANE,
    World,
    assertion,
    ceremonies,
    log_in,
    refused,
    register,
    run,
)

NOBODY = EmailAddress("nobody@example.com")
LONG = Flaw(credential_id=b"i" * 256)


def ids(options: dict[str, Any]) -> list[str]:
    return [descriptor["id"] for descriptor in options["allowCredentials"]]


def decoy_of(passkeys: PasskeyCeremonies, email: EmailAddress) -> bytes:
    return passkeys.decoys.of(email.canonical)[0][0]


def test_a_registration_changes_no_decoy(passkeys: PasskeyCeremonies, world: World) -> None:
    """D1: of whatever shape."""
    before = run(passkeys.login_begin(CALLER, NOBODY))["allowCredentials"]
    register(passkeys, SoftAuthenticator(transports=("usb",)), Flaw(credential_id=b"i" * 21))
    assert run(passkeys.login_begin(CALLER, NOBODY))["allowCredentials"] == before


def test_a_disabled_user_is_offered_a_decoy_and_the_reason_is_on_record(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    device = SoftAuthenticator()
    register(passkeys, device)
    user = world.people[0]
    world.people[0] = user._replace(disabled=1)
    own = world.keys[0].credential_id
    options = run(passkeys.login_begin(CALLER, JANE))
    assert ids(options) == [b64url(decoy_of(passkeys, JANE))] != [b64url(own)]
    assert world.trail[-1] == audit.LoginBeginRefused(
        Principal(None, user.email), reason="user_disabled"
    )


def test_a_decoy_is_refused_like_a_credential_id_that_is_taken(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """D1: Bob tries the id that Jane's email was offered. The reason is on record only."""
    options = run(passkeys.register_begin(CALLER, FORM.model_copy(update={"email": BOB})))
    flaw = Flaw(credential_id=decoy_of(passkeys, JANE))
    credential = SoftAuthenticator().create(options, flaw=flaw)
    assert refused(passkeys.register_complete(CALLER, BOB, credential)) == FAILED
    party = Principal(None, "bob@example.com")
    assert world.trail[-1] == audit.RegistrationRefused(party, reason="credential_decoy")
    assert (world.people, world.keys) == ([], [])


def test_a_long_credential_id_is_not_offered_and_a_decoy_is(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """D1: no decoy has 256 bytes. Its owner logs in without an email, or by that id."""
    device = SoftAuthenticator()
    register(passkeys, device, LONG)
    assert ids(run(passkeys.login_begin(CALLER, JANE))) == [b64url(decoy_of(passkeys, JANE))]
    assert log_in(passkeys, device, None).access_token
    assert log_in(passkeys, device, JANE, Flaw(ignores_options=True)).access_token


def test_a_credential_id_of_255_bytes_is_offered(passkeys: PasskeyCeremonies, world: World) -> None:
    register(passkeys, SoftAuthenticator(), Flaw(credential_id=b"i" * 255))
    assert ids(run(passkeys.login_begin(CALLER, JANE))) == [b64url(b"i" * 255)]


def test_nobody_is_offered_anything_if_the_settings_say_so(world: World) -> None:
    """D1: the passkey of the email may answer, and no other."""
    passkeys = ceremonies(world, offers=False)
    device = SoftAuthenticator()
    register(passkeys, device)
    for email in (JANE, NOBODY, None):
        assert run(passkeys.login_begin(CALLER, email))["allowCredentials"] == []
    assert log_in(passkeys, device, JANE).access_token
    answer = assertion(passkeys, device, BOB, Flaw())
    assert refused(passkeys.login_complete(CALLER, BOB, answer)) == INVALID
    assert world.trail[-1].reason == "other_email"
