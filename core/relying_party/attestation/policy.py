"""The attestation policy: which statements the service accepts (WebAuthn L3 §7.1 steps 21 to 24).

`ATTESTATION=none` asks for no statement. Some clients send one all the same, such as Firefox on
Windows: it is dropped unread, and the credential is judged as if it had come with format `none`.

`ATTESTATION=direct` accepts only a statement whose certificate chain ends in a trusted root. It
refuses format `none` and self attestation, because any program can make them. It refuses Android
SafetyNet, because Google has switched the service off.
"""

from __future__ import annotations

from typing import Any

from cryptography import x509

from core.clock import Clock
from core.relying_party.attestation.object import (
    AttestationObject,
    read_attestation,
    read_without_statement,
)
from core.relying_party.attestation.statements import require_valid_statement
from core.relying_party.attestation.trust_anchors import TrustedRoots, read_chain, read_roots
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import RegistrationResponse
from core.settings import Settings

SELF = frozenset(("alg", "sig"))
# The members that a statement of each format has (§8.2 to §8.8). Apple's once had `alg`, too.
MEMBERS: dict[str, tuple[frozenset[str], ...]] = {
    "none": (frozenset(),),
    "packed": (SELF, SELF | {"x5c"}),
    "tpm": (SELF | {"x5c", "ver", "certInfo", "pubArea"},),
    "android-key": (SELF | {"x5c"},),
    "apple": (frozenset(("x5c",)), frozenset(("x5c", "alg"))),
    "fido-u2f": (frozenset(("x5c", "sig")),),
}
TYPES = {"alg": int, "sig": bytes, "x5c": list, "ver": str, "certInfo": bytes, "pubArea": bytes}
# RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8812 §2). Windows Hello signs with it, in TPM statements.
RS1 = -65535


class AttestationPolicy:
    """The service's policy by its settings. Every `require_` method raises BadCredential."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.conveyance = settings.attestation
        self._clock = clock
        self._roots: TrustedRoots | None = None
        if settings.attestation == "direct":
            # `Settings` refuses `direct` without a folder of roots.
            assert settings.attestation_roots is not None  # noqa: S101
            self._roots = TrustedRoots(read_roots(settings.attestation_roots))

    def read(self, response: RegistrationResponse) -> AttestationObject:
        """Steps 13 and 21: decode the attestation object, with its statement if one is asked for.

        Step 21 comes earlier than in the specification: a refused format costs no further work.
        """
        if self._roots is None:
            return read_without_statement(response)
        attestation = read_attestation(response)
        _require_format(attestation)
        return attestation

    def require_trustworthy(self, attestation: AttestationObject, public_key: bytes) -> None:
        """Steps 22 to 24: the statement is valid, and its chain ends in a trusted root.

        `public_key` is the credential's key in canonical form.
        """
        if self._roots is None:
            # `read` has dropped the statement: §8.7 has nothing to verify for format `none`.
            return
        if attestation.fmt != "tpm" and attestation.statement.get("alg") == RS1:
            raise BadCredential("algorithm")
        chain = _chain(attestation)
        # Step 22: the statement is valid.
        require_valid_statement(attestation, public_key, chain)
        if not chain:
            missing = attestation.fmt == "none"
            raise BadCredential("attestation_missing" if missing else "attestation_self")
        # Steps 23 and 24: the trust anchors are those of ATTESTATION_ROOTS.
        self._roots.require_chain(chain, self._clock.now())


def _require_format(attestation: AttestationObject) -> None:
    """The format is one that can be verified, and the statement has the format's members."""
    fmt, statement = attestation.fmt, attestation.statement
    if not isinstance(fmt, str) or fmt not in MEMBERS or not isinstance(statement, dict):
        raise BadCredential("attestation_format")
    if set(statement) not in MEMBERS[fmt]:
        raise BadCredential("attestation_format")
    if not all(map(_is_well_typed, statement.items())):
        raise BadCredential("attestation_statement")


def _is_well_typed(member: tuple[str, Any]) -> bool:
    name, value = member
    parts = value if isinstance(value, list) else ()
    return type(value) is TYPES[name] and all(type(part) is bytes for part in parts)


def _chain(attestation: AttestationObject) -> list[x509.Certificate]:
    x5c = attestation.statement.get("x5c")
    return [] if x5c is None else read_chain(x5c)
