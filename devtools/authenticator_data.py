"""Authenticator data (WebAuthn L3 §6.1)."""

from collections.abc import Mapping
from enum import IntFlag
from hashlib import sha256
from typing import Any

import cbor2

from devtools.flaws import Flaw, edited_bytes, instead


class Flags(IntFlag):
    """The flags byte. Bits 1 and 5 are reserved for future use and must be 0."""

    UP = 1 << 0
    RFU1 = 1 << 1
    UV = 1 << 2
    BE = 1 << 3
    BS = 1 << 4
    RFU2 = 1 << 5
    AT = 1 << 6
    ED = 1 << 7


def authenticator_data(
    rp_id: str, flags: Flags, sign_count: int, flaw: Flaw, *, attested: bytes = b""
) -> bytes:
    """The bytes to sign: the given parts, changed as the flaw says."""
    extensions = b"" if flaw.extensions is None else as_cbor(flaw.extensions)
    if extensions:
        flags |= Flags.ED
    parts = (
        sha256(instead(rp_id, flaw.rp_id).encode()).digest(),
        bytes([flawed_flags(flags, flaw)]),
        instead(sign_count, flaw.sign_count).to_bytes(4, "big"),
        attested,
        extensions,
    )
    honest = b"".join(parts)
    return edited_bytes(honest, flaw.authenticator_data) + flaw.trailing_authenticator_data


def flawed_flags(honest: Flags, flaw: Flaw) -> Flags:
    """The flags, with every flag that the flaw names set or cleared."""
    flags = honest
    for flag in Flags:
        forced = getattr(flaw, str(flag.name).lower())
        if forced is not None:
            flags = flags | flag if forced else flags & ~flag
    return flags


def attested_credential_data(
    aaguid: bytes, credential_id: bytes, cose_key: dict[int, Any], flaw: Flaw
) -> bytes:
    """Attested credential data (§6.5.1): AAGUID, credential ID and COSE key."""
    attested_id = instead(credential_id, flaw.attested_credential_id)
    length = instead(len(attested_id), flaw.attested_credential_id_length).to_bytes(2, "big")
    key = credential_public_key(cose_key, flaw)
    return instead(aaguid, flaw.aaguid) + length + attested_id + key


def credential_public_key(honest: dict[int, Any], flaw: Flaw) -> bytes:
    """The CBOR of the COSE key, or of what the flaw replaces it with."""
    if callable(flaw.cose_key):
        return as_cbor(flaw.cose_key(honest))
    return as_cbor(instead(honest, flaw.cose_key))


def as_cbor(value: object) -> bytes:
    """Encode a value. Bytes count as CBOR already and stay as they are."""
    if isinstance(value, bytes):
        return value
    return cbor2.dumps(dict(value) if isinstance(value, Mapping) else value)
