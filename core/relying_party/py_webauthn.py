"""The only file that imports and calls py_webauthn.

The library gives a second opinion on every registration, verifies packed and FIDO U2F statements,
and parses keys and TPM structures. It takes no part in a login.

An attacker's bytes can cause every exception of the library. `translate_errors` turns each of them
into BadCredential.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn import verify_registration_response
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    hash_by_alg,
    verify_signature,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey, DecodedRSAPublicKey
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.parse_attestation_statement import parse_attestation_statement
from webauthn.helpers.tpm import parse_cert_info, parse_pub_area
from webauthn.helpers.tpm.structs import (
    TPM_ALG_COSE_ALG_MAP,
    TPM_ECC_CURVE_COSE_CRV_MAP,
    TPMPubArea,
    TPMPubAreaParametersRSA,
)
from webauthn.registration.formats.fido_u2f import verify_fido_u2f
from webauthn.registration.formats.packed import verify_packed
from webauthn.registration.verify_registration_response import VerifiedRegistration

from core.encoding import base64url_decode, base64url_encode
from core.relying_party import cose_key
from core.relying_party.attestation.object import AttestationObject
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import RegistrationResponse

# `attestation/tpm.py` takes the library's parsers from here.
__all__ = [
    "TPM_ALG_COSE_ALG_MAP",
    "TPM_ECC_CURVE_COSE_CRV_MAP",
    "DecodedEC2PublicKey",
    "DecodedRSAPublicKey",
    "TPMPubArea",
    "TPMPubAreaParametersRSA",
    "decode_credential_public_key",
    "hash_by_alg",
    "parse_cert_info",
    "parse_pub_area",
    "require_same_key",
    "require_signature",
    "translate_errors",
    "verify_fido_u2f_statement",
    "verify_packed_statement",
    "verify_registration",
]

ALGORITHMS = [COSEAlgorithmIdentifier(alg) for alg in cose_key.OFFERED]
# Only the messages of the library tell what went wrong: words of a message, and the reason for the
# audit row.
_REASONS = (
    ("RP ID hash", "rp_id_hash"),
    ("signature", "signature"),
    ("AAGUID", "attestation_aaguid"),
    ("alg", "algorithm"),
    ("authenticatorData", "authenticator_data_malformed"),
    ("attestationObject", "attestation_malformed"),
)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn every exception out of the block into BadCredential, with a reason for the audit row."""
    try:
        yield
    except BadCredential:
        raise
    except WebAuthnException as error:
        raise BadCredential(_reason_of(error)) from None
    except Exception as error:
        raise BadCredential(f"unexpected_{type(error).__name__}") from None


def verify_registration(
    response: RegistrationResponse,
    attestation: AttestationObject,
    *,
    expected_challenge: str,
    expected_origins: Collection[str],
    expected_rp_id: str,
) -> VerifiedRegistration:
    """Verify a registration without its attestation statement. Raises BadCredential."""
    with translate_errors():
        return verify_registration_response(
            credential=_without_statement(response, attestation),
            # The library compares bytes; `client_data.py` has compared the texts.
            expected_challenge=base64url_decode(expected_challenge),
            expected_rp_id=expected_rp_id,
            expected_origin=list(expected_origins),
            require_user_presence=True,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )


def verify_packed_statement(attestation: AttestationObject, public_key: bytes) -> None:
    """Verify the signature of a packed statement (WebAuthn L3 §8.2), not its certificates."""
    verify_packed(
        attestation_statement=parse_attestation_statement(attestation.statement),
        attestation_object=attestation.encoded,
        client_data_json=attestation.client_data,
        credential_public_key=public_key,
        # No roots: `attestation/trust_anchors.py` verifies the chain.
        pem_root_certs_bytes=[],
    )


def verify_fido_u2f_statement(attestation: AttestationObject, public_key: bytes) -> None:
    """Verify a FIDO U2F statement (WebAuthn L3 §8.6), not its certificate chain."""
    verify_fido_u2f(
        attestation_statement=parse_attestation_statement(attestation.statement),
        client_data_json=attestation.client_data,
        rp_id_hash=attestation.authenticator_data[:32],
        credential_id=attestation.credential_id,
        credential_public_key=public_key,
        aaguid=attestation.aaguid,
        pem_root_certs_bytes=[],
    )


def require_signature(attestation: AttestationObject, leaf: x509.Certificate, data: bytes) -> None:
    """Check that the certificate's key signed `data`. Raises BadCredential."""
    try:
        verify_signature(
            public_key=leaf.public_key(),
            signature_alg=attestation.statement["alg"],
            signature=attestation.statement["sig"],
            data=data,
        )
    except InvalidSignature:
        raise BadCredential("signature") from None


def require_same_key(leaf: x509.Certificate, public_key: bytes) -> None:
    """Check that the certificate is for the credential's own key. Raises BadCredential."""
    own = decoded_public_key_to_cryptography(decode_credential_public_key(public_key))
    spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if leaf.public_key().public_bytes(*spki) != own.public_bytes(*spki):
        raise BadCredential("attestation_key")


def _without_statement(
    response: RegistrationResponse, attestation: AttestationObject
) -> dict[str, Any]:
    """Return the credential with attestation format `none`, in the library's spelling.

    Other members of the credential and of its client data are left out: unknown values of them
    mean nothing, and the library would refuse some. Under format `none` nothing signs the client
    data.
    """
    data = response.client_data
    compared = {"type": data.type, "challenge": data.challenge, "origin": data.origin}
    credential_id = base64url_encode(response.credential_id)
    return {
        "id": credential_id,
        "rawId": credential_id,
        "type": "public-key",
        "response": {
            "clientDataJSON": base64url_encode(json.dumps(compared).encode()),
            "attestationObject": base64url_encode(attestation.without_statement),
        },
    }


def _reason_of(error: WebAuthnException) -> str:
    message = str(error)
    return next((reason for words, reason in _REASONS if words in message), type(error).__name__)
