"""Verifying a login (WebAuthn Level 3, section 7.2): the result, the refusals, and why."""

from __future__ import annotations

import cbor2
import pytest

from core.relying_party import authentication
from core.relying_party.authentication import require_sign_count
from core.relying_party.cose_key import algorithm_of
from core.relying_party.credential_record import VerifiedLogin
from core.relying_party.errors import BadCredential, PossibleClone
from devtools.authenticator import Flaw, SoftAuthenticator
from tests.unit.core.relying_party.one_passkey import REASONS, SPELLINGS, log_in


def test_an_honest_login_passes() -> None:
    assert log_in(Flaw()) == VerifiedLogin(sign_count=1, backed_up=False)


@pytest.mark.parametrize("name", REASONS)
def test_a_login_is_refused_for_its_own_reason(name: str) -> None:
    """A8, A9: the audit row gets this word."""
    flaw, reason = REASONS[name]
    with pytest.raises(BadCredential, match=f"^{reason}$"):
        log_in(flaw)


def test_authenticator_data_without_a_sign_count_are_refused() -> None:
    """A15: by a reason, not by an IndexError."""
    with pytest.raises(BadCredential, match=r"^authenticator_data_short$"):
        log_in(Flaw(authenticator_data=lambda honest: honest[:36]))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_challenge_is_compared_as_text(spelling: str) -> None:
    """A7: the store is keyed by the text; this comparison is the second defence."""
    with pytest.raises(BadCredential, match=r"^challenge$"):
        log_in(Flaw(challenge=SPELLINGS[spelling]))


def test_the_type_of_a_registration_is_refused() -> None:
    """A3: each ceremony has its own type."""
    with pytest.raises(BadCredential, match=r"^client_data_type$"):
        log_in(Flaw(type="webauthn.create"))


@pytest.mark.parametrize(("eligible", "backed_up"), [(False, False), (True, False), (True, True)])
def test_backup_flags_are_returned(eligible: bool, backed_up: bool) -> None:
    device = SoftAuthenticator(backup_eligible=eligible, backed_up=backed_up)
    found = log_in(Flaw(), device=device, backup_eligible=eligible)
    assert found == VerifiedLogin(1, backed_up)


def test_a_user_handle_names_the_owner() -> None:
    """A4: wrong is refused always, absent where nothing else names the account."""
    with pytest.raises(BadCredential, match=r"^user_handle$"):
        log_in(Flaw(), user_handle=b"bob")
    with pytest.raises(BadCredential, match=r"^user_handle$"):
        log_in(Flaw(), user_handle=b"bob", required=False)
    absent = Flaw(response={"userHandle": None})
    with pytest.raises(BadCredential, match=r"^user_handle_missing$"):
        log_in(absent)
    assert log_in(absent, required=False).sign_count == 1


@pytest.mark.parametrize("eligible", [True, False])
def test_backup_eligibility_never_changes(eligible: bool) -> None:
    device = SoftAuthenticator(backup_eligible=not eligible)
    with pytest.raises(BadCredential, match=r"^backup_eligibility_changed$"):
        log_in(Flaw(), device=device, backup_eligible=eligible)


def test_an_authenticator_that_never_counts_may_log_in() -> None:
    assert log_in(Flaw(), device=SoftAuthenticator(counter=False)).sign_count == 0


def test_a_byte_after_the_authenticator_data_is_refused() -> None:
    """A14: signed or not."""
    with pytest.raises(BadCredential, match=r"^authenticator_data_malformed$"):
        log_in(Flaw(trailing_authenticator_data=b"\0"))


@pytest.mark.parametrize(("new", "stored"), [(0, 0), (1, 0), (2, 1), (2**32 - 1, 2**32 - 2)])
def test_a_sign_count_that_grows_is_fine(new: int, stored: int) -> None:
    require_sign_count(new, stored)


@pytest.mark.parametrize(("new", "stored"), [(0, 1), (1, 1), (1, 2), (0, 2**32 - 1)])
def test_a_sign_count_that_does_not_grow_is_a_possible_clone(new: int, stored: int) -> None:
    """A10: judged here first; the database judges once more when it is written."""
    with pytest.raises(PossibleClone, match=r"^sign_count$"):
        require_sign_count(new, stored)


def test_a_clone_is_told_from_a_bad_signature() -> None:
    """A10: the signature is looked at first."""
    with pytest.raises(PossibleClone):
        log_in(Flaw(), sign_count=9)
    with pytest.raises(BadCredential, match=r"^signature$"):
        log_in(Flaw(flip_signature_bit=True), sign_count=9)


@pytest.mark.parametrize("stored", [b"", b"\x01", b"\xa0", b"\xff", cbor2.dumps({1: 2, 3: -7})])
def test_nothing_but_a_bad_credential_comes_out(stored: bytes) -> None:
    """A15: whatever the library raises, here for a stored key that is none."""
    with pytest.raises(BadCredential):
        log_in(Flaw(), public_key=stored)


@pytest.mark.parametrize("count", [1, 0x01020304, 2**32 - 1])
def test_the_sign_count_is_four_bytes_behind_the_flags(count: int) -> None:
    """A10: read by us, not by the library."""
    assert log_in(Flaw(sign_count=count)).sign_count == count
    followed = Flaw(sign_count=count, ed=True, trailing_authenticator_data=b"\xa0")
    assert log_in(followed).sign_count == count


def test_a_refused_signature_is_tried_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """D2: under the other algorithms, over the same bytes."""
    tried: list[tuple[bytes, bytes, bytes]] = []
    monkeypatch.setattr(
        authentication, "_equalise_verification_time", lambda *what: tried.append(what)
    )
    with pytest.raises(BadCredential, match=r"^signature$"):
        log_in(Flaw(flip_signature_bit=True))
    ((key, signature, signed),) = tried
    assert algorithm_of(key) == -7
    assert signature[0] == 0x30
    assert len(signed) == 37 + 32
