"""A relying party and one software passkey, for the tests of its two ceremonies."""

from __future__ import annotations

from typing import Any

import cbor2

from core.relying_party.ceremonies import RelyingParty
from core.relying_party.credential_record import (
    CredentialRecord,
    NewCredentialRecord,
    VerifiedLogin,
)
from core.relying_party.response_json import read_authentication, read_registration
from core.settings import Settings
from devtools import cose
from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.hostile_text import same_bytes_other_text
from devtools.options import CHALLENGE, creation_options, request_options
from tests.support.clock import HeldClock

# Flaws that either ceremony may have, and the reason that the audit row gets.
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
}
# Other texts that base64 decoders read as the same challenge.
SPELLINGS = same_bytes_other_text(CHALLENGE)


def relying_party() -> RelyingParty:
    return RelyingParty(Settings(), HeldClock())


def register(flaw: Flaw, device: SoftAuthenticator | None = None) -> NewCredentialRecord:
    """Verify a registration with this flaw; raises what the relying party raises."""
    credential = (device or SoftAuthenticator()).create(creation_options(), flaw=flaw)
    return relying_party().verify_registration(
        read_registration(credential), expected_challenge=CHALLENGE
    )


def log_in(
    flaw: Flaw,
    *,
    device: SoftAuthenticator | None = None,
    required: bool = True,
    **stored: Any,
) -> VerifiedLogin:
    """Verify a login with this flaw; `stored` replaces members of the stored passkey."""
    device = device or SoftAuthenticator()
    device.create(creation_options())
    passkey = device.passkeys[0]
    record = CredentialRecord(
        public_key=cbor2.dumps(cose.cose_key(passkey.public_key)),
        sign_count=0,
        backup_eligible=False,
        user_handle=passkey.user_handle,
    )
    return relying_party().verify_authentication(
        read_authentication(device.get(request_options(), flaw=flaw)),
        expected_challenge=CHALLENGE,
        credential_record=record._replace(**stored),
        require_user_handle=required,
    )
