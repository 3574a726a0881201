"""Attestation statements, format by format: what each must prove (WebAuthn L3 §8).

py_webauthn judges packed and U2F statements, but not their certificates. Its judgement of Android
and Apple is tied to the machine's clock and to its own roots: theirs is done here, and a TPM's in
`relying_party_tpm`.
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
from webauthn.helpers.parse_attestation_statement import parse_attestation_statement
from webauthn.registration.formats.fido_u2f import verify_fido_u2f
from webauthn.registration.formats.packed import verify_packed

from core.relying_party.attestation.certificates import (
    require_aaguid,
    require_android_key,
    require_apple_nonce,
    require_packed_leaf,
)
from core.relying_party.attestation.object import AttestationObject
from core.relying_party.attestation.tpm import verify_tpm
from core.relying_party.client_data import BadCredential
from core.relying_party.py_webauthn import call

Chain = Sequence[x509.Certificate]


def require_true(attestation: AttestationObject, public_key: bytes, chain: Chain) -> None:
    """§7.1 step 22: the statement proves what its format says. Raises BadCredential."""
    call(_VERIFY[attestation.fmt], attestation, public_key, chain)


def _none(*_: Any) -> None:
    """§8.7: nothing is said, so nothing is to be verified."""


def _packed(attestation: AttestationObject, public_key: bytes, chain: Chain) -> None:
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


def _tpm(attestation: AttestationObject, public_key: bytes, chain: Chain) -> None:
    # §8.3
    certified = verify_tpm(attestation, public_key, chain[0])
    _require_signature(attestation, chain[0], certified)


def _android_key(attestation: AttestationObject, public_key: bytes, chain: Chain) -> None:
    # §8.4
    _require_signature(attestation, chain[0], attestation.to_be_signed)
    _require_same_key(chain[0], public_key)
    require_android_key(chain[0], attestation.client_data_hash)


def _apple(attestation: AttestationObject, public_key: bytes, chain: Chain) -> None:
    # §8.8
    require_apple_nonce(chain[0], hashlib.sha256(attestation.to_be_signed).digest())
    _require_same_key(chain[0], public_key)


def _fido_u2f(attestation: AttestationObject, public_key: bytes, _: Chain) -> None:
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
