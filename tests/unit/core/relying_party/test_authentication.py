"""The relying party's second looks: what HTTP cannot reach, because a first look comes before."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

import core.relying_party
from core.client_data import BadCredential, read_authentication, read_registration
from core.config import Settings
from core.cose import algorithm_of as cose_of
from core.relying_party import (
    NewPasskey,
    PossibleClone,
    RelyingParty,
    StoredPasskey,
    VerifiedLogin,
    require_sign_count,
)
from devtools import cose
from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.hostile_text import same_bytes_other_text
from devtools.options import CHALLENGE, creation_options, request_options
from tests.support.clock import HeldClock

SPELLINGS = same_bytes_other_text(CHALLENGE)


@pytest.fixture
def relying_party() -> RelyingParty:
    return RelyingParty(Settings(), HeldClock())


def registered(party: RelyingParty, flaw: Flaw, expected: str = CHALLENGE) -> NewPasskey:
    credential = SoftAuthenticator().create(creation_options(), flaw=flaw)
    return party.verify_registration(read_registration(credential), expected_challenge=expected)


def logged_in(
    party: RelyingParty, flaw: Flaw, expected: str = CHALLENGE, **stored: Any
) -> VerifiedLogin:
    device = SoftAuthenticator()
    device.create(creation_options())
    passkey = device.passkeys[0]
    record = StoredPasskey(
        public_key=cbor2.dumps(cose.cose_key(passkey.public_key)),
        sign_count=0,
        backup_eligible=False,
        user_handle=passkey.user_handle,
    )
    return party.verify_authentication(
        read_authentication(device.get(request_options(), flaw=flaw)),
        expected_challenge=expected,
        stored=record._replace(**stored),
        require_user_handle=True,
    )


def test_an_honest_ceremony_passes(relying_party: RelyingParty) -> None:
    assert registered(relying_party, Flaw()).user_verified
    assert logged_in(relying_party, Flaw()) == VerifiedLogin(sign_count=1, backed_up=False)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_challenge_is_compared_as_text(relying_party: RelyingParty, spelling: str) -> None:
    """A7: the store is keyed by the text; this look stands behind it."""
    flaw = Flaw(challenge=SPELLINGS[spelling])
    with pytest.raises(BadCredential, match=r"^challenge$"):
        registered(relying_party, flaw)
    with pytest.raises(BadCredential, match=r"^challenge$"):
        logged_in(relying_party, flaw)


def test_another_challenge_is_refused(relying_party: RelyingParty) -> None:
    """A1: whatever the store says."""
    with pytest.raises(BadCredential, match=r"^challenge$"):
        logged_in(relying_party, Flaw(), expected="A" * 43)


@pytest.mark.parametrize(("new", "stored"), [(0, 0), (1, 0), (2, 1), (2**32 - 1, 2**32 - 2)])
def test_a_sign_count_that_grows_is_fine(new: int, stored: int) -> None:
    require_sign_count(new, stored)


@pytest.mark.parametrize(("new", "stored"), [(0, 1), (1, 1), (1, 2), (0, 2**32 - 1)])
def test_a_sign_count_that_does_not_grow_is_a_possible_clone(new: int, stored: int) -> None:
    """A10: judged here first; the database judges once more when it is written."""
    with pytest.raises(PossibleClone):
        require_sign_count(new, stored)


def test_a_clone_is_told_from_a_bad_signature(relying_party: RelyingParty) -> None:
    """A10: the signature is looked at first."""
    with pytest.raises(PossibleClone):
        logged_in(relying_party, Flaw(), sign_count=9)
    with pytest.raises(BadCredential, match=r"^signature$"):
        logged_in(relying_party, Flaw(flip_signature_bit=True), sign_count=9)


@pytest.mark.parametrize("stored", [b"", b"\x01", b"\xa0", b"\xff", cbor2.dumps({1: 2, 3: -7})])
def test_nothing_but_a_bad_credential_comes_out(relying_party: RelyingParty, stored: bytes) -> None:
    """A15: whatever the library raises, here for a stored key that is none."""
    with pytest.raises(BadCredential):
        logged_in(relying_party, Flaw(), public_key=stored)


@pytest.mark.parametrize("count", [1, 0x01020304, 2**32 - 1])
def test_the_sign_count_is_four_bytes_behind_the_flags(
    relying_party: RelyingParty, count: int
) -> None:
    """A10: read by us, not by the library."""
    assert logged_in(relying_party, Flaw(sign_count=count)).sign_count == count
    followed = Flaw(sign_count=count, ed=True, trailing_authenticator_data=b"\xa0")
    assert logged_in(relying_party, followed).sign_count == count


def test_a_refused_signature_is_tried_as_it_came(
    relying_party: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D2: under the other algorithms, over the same bytes."""
    tried: list[tuple[bytes, bytes, bytes]] = []
    monkeypatch.setattr(core.relying_party, "_verify_as_others", lambda *what: tried.append(what))
    with pytest.raises(BadCredential, match=r"^signature$"):
        logged_in(relying_party, Flaw(flip_signature_bit=True))
    ((key, signature, signed),) = tried
    assert cose_of(key) == -7
    assert signature[0] == 0x30
    assert len(signed) == 37 + 32
