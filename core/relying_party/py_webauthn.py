"""The way into py_webauthn, and to signatures: what is raised there, a stranger's bytes raised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from webauthn.helpers.exceptions import WebAuthnException

from core.relying_party import cose_key as cose
from core.relying_party.client_data import BadCredential

# The library tells by message only; the words are stable enough for an audit row, no more.
_REASONS: Sequence[tuple[str, str]] = (
    ("RP ID hash", "rp_id_hash"),
    ("signature", "signature"),
    ("AAGUID", "attestation_aaguid"),
    ("token_binding", "token_binding"),
    ("alg", "algorithm"),
    ("authenticatorData", "authenticator_data_malformed"),
    ("attestationObject", "attestation_malformed"),
)


def call(procedure: Any, *subject: Any, **arguments: Any) -> Any:
    """Run one of py_webauthn's procedures; any exception out of it is a bad credential."""
    try:
        return procedure(*subject, **arguments)
    except BadCredential:
        raise
    except WebAuthnException as error:
        raise BadCredential(_reason_of(error)) from None
    except Exception as error:
        raise BadCredential(f"unexpected_{type(error).__name__}") from None


def verify_signature(public_key: bytes, signature: bytes, data: bytes) -> None:
    """`signature` over `data` holds under the COSE key `public_key`. Raises BadCredential."""
    try:
        cose.verify(public_key, signature, data)
    except InvalidSignature:
        raise BadCredential("signature") from None
    except cose.BadKey:
        raise BadCredential("public_key") from None


def _reason_of(error: WebAuthnException) -> str:
    message = str(error)
    return next((reason for words, reason in _REASONS if words in message), type(error).__name__)
