"""Attestation: what a statement must prove, and whose word is taken (WebAuthn L3 §7.1 21 to 24).

`ATTESTATION=none` asks for none, and takes format `none` or packed self-attestation: the key signs
for itself. `ATTESTATION=direct` takes only what ends in a trusted root: neither format `none` nor
self-attestation, either of which any program can make. Android SafetyNet is not verified: Google
has switched it off, and L3 keeps it for old credentials only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    verify_signature,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.parse_attestation_statement import parse_attestation_statement
from webauthn.registration.formats.fido_u2f import verify_fido_u2f
from webauthn.registration.formats.packed import verify_packed

from core.attestation_certificates import (
    require_aaguid,
    require_android_key,
    require_apple_nonce,
    require_packed_leaf,
)
from core.attestation_object import AttestationObject
from core.attestation_roots import TrustedRoots, read_chain, read_roots
from core.client_data import BadCredential
from core.clock import Clock
from core.config import Settings
from core.relying_party_library import call
from core.relying_party_tpm import verify_tpm

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
# Windows has its TPMs sign with SHA-1 to this day; nobody else may.
RS1 = COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_1


class Attestation:
    """The service's attestation policy, and its verdict on one statement."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.conveyance = settings.attestation
        self._clock = clock
        folder = settings.attestation_roots
        self._roots = TrustedRoots(read_roots(folder)) if folder else None

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
        call(_VERIFY[attestation.fmt], attestation, public_key, chain)
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


def _none(*_: Any) -> None:
    """§8.7: nothing is said, so nothing is to be verified."""


def _packed(
    attestation: AttestationObject, public_key: bytes, chain: Sequence[x509.Certificate]
) -> None:
    # §8.2: the signature, by the leaf or by the credential's own key. No roots: those are ours.
    verify_packed(
        attestation_statement=parse_attestation_statement(attestation.statement),
        attestation_object=attestation.encoded,
        client_data_json=attestation.client_data,
        credential_public_key=public_key,
        pem_root_certs_bytes=[],
    )
    for leaf in chain[:1]:
        require_packed_leaf(leaf)
        require_aaguid(leaf, attestation.aaguid)


def _tpm(
    attestation: AttestationObject, public_key: bytes, chain: Sequence[x509.Certificate]
) -> None:
    # §8.3
    certified = verify_tpm(attestation, public_key, chain[0])
    _require_signature(attestation, chain[0], certified)


def _android_key(
    attestation: AttestationObject, public_key: bytes, chain: Sequence[x509.Certificate]
) -> None:
    # §8.4
    _require_signature(attestation, chain[0], attestation.to_be_signed)
    _require_same_key(chain[0], public_key)
    require_android_key(chain[0], attestation.client_data_hash)


def _apple(
    attestation: AttestationObject, public_key: bytes, chain: Sequence[x509.Certificate]
) -> None:
    # §8.8
    require_apple_nonce(chain[0], hashlib.sha256(attestation.to_be_signed).digest())
    _require_same_key(chain[0], public_key)


def _fido_u2f(
    attestation: AttestationObject, public_key: bytes, _: Sequence[x509.Certificate]
) -> None:
    # §8.6
    verify_fido_u2f(
        attestation_statement=parse_attestation_statement(attestation.statement),
        client_data_json=attestation.client_data,
        rp_id_hash=attestation.authenticator_data[:32],
        credential_id=attestation.credential_id,
        credential_public_key=public_key,
        aaguid=attestation.aaguid,
        pem_root_certs_bytes=[],
    )


def _require_signature(attestation: AttestationObject, leaf: x509.Certificate, data: bytes) -> None:
    statement = attestation.statement
    try:
        verify_signature(
            public_key=leaf.public_key(),
            signature_alg=statement["alg"],
            signature=statement["sig"],
            data=data,
        )
    except InvalidSignature:
        raise BadCredential("signature") from None


def _require_same_key(leaf: x509.Certificate, public_key: bytes) -> None:
    """The certificate is the credential's own."""
    own = decoded_public_key_to_cryptography(decode_credential_public_key(public_key))
    spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if leaf.public_key().public_bytes(*spki) != own.public_bytes(*spki):
        raise BadCredential("attestation_key")


_VERIFY: dict[str, Callable[..., None]] = {
    "none": _none,
    "packed": _packed,
    "tpm": _tpm,
    "android-key": _android_key,
    "apple": _apple,
    "fido-u2f": _fido_u2f,
}
