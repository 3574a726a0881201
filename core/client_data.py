"""The JSON a browser sends for a credential, taken apart strictly (WebAuthn L3 §5.1.8, §5.8.1).

Nothing here is believed yet: these are only the shapes that the verification procedures judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from core import strict_json
from core.encoding import base64url_decode

MAX_CLIENT_DATA = 4096
MAX_ATTESTATION_OBJECT = 16 * 1024
MAX_AUTHENTICATOR_DATA = 8192
MAX_SIGNATURE = 1024
MAX_USER_HANDLE = 64
MAX_TEXT = 24 * 1024


class BadCredential(Exception):
    """The credential does not prove what it should. `reason` is for the audit trail only."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PeekedData(NamedTuple):
    """Client data of which nothing is known yet but the challenge."""

    raw: bytes
    members: Mapping[str, Any]
    challenge: str


class ClientData(NamedTuple):
    """CollectedClientData: what the browser says it was asked (WebAuthn L3 §5.8.1)."""

    raw: bytes
    type: str
    challenge: str
    origin: str
    cross_origin: bool
    top_origin: str | None


class RegistrationResponse(NamedTuple):
    """A RegistrationResponseJSON with its members decoded."""

    credential_id: bytes
    client_data: ClientData
    attestation_object: bytes
    transports: tuple[str, ...]
    json: Mapping[str, Any]


class AuthenticationResponse(NamedTuple):
    """An AuthenticationResponseJSON with its members decoded."""

    credential_id: bytes
    client_data: ClientData
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None
    json: Mapping[str, Any]


def read_registration(
    credential: Mapping[str, Any], peeked: PeekedData | None = None
) -> RegistrationResponse:
    """Decode a credential from `navigator.credentials.create()`. Raises BadCredential.

    `peeked`: what was seen of this credential already.
    """
    response = _member(credential, "response", dict)
    return RegistrationResponse(
        client_data=_client_data(peeked or _peek(response)),
        credential_id=_credential_id(credential),
        attestation_object=_octets(response, "attestationObject", MAX_ATTESTATION_OBJECT),
        transports=_transports(response.get("transports")),
        json=credential,
    )


def read_authentication(
    credential: Mapping[str, Any], peeked: PeekedData | None = None
) -> AuthenticationResponse:
    """Decode a credential from `navigator.credentials.get()`. Raises BadCredential.

    `peeked`: what was seen of this credential already.
    """
    response = _member(credential, "response", dict)
    return AuthenticationResponse(
        client_data=_client_data(peeked or _peek(response)),
        credential_id=_credential_id(credential),
        authenticator_data=_octets(response, "authenticatorData", MAX_AUTHENTICATOR_DATA),
        signature=_octets(response, "signature", MAX_SIGNATURE),
        user_handle=_user_handle(response),
        json=credential,
    )


def peek_client_data(credential: Mapping[str, Any]) -> PeekedData | None:
    """The challenge the credential speaks of, if it can be read at all.

    It is spent before anything else is looked at, so that a malformed try costs it, too.
    """
    try:
        return _peek(_member(credential, "response", dict))
    except BadCredential:
        return None


def _peek(response: Mapping[str, Any]) -> PeekedData:
    raw = _octets(response, "clientDataJSON", MAX_CLIENT_DATA)
    try:
        data = strict_json.loads(raw)
    except strict_json.StrictJSONError:
        raise BadCredential("client_data_malformed") from None
    if not isinstance(data, dict):
        raise BadCredential("client_data_malformed")
    return PeekedData(raw, data, _member(data, "challenge", str))


def _client_data(peeked: PeekedData) -> ClientData:
    data = peeked.members
    top_origin = data.get("topOrigin")
    return ClientData(
        raw=peeked.raw,
        type=_member(data, "type", str),
        challenge=peeked.challenge,
        origin=_member(data, "origin", str),
        cross_origin=data.get("crossOrigin", False) is not False,
        top_origin=None if top_origin is None else str(top_origin),
    )


def _member(parent: Mapping[str, Any], name: str, kind: type) -> Any:
    value = parent.get(name)
    if not isinstance(value, kind):
        raise BadCredential(f"member_{name}")
    return value


def _octets(parent: Mapping[str, Any], name: str, limit: int) -> bytes:
    text = _member(parent, name, str)
    try:
        data = base64url_decode(text) if len(text) <= MAX_TEXT else b""
    except ValueError:
        raise BadCredential(f"member_{name}") from None
    if not 0 < len(data) <= limit:
        raise BadCredential(f"length_{name}")
    return data


def _credential_id(credential: Mapping[str, Any]) -> bytes:
    if credential.get("type") != "public-key":
        raise BadCredential("credential_type")
    if credential.get("id") != credential.get("rawId"):
        raise BadCredential("id_and_raw_id_differ")
    # WebAuthn L3 §7.1 step 25: at most 1023 bytes.
    return _octets(credential, "rawId", 1023)


def _user_handle(response: Mapping[str, Any]) -> bytes | None:
    if response.get("userHandle") is None:
        return None
    return _octets(response, "userHandle", MAX_USER_HANDLE)


def _transports(value: Any) -> tuple[str, ...]:
    # Hints for the next login (WebAuthn L3 §5.8.4): unknown ones are dropped, none is trusted.
    known = ("ble", "hybrid", "internal", "nfc", "smart-card", "usb")
    return tuple(name for name in known if isinstance(value, list) and name in value)
