"""Decoys in auth.py: where their shapes come from, and who is offered one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import audit
from audit import Principal
from auth import PasskeyCeremonies
from core.errors import Unavailable
from core.relying_party.decoys import Decoys
from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.encoding import b64url
from tests.unit.auth.conftest import (
    CALLER,
    JANE,
    World,
    register,
    run,
)


def test_a_passkey_that_is_registered_shapes_the_decoys(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    """D1: length and transports of the only one there is."""
    register(passkeys, SoftAuthenticator(transports=("usb",)), Flaw(credential_id=b"i" * 21))
    ((key, transports),) = passkeys.decoys.of("nobody@example.com")
    assert (len(key), transports) == (21, "usb")


def test_the_decoys_are_told_of_an_account_once(
    passkeys: PasskeyCeremonies, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D1: with the passkeys it has, which is one."""
    added: list[Any] = []
    monkeypatch.setattr(Decoys, "add", lambda _, shape: added.append(shape))
    register(passkeys, SoftAuthenticator())
    assert added == [((32, "internal"),)]


def test_the_decoys_learn_from_the_passkeys_there_are(passkeys: PasskeyCeremonies) -> None:
    run(passkeys.start())
    ((key, transports),) = passkeys.decoys.of("nobody@example.com")
    assert (len(key), transports) == (20, "usb")


def test_a_disabled_user_is_offered_a_decoy_and_the_reason_is_on_record(
    passkeys: PasskeyCeremonies, world: World
) -> None:
    device = SoftAuthenticator()
    register(passkeys, device)
    user = world.people[0]
    world.people[0] = user._replace(disabled=1)
    own = world.keys[0].credential_id
    options = run(passkeys.login_begin(CALLER, JANE))
    assert [key["id"] for key in options["allowCredentials"]] != [b64url(own)]
    assert world.trail[-1] == audit.LoginBeginRefused(
        Principal(None, user.email), reason="user_disabled"
    )


def test_decoys_are_learnt_again_until_they_are_settled(
    passkeys: PasskeyCeremonies, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other workers register people, too; a database that is away is asked again."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            monkeypatch.setattr(world, "read", away)
        if len(slept) == 3:
            monkeypatch.setattr(type(passkeys.decoys), "sample_is_complete", True)

    async def away(_unit: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(asyncio, "sleep", sleep)
    run(passkeys.keep_learning())
    assert slept == [30, 30, 30]
