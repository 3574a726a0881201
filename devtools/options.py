"""The options that a relying party sends, for tests that run no service."""

from typing import Any, Final

from devtools.cose import EDDSA, ES256, RS256
from devtools.encoding import b64url

CHALLENGE: Final = b64url(bytes(range(32)))


def creation_options(**members: Any) -> dict[str, Any]:
    """PublicKeyCredentialCreationOptionsJSON (WebAuthn L3 §5.1.8) for localhost.

    `members` are added, or replace others.
    """
    return {
        "rp": {"id": "localhost", "name": "Auth Example"},
        "user": {"id": b64url(b"jane's handle"), "name": "jane@example.com", "displayName": "Jane"},
        "challenge": CHALLENGE,
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (ES256, EDDSA, RS256)],
        **members,
    }


def request_options(*allowed: bytes, **members: Any) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptionsJSON (§5.1.9) for localhost.

    `allowed`: the credential IDs in allowCredentials; without any, all passkeys are allowed.
    """
    return {
        "challenge": CHALLENGE,
        "rpId": "localhost",
        "allowCredentials": [descriptor(credential_id) for credential_id in allowed],
        **members,
    }


def descriptor(credential_id: bytes) -> dict[str, Any]:
    """PublicKeyCredentialDescriptorJSON of a credential ID."""
    return {"type": "public-key", "id": b64url(credential_id)}
