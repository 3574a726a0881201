"""The relying party to the letter: its options, its reasons, and what it keeps."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from core import relying_party
from core.client_data import BadCredential, read_authentication, read_registration
from core.config import Settings
from core.relying_party import (
    Descriptor,
    NewPasskey,
    PossibleClone,
    RelyingParty,
    StoredPasskey,
    VerifiedLogin,
    require_sign_count,
    user_handle,
)
from devtools import cose
from devtools.authenticator import AAGUID, Flaw, SoftAuthenticator, packed_self
from devtools.encoding import from_b64url
from devtools.options import CHALLENGE, creation_options, request_options
from tests.support.clock import HeldClock

# Whatever the ceremony: the flaw, and the word that the audit row gets.
REASONS: dict[str, tuple[Flaw, str]] = {
    "another type": (Flaw(type="payment.get"), "client_data_type"),
    "another challenge": (Flaw(challenge="A" * 43), "challenge"),
    "another origin": (Flaw(origin="http://evil.example"), "origin"),
    "in a frame": (Flaw(cross_origin=True), "cross_origin"),
    "under another page": (Flaw(top_origin="http://localhost:8000"), "top_origin"),
    "another RP": (Flaw(rp_id="evil.example"), "rp_id_hash"),
    "nobody there": (Flaw(up=False), "user_not_present"),
    "nobody verified": (Flaw(uv=False), "user_not_verified"),
    "backed up, not eligible": (Flaw(be=False, bs=True), "backed_up_but_not_eligible"),
    "bit 1": (Flaw(rfu1=True), "reserved_flags"),
    "bit 5": (Flaw(rfu2=True), "reserved_flags"),
    "no sign count": (
        Flaw(authenticator_data=lambda honest: honest[:36]),
        "authenticator_data_short",
    ),
}


@pytest.fixture
def party() -> RelyingParty:
    return RelyingParty(Settings(), HeldClock())


def register(
    party: RelyingParty, flaw: Flaw, device: SoftAuthenticator | None = None
) -> NewPasskey:
    credential = (device or SoftAuthenticator()).create(creation_options(), flaw=flaw)
    return party.verify_registration(read_registration(credential), expected_challenge=CHALLENGE)


def log_in(
    party: RelyingParty,
    flaw: Flaw,
    *,
    device: SoftAuthenticator | None = None,
    eligible: bool = False,
    handle: bytes | None = None,
    required: bool = True,
) -> VerifiedLogin:
    device = device or SoftAuthenticator()
    device.create(creation_options())
    passkey = device.passkeys[0]
    stored = StoredPasskey(
        public_key=cbor2.dumps(cose.cose_key(passkey.public_key)),
        sign_count=0,
        backup_eligible=eligible,
        user_handle=passkey.user_handle if handle is None else handle,
    )
    return party.verify_authentication(
        read_authentication(device.get(request_options(), flaw=flaw)),
        expected_challenge=CHALLENGE,
        stored=stored,
        require_user_handle=required,
    )


def test_creation_options_are_these_to_the_letter(party: RelyingParty) -> None:
    """A17: three algorithms, a discoverable key, and the user verified, or nothing."""
    options = party.creation_options(challenge="C", user_id="u1", name="n@x", display_name="D N")
    assert options == {
        "rp": {"id": "localhost", "name": Settings().rp_name},
        "user": {"id": "dTE", "name": "n@x", "displayName": "D N"},
        "challenge": "C",
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-7, -8, -257)],
        "timeout": 60000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "authenticatorAttachment": "platform",
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "hints": ["client-device"],
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def test_request_options_are_these_to_the_letter(party: RelyingParty) -> None:
    allowed = [Descriptor(b"\0\0\0", ("internal", "usb")), Descriptor(b"\0\0\1", ())]
    assert party.request_options(challenge="C", allowed=allowed) == {
        "challenge": "C",
        "timeout": 60000,
        "rpId": "localhost",
        "allowCredentials": [
            {"type": "public-key", "id": "AAAA", "transports": ["internal", "usb"]},
            {"type": "public-key", "id": "AAAB"},
        ],
        "userVerification": "required",
    }


def test_a_user_handle_is_the_id_as_ascii() -> None:
    assert user_handle("0f") == b"0f"
    with pytest.raises(UnicodeEncodeError):
        user_handle("é")


@pytest.mark.parametrize("name", REASONS)
def test_a_registration_is_refused_for_the_true_reason(party: RelyingParty, name: str) -> None:
    """A8, A9: by this look alone, and in this word."""
    flaw, reason = REASONS[name]
    if name == "no sign count":
        flaw = Flaw(attestation_object=cbor2.dumps({**NONE, "authData": bytes(36)}))
        reason = "attested_data_missing"
    with pytest.raises(BadCredential, match=f"^{reason}$"):
        register(party, flaw)


NONE: dict[str, Any] = {"fmt": "none", "attStmt": {}}


@pytest.mark.parametrize("name", REASONS)
def test_a_login_is_refused_for_the_true_reason(party: RelyingParty, name: str) -> None:
    """A8, A9: by this look alone, and in this word."""
    flaw, reason = REASONS[name]
    with pytest.raises(BadCredential, match=f"^{reason}$"):
        log_in(party, flaw)


def test_a_registration_is_no_login(party: RelyingParty) -> None:
    """A3: each ceremony has its own type."""
    with pytest.raises(BadCredential, match=r"^client_data_type$"):
        register(party, Flaw(type="webauthn.get"))
    with pytest.raises(BadCredential, match=r"^client_data_type$"):
        log_in(party, Flaw(type="webauthn.create"))


def test_all_that_was_verified_is_kept(party: RelyingParty) -> None:
    device = SoftAuthenticator(transports=("usb", "internal"), backup_eligible=True, backed_up=True)
    kept = register(party, Flaw(sign_count=5), device)
    passkey = device.passkeys[0]
    assert kept == NewPasskey(
        credential_id=passkey.credential_id,
        public_key=cbor2.dumps(cose.cose_key(passkey.public_key), canonical=True),
        sign_count=5,
        transports=("internal", "usb"),
        aaguid="8d7a4a4e-5f0f-4b0c-9c2f-6d2b7a51c0de",
        backup_eligible=True,
        backed_up=True,
        user_verified=True,
    )
    assert AAGUID.hex() == kept.aaguid.replace("-", "")


@pytest.mark.parametrize(("eligible", "backed_up"), [(False, False), (True, False), (True, True)])
def test_backup_is_kept_as_the_flags_have_it(
    party: RelyingParty, eligible: bool, backed_up: bool
) -> None:
    device = SoftAuthenticator(backup_eligible=eligible, backed_up=backed_up)
    kept = register(party, Flaw(), device)
    assert (kept.backup_eligible, kept.backed_up) == (eligible, backed_up)
    device = SoftAuthenticator(backup_eligible=eligible, backed_up=backed_up)
    found = log_in(party, Flaw(), device=device, eligible=eligible)
    assert found == VerifiedLogin(1, backed_up)


def test_a_credential_id_has_16_bytes(party: RelyingParty) -> None:
    """A12: with fewer, guessing is not hopeless."""
    assert register(party, Flaw(credential_id=b"i" * 16)).credential_id == b"i" * 16
    with pytest.raises(BadCredential, match=r"^credential_id_short$"):
        register(party, Flaw(credential_id=b"i" * 15))


def test_the_id_outside_is_the_one_attested(party: RelyingParty) -> None:
    """A12: nobody registers a passkey under the id of another."""
    with pytest.raises(BadCredential, match=r"^credential_id_not_attested$"):
        register(party, Flaw(attested_credential_id=b"j" * 32))


@pytest.mark.parametrize("alg", [-35, -36, -37, -38, -39, -258, -259, -65535])
def test_an_algorithm_not_offered_is_called_that(party: RelyingParty, alg: int) -> None:
    """A17: the library is told what was offered, and refuses it before the key is looked at."""
    with pytest.raises(BadCredential, match=r"^algorithm$"):
        register(party, Flaw(cose_key=lambda honest: {**honest, 3: alg}))


def test_a_self_attestation_is_judged_under_the_key_it_attests(party: RelyingParty) -> None:
    """A14: and refused if another key signed it."""
    assert register(party, Flaw(attestation=packed_self())).user_verified
    with pytest.raises(BadCredential):
        register(party, Flaw(attestation=packed_self(signature=bytes(70))))


def test_the_library_never_sees_a_statement(
    party: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A14: it would parse certificates, and judge them by roots and a clock of its own."""
    seen: list[bytes] = []
    library = vars(relying_party)["verify_registration_response"]

    def noted(**arguments: Any) -> Any:
        assert arguments["credential"].keys() >= {"id", "rawId", "type", "response"}
        seen.append(from_b64url(arguments["credential"]["response"]["attestationObject"]))
        return library(**arguments)

    monkeypatch.setattr(relying_party, "verify_registration_response", noted)
    register(party, Flaw(attestation=packed_self()))
    (decoded,) = map(cbor2.loads, seen)
    assert (decoded["fmt"], decoded["attStmt"]) == ("none", {})


def test_statements_are_judged_by_the_clock_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A14: a certificate has expired when this clock says so."""
    given: list[object] = []
    monkeypatch.setattr(relying_party, "Attestation", lambda *all_of: given.extend(all_of))
    settings, clock = Settings(), HeldClock()
    RelyingParty(settings, clock)
    assert given == [settings, clock]


def test_a_key_off_the_curve_is_called_that(party: RelyingParty) -> None:
    """A13: by the reason of the relying party, not of the key's reader."""
    with pytest.raises(BadCredential, match=r"^public_key$"):
        register(party, Flaw(cose_key=lambda honest: {**honest, -3: bytes(31) + b"\1"}))


def test_a_user_handle_names_the_owner(party: RelyingParty) -> None:
    """A4: wrong is refused always, absent where nothing else names the account."""
    with pytest.raises(BadCredential, match=r"^user_handle$"):
        log_in(party, Flaw(), handle=b"bob")
    with pytest.raises(BadCredential, match=r"^user_handle$"):
        log_in(party, Flaw(), handle=b"bob", required=False)
    absent = Flaw(response={"userHandle": None})
    with pytest.raises(BadCredential, match=r"^user_handle_missing$"):
        log_in(party, absent)
    assert log_in(party, absent, required=False).sign_count == 1


@pytest.mark.parametrize("eligible", [True, False])
def test_backup_eligibility_never_changes(party: RelyingParty, eligible: bool) -> None:
    device = SoftAuthenticator(backup_eligible=not eligible)
    with pytest.raises(BadCredential, match=r"^backup_eligibility_changed$"):
        log_in(party, Flaw(), device=device, eligible=eligible)


def test_an_authenticator_that_never_counts_may_log_in(party: RelyingParty) -> None:
    assert log_in(party, Flaw(), device=SoftAuthenticator(counter=False)).sign_count == 0


def test_a_byte_after_the_authenticator_data_is_refused(party: RelyingParty) -> None:
    """A14: signed or not."""
    with pytest.raises(BadCredential, match=r"^authenticator_data_malformed$"):
        log_in(party, Flaw(trailing_authenticator_data=b"\0"))


def test_a_clone_has_its_own_word() -> None:
    with pytest.raises(PossibleClone, match=r"^sign_count$"):
        require_sign_count(1, 1)
