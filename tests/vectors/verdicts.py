"""The verdict on each vector, and the rules of this service by which it may refuse a sound one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tests.vectors.ceremony import Outcome, hold
from tests.vectors.peeling import peel
from tests.vectors.source import Vector, vector, vectors

ACCEPTED, REFUSED, POLICY, WRONG = "accepted", "refused as expected", "refused by policy", "wrong"

# Every rule that refuses a vector its source accepts, by the word that the audit row has for it.
WHY = {
    "user_not_verified": (
        "User verification is required at every ceremony: the passkey is the only factor. "
        "U2F authenticators never verify the user."
    ),
    "cross_origin": "No page of this service runs inside another site's frame.",
    "algorithm": (
        "Only ES256, EdDSA with Ed25519, and RS256 are offered. "
        "ES384, ES512, PS256, PS384, Ed448 and RS1 are not."
    ),
    "public_key": "The key is of none of the offered algorithms: ML-DSA.",
    "unknown_credential": (
        "No account can have this key: its algorithm is not offered (ES384, ES512, Ed448)."
    ),
    "length_signature": "The signature is longer than any of an offered algorithm: ML-DSA.",
    "attestation_expired": (
        "The certificates have expired since, and the source does not say when they were checked."
    ),
    "attestation_format": ("Android SafetyNet is not verified: Google has switched it off."),
    "attestation_certificate": (
        "The certificate is not DER (X.690): Chrome's old virtual authenticator spells out a "
        "default, FIDO's fake TPM of 2018 has a malformed policy qualifier."
    ),
    "attestation_untrusted": (
        "The certificates do not sign one another: FIDO's fake Android leaf of 2018 names another "
        "authority key than the CA's that came along."
    ),
    "attestation_aaguid": (
        "A U2F statement does not sign the AAGUID, so it must be zero, as CTAP has it for U2F."
    ),
    "member_rawId": "An empty id: the source's own fixture; browsers send id and rawId alike.",
}

# Vectors that their source refuses for what this service ignores, and why.
LOOSER = {
    "py_webauthn-037-test_verify_attestation_with_unsupported_token_binding_status": (
        "WebAuthn L3 has no token binding. Edge wrote the status `not-supported`, and py_webauthn "
        "knows only the two of Level 1."
    ),
}


@dataclass(frozen=True)
class Verdict:
    """What the service said over HTTP; every reason in turn; whether it passes without them."""

    vector: Vector
    outcome: Outcome
    reasons: tuple[str, ...]
    passes_otherwise: bool

    @property
    def kind(self) -> str:
        should_pass = self.vector.should_pass or self.vector.name in LOOSER
        if self.outcome.accepted:
            return ACCEPTED if should_pass else WRONG
        if not should_pass:
            return WRONG if self.passes_otherwise else REFUSED
        return POLICY if set(self.reasons) <= WHY.keys() else WRONG


@cache
def verdict(name: str) -> Verdict:
    found = vector(name)
    return Verdict(found, hold(found), *peel(found))


def verdicts() -> tuple[Verdict, ...]:
    return tuple(verdict(each.name) for each in vectors())
