"""Attestation: what a statement must prove, and whose word is taken (WebAuthn L3 §7.1 21 to 24).

`ATTESTATION=none` asks for none, and takes format `none` or packed self-attestation: the key signs
for itself. `ATTESTATION=direct` takes only what ends in a trusted root: neither format `none` nor
self-attestation, either of which any program can make. Android SafetyNet is not verified: Google
has switched it off.
"""

from __future__ import annotations

from typing import Any

from cryptography import x509
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from core.clock import Clock
from core.config import Settings
from core.relying_party.attestation.object import AttestationObject
from core.relying_party.attestation.statements import require_true
from core.relying_party.attestation.trust_anchors import TrustedRoots, read_chain, read_roots
from core.relying_party.client_data import BadCredential

SELF = frozenset(("alg", "sig"))
# The members a statement of each format has (§8.2 to §8.8); Apple's has had `alg` as well.
MEMBERS: dict[str, tuple[frozenset[str], ...]] = {
    "none": (frozenset(),),
    "packed": (SELF, SELF | {"x5c"}),
    "tpm": (SELF | {"x5c", "ver", "certInfo", "pubArea"},),
    "android-key": (SELF | {"x5c"},),
    "apple": (frozenset(("x5c",)), frozenset(("x5c", "alg"))),
    "fido-u2f": (frozenset(("x5c", "sig")),),
}
TYPES = {"alg": int, "sig": bytes, "x5c": list, "ver": str, "certInfo": bytes, "pubArea": bytes}
UNDER_NONE = {"none": MEMBERS["none"], "packed": (SELF,)}
# Windows Hello has its TPMs sign with SHA-1; nobody else may.
RS1 = COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_1


class Attestation:
    """The service's attestation policy, and its verdict on one statement."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.conveyance = settings.attestation
        self._clock = clock
        self._roots: TrustedRoots | None = None
        if settings.attestation == "direct":
            # `Settings` has seen to it.
            assert settings.attestation_roots is not None  # noqa: S101
            self._roots = TrustedRoots(read_roots(settings.attestation_roots))

    def require_format(self, attestation: AttestationObject) -> None:
        """Step 21: a format that is verified here, with the members it has. Raises BadCredential.

        Looked at before anything is computed.
        """
        fmt, statement = attestation.fmt, attestation.statement
        formats = UNDER_NONE if self._roots is None else MEMBERS
        if not isinstance(fmt, str) or fmt not in formats or not isinstance(statement, dict):
            raise BadCredential("attestation_format")
        if set(statement) not in formats[fmt]:
            raise BadCredential("attestation_format")
        if self._roots is not None and not all(map(_is_well_typed, statement.items())):
            raise BadCredential("attestation_statement")

    def require_vouched(self, attestation: AttestationObject, public_key: bytes) -> None:
        """Steps 22 to 24: the statement holds, and comes from whom we trust. BadCredential."""
        if attestation.fmt != "tpm" and attestation.statement.get("alg") == RS1:
            raise BadCredential("algorithm")
        chain = _chain(attestation)
        require_true(attestation, public_key, chain)
        if self._roots is None:
            return
        if not chain:
            word = "attestation_missing" if attestation.fmt == "none" else "attestation_self"
            raise BadCredential(word)
        self._roots.require_chain(chain, self._clock.now())


def _is_well_typed(member: tuple[str, Any]) -> bool:
    name, value = member
    parts = value if isinstance(value, list) else ()
    return type(value) is TYPES[name] and all(type(part) is bytes for part in parts)


def _chain(attestation: AttestationObject) -> list[x509.Certificate]:
    x5c = attestation.statement.get("x5c")
    return [] if x5c is None else read_chain(x5c)
