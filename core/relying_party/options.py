"""The options that the browser gets at the beginning of a ceremony (WebAuthn L3 §5.4, §5.5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.encoding import base64url_encode
from core.relying_party import cose_key
from core.relying_party.credential_record import user_handle

TIMEOUT_MS = 60_000
# A longer credential id is never offered, because no decoy has one. Its passkey can be used in a
# login without an email. Providers of passkeys make at most 65 bytes, security keys up to 255.
MAX_OFFERED_ID = 255


@dataclass(frozen=True)
class CredentialDescriptor:
    """A credential in `allowCredentials`."""

    credential_id: bytes
    transports: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a PublicKeyCredentialDescriptorJSON (§5.8.3). No transports: no member."""
        shown = {"type": "public-key", "id": base64url_encode(self.credential_id)}
        return {**shown, "transports": list(self.transports)} if self.transports else shown


def creation_options(
    *,
    rp_id: str,
    rp_name: str,
    challenge: str,
    user_id: str,
    name: str,
    display_name: str,
    attestation: str,
    attachment: str,
) -> dict[str, Any]:
    """Return PublicKeyCredentialCreationOptionsJSON (§5.4) for a new account's first passkey.

    `attachment` is `platform`, or `any` for security keys and phones too: then the browser gets
    neither an attachment nor a hint (§5.4.4, §5.8.7), and the person chooses.
    """
    platform = attachment == "platform"
    return {
        "rp": {"id": rp_id, "name": rp_name},
        "user": {
            "id": base64url_encode(user_handle(user_id)),
            "name": name,
            "displayName": display_name,
        },
        "challenge": challenge,
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in cose_key.OFFERED],
        "timeout": TIMEOUT_MS,
        "excludeCredentials": [],
        "authenticatorSelection": {
            **({"authenticatorAttachment": "platform"} if platform else {}),
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "hints": ["client-device"] if platform else [],
        "attestation": attestation,
        "extensions": {"credProps": True},
    }


def request_options(
    *, rp_id: str, challenge: str, allowed: Iterable[CredentialDescriptor]
) -> dict[str, Any]:
    """Return PublicKeyCredentialRequestOptionsJSON (§5.5).

    If `allowed` is empty, the browser offers every passkey that it has for this RP ID.
    """
    return {
        "challenge": challenge,
        "timeout": TIMEOUT_MS,
        "rpId": rp_id,
        "allowCredentials": [descriptor.to_json() for descriptor in allowed],
        "userVerification": "required",
    }
