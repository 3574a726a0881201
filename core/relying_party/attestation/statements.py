"""Attestation statements: the verification procedure of each format (WebAuthn L3 §8).

py_webauthn verifies the signatures of packed and FIDO U2F statements, but not all that the
specification demands of their certificates. For Android and Apple it uses the machine's clock and
its own roots, so their procedures are here. The procedure of TPM statements is in `tpm.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509

from core.relying_party.attestation.certificates import (
    require_aaguid,
    require_android_key,
    require_apple_nonce,
    require_packed_leaf,
)
from core.relying_party.attestation.object import AttestationObject
from core.relying_party.attestation.tpm import verify_tpm
from core.relying_party.py_webauthn import (
    require_same_key,
    require_signature,
    translate_errors,
    verify_fido_u2f_statement,
    verify_packed_statement,
)

Chain = Sequence[x509.Certificate]


def require_valid_statement(
    attestation: AttestationObject, public_key: bytes, chain: Chain
) -> None:
    """Verify the statement by the procedure of its format (§7.1 step 22). Raises BadCredential.

    `chain` has the certificates of the statement, leaf first. It is empty for format `none` and for
    self attestation.
    """
    with translate_errors():
        _VERIFY[attestation.fmt](attestation, public_key, chain)


def _none(*_: Any) -> None:
    """§8.7: a statement of this format has no content to verify."""


def _packed(attestation: AttestationObject, public_key: bytes, chain: Chain) -> None:
    """§8.2: signed by the leaf certificate's key or, in self attestation, by the credential's."""
    verify_packed_statement(attestation, public_key)
    for leaf in chain[:1]:
        require_packed_leaf(leaf)
        require_aaguid(leaf, attestation.aaguid)


def _tpm(attestation: AttestationObject, public_key: bytes, chain: Chain) -> None:
    """§8.3: signed by a TPM's attestation identity key."""
    certified = verify_tpm(attestation, public_key, chain[0])
    require_signature(attestation, chain[0], certified)


def _android_key(attestation: AttestationObject, public_key: bytes, chain: Chain) -> None:
    """§8.4: signed by the credential's own key, for which Android issued the leaf certificate."""
    require_signature(attestation, chain[0], attestation.to_be_signed)
    require_same_key(chain[0], public_key)
    require_android_key(chain[0], attestation.client_data_hash)


def _apple(attestation: AttestationObject, public_key: bytes, chain: Chain) -> None:
    """§8.8: Apple's leaf certificate has the hash of what other formats sign."""
    require_apple_nonce(chain[0], hashlib.sha256(attestation.to_be_signed).digest())
    require_same_key(chain[0], public_key)


def _fido_u2f(attestation: AttestationObject, public_key: bytes, _: Chain) -> None:
    """§8.6: signed by the leaf certificate's key, over the message of U2F."""
    verify_fido_u2f_statement(attestation, public_key)


_VERIFY: dict[str, Callable[..., None]] = {
    "none": _none,
    "packed": _packed,
    "tpm": _tpm,
    "android-key": _android_key,
    "apple": _apple,
    "fido-u2f": _fido_u2f,
}
