"""Beginning a login in auth.py: which passkeys and decoys are offered, and what is recorded."""

from __future__ import annotations

import audit
from audit import Principal
from auth import PasskeyCeremonies
from devtools.authenticator import SoftAuthenticator
from devtools.encoding import b64url
from tests.unit.auth.conftest import (
    CALLER,
    INVALID,
    JANE,
    World,
    ceremonies,
    refused,
    register,
    run,
)


def test_a_login_for_an_email_offers_its_passkeys(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    user = register(passkeys, SoftAuthenticator(transports=("usb", "internal")))
    options = run(passkeys.login_begin(CALLER, JANE))
    key = b64url(world.keys[0].credential_id)
    offered = {"type": "public-key", "id": key, "transports": ["internal", "usb"]}
    assert options["allowCredentials"] == [offered]
    assert world.trail[-1] == audit.LoginBegun(Principal(user.id, "jane@example.com"))


def test_a_passkey_without_transports_is_offered_without(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    register(passkeys, SoftAuthenticator(transports=()))
    (offered,) = run(passkeys.login_begin(CALLER, JANE))["allowCredentials"]
    assert (world.keys[0].transports, "transports" in offered) == ("", False)


def test_a_login_for_an_unknown_email_offers_a_decoy(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """D1: the one of the canonical email."""
    options = run(passkeys.login_begin(CALLER, JANE))
    ((key, transports),) = passkeys.decoys.of("jane@example.com")
    shown = {"type": "public-key", "id": b64url(key), "transports": transports.split(",")}
    assert options["allowCredentials"] == [shown]
    party = Principal(None, "jane@example.com")
    assert world.trail == [audit.LoginBeginRefused(party, reason="unknown_email")]


def test_an_account_without_a_passkey_gets_a_decoy_too(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    register(passkeys, SoftAuthenticator())
    world.keys.clear()
    assert len(run(passkeys.login_begin(CALLER, JANE))["allowCredentials"]) == 1
    party = Principal(None, "jane@example.com")
    assert world.trail[-1] == audit.LoginBeginRefused(party, reason="no_passkey")


def test_unknown_emails_are_not_revealed_unless_it_is_said() -> None:
    """D1: whoever forgets to say so reveals nothing."""
    assert PasskeyCeremonies.danger_reveal_unknown_email is False


def test_unknown_emails_are_revealed_on_request_only(world: World) -> None:
    """D1: and known ones are served all the same."""
    open_hearted = ceremonies(world, reveal=True)
    assert refused(open_hearted.login_begin(CALLER, JANE)) == INVALID
    register(open_hearted, SoftAuthenticator())
    assert run(open_hearted.login_begin(CALLER, JANE))["allowCredentials"]


def test_a_login_without_an_email_offers_nothing(passkeys: PasskeyCeremonies, world: World) -> None:
    assert run(passkeys.login_begin(CALLER, None))["allowCredentials"] == []
    assert world.trail == [audit.LoginBegun()]
