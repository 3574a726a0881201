"""The credential as JSON, as the browser returns it to the page."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import cbor2

from devtools import cose
from devtools.attestation import ToAttest, none
from devtools.encoding import b64url
from devtools.flaws import OMIT, Flaw, edited_bytes, edited_members, instead
from devtools.soft_passkey import SoftPasskey


def attestation_response(
    passkey: SoftPasskey, client_data: bytes, auth_data: bytes, flaw: Flaw
) -> dict[str, Any]:
    """AuthenticatorAttestationResponseJSON (WebAuthn L3 §5.1), without its transports."""
    return {
        "clientDataJSON": b64url(client_data),
        "attestationObject": b64url(_attestation_object(passkey, auth_data, client_data, flaw)),
        "publicKey": b64url(cose.spki(passkey.public_key)),
        "publicKeyAlgorithm": passkey.alg,
        "authenticatorData": b64url(auth_data),
    }


def _attestation_object(
    passkey: SoftPasskey, auth_data: bytes, client_data: bytes, flaw: Flaw
) -> bytes:
    """Format, statement and authenticator data in CBOR (§6.5.4)."""
    key = instead(passkey.private_key, flaw.signing_key)
    subject = ToAttest(auth_data, sha256(client_data).digest(), key, passkey.alg)
    fmt, att_stmt = (flaw.attestation or none)(subject)
    honest = cbor2.dumps({"fmt": fmt, "attStmt": att_stmt, "authData": auth_data})
    return edited_bytes(honest, flaw.attestation_object) + flaw.trailing_attestation_object


def assertion_response(
    passkey: SoftPasskey, client_data: bytes, auth_data: bytes, flaw: Flaw
) -> dict[str, Any]:
    """AuthenticatorAssertionResponseJSON (§5.1), signed as in §6.3.3."""
    message = auth_data + sha256(client_data).digest()
    response = {
        "clientDataJSON": b64url(client_data),
        "authenticatorData": b64url(auth_data),
        "signature": b64url(_signature(passkey, message, flaw)),
    }
    if flaw.user_handle is OMIT:
        return response
    return response | {"userHandle": _user_handle(passkey, flaw.user_handle)}


def _signature(passkey: SoftPasskey, message: bytes, flaw: Flaw) -> bytes:
    signature = cose.sign(instead(passkey.private_key, flaw.signing_key), message)
    if flaw.flip_signature_bit:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return edited_bytes(signature, flaw.signature)


def _user_handle(passkey: SoftPasskey, forced: bytes | str | None) -> str:
    """A forced str stays as it is; bytes become base64url."""
    return forced if isinstance(forced, str) else b64url(instead(passkey.user_handle, forced))


def client_extensions(public_key: Mapping[str, Any]) -> dict[str, Any]:
    """clientExtensionResults for creation options.

    The only extension is credProps (§10.1.3): every passkey is discoverable.
    """
    asked_for = (public_key.get("extensions") or {}).get("credProps")
    return {"credProps": {"rk": True}} if asked_for else {}


def credential_json(
    passkey: SoftPasskey, response: dict[str, Any], extensions: dict[str, Any], flaw: Flaw
) -> dict[str, Any]:
    """RegistrationResponseJSON or AuthenticationResponseJSON (§5.1) with this `response`."""
    credential_id = instead(passkey.credential_id, flaw.credential_id)
    honest = {
        "id": b64url(credential_id),
        "rawId": b64url(instead(credential_id, flaw.raw_id)),
        "response": edited_members(response, flaw.response),
        "authenticatorAttachment": "platform",
        "clientExtensionResults": extensions,
        "type": "public-key",
    }
    return edited_members(honest, flaw.credential)
