"""The attestation object of a registration, decoded and not yet verified (WebAuthn L3 §6.5.4)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Any

import cbor2

from core.relying_party import ctap_cbor
from core.relying_party.authenticator_data import AAGUID_OFFSET, ID_OFFSET, end_of_credential_id
from core.relying_party.errors import BadCredential
from core.relying_party.response_json import RegistrationResponse

MEMBERS = {"fmt", "attStmt", "authData"}
_STATEMENT, _EMPTY_MAP = "attStmt", b"\xa0"
# An attestation statement format identifier (WebAuthn L3 §8.1): at most 32 visible ASCII
# characters, without the quotation mark and the backslash.
_FORMAT = re.compile(r"[!#-\[\]-~]{1,32}")


@dataclass(frozen=True)
class AttestationObject:
    """Authenticator data, and the attestation statement that vouches for it.

    `encoded` is the CBOR of the whole object, `client_data` the bytes of clientDataJSON. The types
    of the other members are not checked: `AttestationPolicy.read` checks `fmt` and `statement`,
    `require_attested_data` checks `authenticator_data`. The properties need both.
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
    _require_canonical(response.attestation_object)
    return _attestation(response, response.attestation_object)


def read_without_statement(response: RegistrationResponse) -> AttestationObject:
    """Decode an attestation object and drop its statement unread. Raises BadCredential.

    The result has format `none`, as if the browser had removed the statement that was not asked
    for (§5.1.3, attestation conveyance `none`). The bytes of the statement are bounded and
    canonical CBOR, because the scanner walks over the whole object. No decoder gets them.
    """
    encoded = response.attestation_object
    _require_canonical(encoded)
    start, end = _span_of_statement(encoded)
    bare = _attestation(response, encoded[:start] + _EMPTY_MAP + encoded[end:])
    dropped = encoded[start:end]
    if type(bare.fmt) is not str or not _FORMAT.fullmatch(bare.fmt):
        raise BadCredential("attestation_format")
    # Format `none` has an empty statement (§8.7), `compound` has an array (§8.9), the others a map.
    empty_or_other = dropped == _EMPTY_MAP or bare.fmt != "none"
    if not empty_or_other or ctap_cbor.kind_of(dropped) not in (ctap_cbor.MAP, ctap_cbor.ARRAY):
        raise BadCredential("attestation_format")
    return replace(bare, fmt="none")


def _span_of_statement(encoded: bytes) -> tuple[int, int]:
    """Where the statement begins and ends in the canonical map `encoded`."""
    if ctap_cbor.kind_of(encoded) == ctap_cbor.MAP:
        for name, start, end in ctap_cbor.members(encoded):
            if name == _STATEMENT.encode():
                return start, end
    raise BadCredential("attestation_malformed")


def _attestation(response: RegistrationResponse, encoded: bytes) -> AttestationObject:
    decoded = _decode(encoded)
    if type(decoded) is not dict or set(decoded) != MEMBERS:
        raise BadCredential("attestation_malformed")
    return AttestationObject(
        encoded=encoded,
        client_data=response.client_data.raw,
        fmt=decoded["fmt"],
        statement=decoded[_STATEMENT],
        authenticator_data=decoded["authData"],
    )


def _require_canonical(encoded: bytes) -> None:
    try:
        if ctap_cbor.end_of_item(encoded) != len(encoded):
            raise BadCredential("attestation_malformed")
    except ctap_cbor.NotCanonical:
        raise BadCredential("attestation_malformed") from None


def _decode(encoded: bytes) -> Any:
    try:
        return cbor2.loads(encoded, strict_hashable_types=True, allow_duplicate_keys=False)
    except Exception:
        raise BadCredential("attestation_malformed") from None
