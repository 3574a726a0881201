"""The credential as the browser sends it: RegistrationResponseJSON and AuthenticationResponseJSON.

WebAuthn L3 §5.1 defines both. This file decodes their members and checks types and sizes. It does
not verify anything.

Some pages and apps encode the members by themselves, in padded or standard base64: both are
accepted. A user handle that is the empty text is none: Safari sends it where there is no handle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.encoding import client_base64_decode
from core.relying_party.client_data import (
    ClientData,
    UnverifiedClientData,
    parse_client_data_json,
    read_client_data,
    require_member,
)
from core.relying_party.errors import BadCredential

# The largest sizes in bytes that are decoded.
MAX_CLIENT_DATA = 4096
MAX_ATTESTATION_OBJECT = 16 * 1024
MAX_AUTHENTICATOR_DATA = 8192
MAX_SIGNATURE = 1024
MAX_USER_HANDLE = 64  # WebAuthn L3 §5.4.3
MAX_CREDENTIAL_ID = 1023  # WebAuthn L3 §7.1 step 25
# The longest base64url text, in characters, that is decoded at all.
MAX_TEXT = 24 * 1024
# WebAuthn L3 §5.8.4, AuthenticatorTransport.
TRANSPORTS = ("ble", "hybrid", "internal", "nfc", "smart-card", "usb")


class RegistrationResponse(NamedTuple):
    """A RegistrationResponseJSON with its members decoded. Other members are not read."""

    credential_id: bytes
    client_data: ClientData
    attestation_object: bytes
    transports: tuple[str, ...]


class AuthenticationResponse(NamedTuple):
    """An AuthenticationResponseJSON with its members decoded. Other members are not read."""

    credential_id: bytes
    client_data: ClientData
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


def parse_client_data(credential: Mapping[str, Any]) -> UnverifiedClientData | None:
    """Parse only the client data of a credential. Returns None if that is not possible.

    `auth.py` takes the challenge from the store before it reads the rest of the credential. So a
    malformed attempt uses up its challenge, too.
    """
    try:
        return _client_data(require_member(credential, "response", dict))
    except BadCredential:
        return None


def read_registration(
    credential: Mapping[str, Any], client_data: UnverifiedClientData | None = None
) -> RegistrationResponse:
    """Decode a credential from `navigator.credentials.create()`. Raises BadCredential.

    `client_data` is the result of `parse_client_data`, if that was called before.
    """
    response = require_member(credential, "response", dict)
    return RegistrationResponse(
        client_data=read_client_data(client_data or _client_data(response)),
        credential_id=_credential_id(credential),
        attestation_object=_octets(response, "attestationObject", MAX_ATTESTATION_OBJECT),
        transports=_transports(response.get("transports")),
    )


def read_authentication(
    credential: Mapping[str, Any], client_data: UnverifiedClientData | None = None
) -> AuthenticationResponse:
    """Decode a credential from `navigator.credentials.get()`. Raises BadCredential.

    `client_data` is the result of `parse_client_data`, if that was called before.
    """
    response = require_member(credential, "response", dict)
    return AuthenticationResponse(
        client_data=read_client_data(client_data or _client_data(response)),
        credential_id=_credential_id(credential),
        authenticator_data=_octets(response, "authenticatorData", MAX_AUTHENTICATOR_DATA),
        signature=_octets(response, "signature", MAX_SIGNATURE),
        user_handle=_user_handle(response),
    )


def _client_data(response: Mapping[str, Any]) -> UnverifiedClientData:
    return parse_client_data_json(_octets(response, "clientDataJSON", MAX_CLIENT_DATA))


def _octets(parent: Mapping[str, Any], name: str, limit: int) -> bytes:
    text = require_member(parent, name, str)
    try:
        data = client_base64_decode(text) if len(text) <= MAX_TEXT else b""
    except ValueError:
        raise BadCredential(f"member_{name}") from None
    if not 0 < len(data) <= limit:
        raise BadCredential(f"length_{name}")
    return data


def _credential_id(credential: Mapping[str, Any]) -> bytes:
    if credential.get("type") != "public-key":
        raise BadCredential("credential_type")
    if credential.get("id") == credential.get("rawId"):
        return _octets(credential, "rawId", MAX_CREDENTIAL_ID)
    # The browser writes `id` in base64url. A page that encodes `rawId` may spell it otherwise.
    try:
        ids = {_octets(credential, name, MAX_CREDENTIAL_ID) for name in ("id", "rawId")}
        (credential_id,) = ids
    except (BadCredential, ValueError):
        raise BadCredential("id_and_raw_id_differ") from None
    return credential_id


def _user_handle(response: Mapping[str, Any]) -> bytes | None:
    if response.get("userHandle") in (None, ""):
        return None
    return _octets(response, "userHandle", MAX_USER_HANDLE)


def _transports(value: Any) -> tuple[str, ...]:
    # Transports are hints for the next login. Unknown values are dropped.
    return tuple(name for name in TRANSPORTS if isinstance(value, list) and name in value)
