"""The attestation object of a registration, taken apart (WebAuthn L3 §6.5.4); not believed yet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import cbor2

from core.relying_party import ctap_cbor
from core.relying_party.client_data import BadCredential, RegistrationResponse

# Where things stand in authenticator data (§6.1 and §6.5.1).
FLAGS_OFFSET, AAGUID_OFFSET, ID_OFFSET = 32, 37, 55
ATTESTED, EXTENSIONS = 0x40, 0x80
# A COSE key of an offered algorithm is a map of four or five members (RFC 9053 §7).
KEY_HEADS = (0xA4, 0xA5)


@dataclass(frozen=True)
class AttestationObject:
    """What an authenticator says of a new credential, and the statement that vouches for it."""

    encoded: bytes
    client_data: bytes
    fmt: Any
    statement: Any
    authenticator_data: bytes

    @property
    def aaguid(self) -> bytes:
        """The authenticator's model."""
        return self.authenticator_data[AAGUID_OFFSET : AAGUID_OFFSET + 16]

    @property
    def credential_id(self) -> bytes:
        """The id that is attested, which need not be the one outside."""
        length = int.from_bytes(self.authenticator_data[ID_OFFSET - 2 : ID_OFFSET])
        return self.authenticator_data[ID_OFFSET : ID_OFFSET + length]

    @property
    def client_data_hash(self) -> bytes:
        """SHA-256 of clientDataJSON, as it came (§7.1 step 11)."""
        return hashlib.sha256(self.client_data).digest()

    @property
    def to_be_signed(self) -> bytes:
        """What most statements sign: authenticator data, then client data hash."""
        return self.authenticator_data + self.client_data_hash

    @property
    def without_statement(self) -> bytes:
        """The same credential with format `none`, for those who must not judge the statement."""
        bare = {"fmt": "none", "attStmt": {}, "authData": self.authenticator_data}
        return cbor2.dumps(bare)


def read_attestation(response: RegistrationResponse) -> AttestationObject:
    """Decode the attestation object (§7.1 step 12). Raises BadCredential."""
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


def require_attested_data(attestation: AttestationObject) -> None:
    """The authenticator data ends in a credential with a key worth parsing (§6.5.1)."""
    data = attestation.authenticator_data
    if type(data) is not bytes or len(data) <= ID_OFFSET or not data[FLAGS_OFFSET] & ATTESTED:
        raise BadCredential("attested_data_missing")
    # Looked at before the key is parsed: a huge map is refused for the price of one byte.
    start = ID_OFFSET + int.from_bytes(data[ID_OFFSET - 2 : ID_OFFSET])
    if len(data) <= start or data[start] not in KEY_HEADS:
        raise BadCredential("public_key")
    try:
        ctap_cbor.end_of_item(data, start)
    except ctap_cbor.NotCanonical:
        raise BadCredential("public_key") from None
    require_authenticator_data(data)


def require_authenticator_data(data: bytes) -> None:
    """Exactly the parts that the flags announce, each in canonical CBOR (§6.1): no byte more.

    Raises BadCredential. Asked before any CBOR reader sees the bytes.
    """
    try:
        end = AAGUID_OFFSET
        if data[FLAGS_OFFSET] & ATTESTED:
            end = ID_OFFSET + int.from_bytes(data[ID_OFFSET - 2 : ID_OFFSET])
            # §6.1 forbids a key in an assertion, and genuine devices send one; it is never used.
            end = _end_of_map(data, end)
        if data[FLAGS_OFFSET] & EXTENSIONS:
            end = _end_of_map(data, end)
    except (ctap_cbor.NotCanonical, IndexError):
        raise BadCredential("authenticator_data_malformed") from None
    if end != len(data):
        raise BadCredential("authenticator_data_malformed")


def _end_of_map(data: bytes, start: int) -> int:
    if not ctap_cbor.is_map(data, start):
        raise BadCredential("authenticator_data_malformed")
    end = ctap_cbor.end_of_item(data, start)
    try:
        # For what the walk does not see: a key twice, text that is none.
        cbor2.loads(data[start:end], allow_duplicate_keys=False)
    except Exception:
        raise BadCredential("authenticator_data_malformed") from None
    return end


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
