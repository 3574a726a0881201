"""Verifying a registration (WebAuthn Level 3, section 7.1): what is kept, refused, and why."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from core.relying_party import ceremonies, py_webauthn
from core.relying_party.ceremonies import RelyingParty
from core.relying_party.credential_record import NewCredentialRecord
from core.relying_party.errors import BadCredential
from core.settings import Settings
from devtools import cose
from devtools.authenticator import AAGUID, Flaw, SoftAuthenticator, packed_self
from devtools.encoding import from_b64url
from tests.support.clock import HeldClock
from tests.unit.core.relying_party.one_passkey import REASONS, SPELLINGS, register


@pytest.mark.parametrize("name", REASONS)
def test_a_registration_is_refused_for_its_own_reason(name: str) -> None:
    """A8, A9: the audit row gets this word."""
    flaw, reason = REASONS[name]
    with pytest.raises(BadCredential, match=f"^{reason}$"):
        register(flaw)


def test_attested_data_must_be_there() -> None:
    """A14: 36 bytes do not even hold a sign count."""
    none = {"fmt": "none", "attStmt": {}, "authData": bytes(36)}
    with pytest.raises(BadCredential, match=r"^attested_data_missing$"):
        register(Flaw(attestation_object=cbor2.dumps(none)))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_challenge_is_compared_as_text(spelling: str) -> None:
    """A7: the store is keyed by the text; this comparison is the second defence."""
    with pytest.raises(BadCredential, match=r"^challenge$"):
        register(Flaw(challenge=SPELLINGS[spelling]))


def test_the_type_of_a_login_is_refused() -> None:
    """A3: each ceremony has its own type."""
    with pytest.raises(BadCredential, match=r"^client_data_type$"):
        register(Flaw(type="webauthn.get"))


def test_all_that_was_verified_is_kept() -> None:
    device = SoftAuthenticator(transports=("usb", "internal"), backup_eligible=True, backed_up=True)
    kept = register(Flaw(sign_count=5), device)
    passkey = device.passkeys[0]
    assert kept == NewCredentialRecord(
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
def test_backup_flags_are_kept(eligible: bool, backed_up: bool) -> None:
    kept = register(Flaw(), SoftAuthenticator(backup_eligible=eligible, backed_up=backed_up))
    assert (kept.backup_eligible, kept.backed_up) == (eligible, backed_up)


def test_a_credential_id_has_16_bytes() -> None:
    """A12: with fewer, guessing is not hopeless."""
    assert register(Flaw(credential_id=b"i" * 16)).credential_id == b"i" * 16
    with pytest.raises(BadCredential, match=r"^credential_id_short$"):
        register(Flaw(credential_id=b"i" * 15))


def test_the_id_outside_is_the_one_attested() -> None:
    """A12: nobody registers a passkey under the id of another."""
    with pytest.raises(BadCredential, match=r"^credential_id_not_attested$"):
        register(Flaw(attested_credential_id=b"j" * 32))


@pytest.mark.parametrize("alg", [-35, -36, -37, -38, -39, -258, -259, -65535])
def test_an_algorithm_not_offered_is_called_that(alg: int) -> None:
    """A17: the library is told what was offered, and refuses it before the key is looked at."""
    with pytest.raises(BadCredential, match=r"^algorithm$"):
        register(Flaw(cose_key=lambda honest: {**honest, 3: alg}))


@pytest.mark.parametrize("signature", [None, bytes(70)], ids=["true", "false"])
def test_a_statement_that_was_not_asked_for_means_nothing(signature: bytes | None) -> None:
    """A14: true or false, it is dropped."""
    assert register(Flaw(attestation=packed_self(signature=signature))).user_verified


def test_the_library_never_sees_a_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A14: it would parse certificates, and judge them by roots and a clock of its own."""
    seen: list[bytes] = []
    library = vars(py_webauthn)["verify_registration_response"]

    def noted(**arguments: Any) -> Any:
        assert arguments["credential"].keys() >= {"id", "rawId", "type", "response"}
        seen.append(from_b64url(arguments["credential"]["response"]["attestationObject"]))
        return library(**arguments)

    monkeypatch.setattr(py_webauthn, "verify_registration_response", noted)
    register(Flaw(attestation=packed_self()))
    (decoded,) = map(cbor2.loads, seen)
    assert (decoded["fmt"], decoded["attStmt"]) == ("none", {})


def test_statements_are_judged_by_the_clock_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A14: a certificate has expired when this clock says so."""
    given: list[object] = []
    monkeypatch.setattr(ceremonies, "AttestationPolicy", lambda *all_of: given.extend(all_of))
    settings, clock = Settings(), HeldClock()
    RelyingParty(settings, clock)
    assert given == [settings, clock]


def test_a_key_off_the_curve_is_called_that() -> None:
    """A13: by the reason of the relying party, not of the key's reader."""
    with pytest.raises(BadCredential, match=r"^public_key$"):
        register(Flaw(cose_key=lambda honest: {**honest, -3: bytes(31) + b"\1"}))
