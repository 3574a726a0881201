"""The attestation object of a registration, decoded and not yet verified (WebAuthn L3 §6.5.4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import cbor2

from core.relying_party import ctap_cbor
from core.relying_party.authenticator_data import AAGUID_OFFSET, ID_OFFSET, end_of_credential_id
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import RegistrationResponse


@dataclass(frozen=True)
class AttestationObject:
    """Authenticator data, and the attestation statement that vouches for it.

    `encoded` is the CBOR of the whole object, `client_data` the bytes of clientDataJSON. The types
    of the other members are not checked: `AttestationPolicy.require_format` checks `fmt` and
    `statement`, `require_attested_data` checks `authenticator_data`. The properties need both.
    """

    encoded: bytes
    client_data: bytes
    fmt: Any
    statement: Any
    authenticator_data: bytes

    @property
    def aaguid(self) -> bytes:
        """The AAGUID: which model of authenticator made the credential."""
        return self.authenticator_data[AAGUID_OFFSET : AAGUID_OFFSET + 16]

    @property
    def credential_id(self) -> bytes:
        """The attested credential ID. The client's `rawId` can be a different one."""
        return self.authenticator_data[ID_OFFSET : end_of_credential_id(self.authenticator_data)]

    @property
    def client_data_hash(self) -> bytes:
        """The SHA-256 hash of clientDataJSON, as it was sent (§7.1 step 12)."""
        return hashlib.sha256(self.client_data).digest()

    @property
    def to_be_signed(self) -> bytes:
        """What most statements sign: authenticator data, followed by the client data hash."""
        return self.authenticator_data + self.client_data_hash

    @property
    def without_statement(self) -> bytes:
        """The CBOR of an attestation object with the same authenticator data and format `none`."""
        bare = {"fmt": "none", "attStmt": {}, "authData": self.authenticator_data}
        return cbor2.dumps(bare)


def read_attestation(response: RegistrationResponse) -> AttestationObject:
    """Decode the attestation object (§7.1 step 13). Raises BadCredential."""
    encoded = response.attestation_object
    decoded = _decode(encoded)
    if type(decoded) is not dict or set(decoded) != {"fmt", "attStmt", "authData"}:
        raise BadCredential("attestation_malformed")
    return AttestationObject(
        encoded=encoded,
        client_data=response.client_data.raw,
        fmt=decoded["fmt"],
        statement=decoded["attStmt"],
        authenticator_data=decoded["authData"],
    )


def _decode(encoded: bytes) -> Any:
    try:
        if ctap_cbor.end_of_item(encoded) != len(encoded):
            raise BadCredential("attestation_malformed")
    except ctap_cbor.NotCanonical:
        raise BadCredential("attestation_malformed") from None
    try:
        return cbor2.loads(encoded, strict_hashable_types=True, allow_duplicate_keys=False)
    except Exception:
        raise BadCredential("attestation_malformed") from None
