"""Authenticator data: its layout, RP ID hash, flags and structure (WebAuthn L3 §6.1, §6.5.1).

Both ceremonies use these functions. Every `require_` function raises BadCredential.
"""

from __future__ import annotations

import hmac
from typing import Any

import cbor2

from core.relying_party import ctap_cbor
from core.relying_party.errors import BadCredential

# Byte offsets: RP ID hash (32), flags (1), sign count (4); in a registration then AAGUID (16),
# length of the credential ID (2), credential ID, public key.
FLAGS_OFFSET, SIGN_COUNT_OFFSET, AAGUID_OFFSET, ID_OFFSET = 32, 33, 37, 55
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
# Bits 1 and 5 mean nothing yet (§6.1). A later specification may use them, so they refuse nothing:
# relying parties should ignore them (w3c/webauthn issues 2063, 2064). The audit row has them.
RESERVED_FLAGS = 0xFF & ~(UP | UV | BE | BS | AT | ED)
# A COSE_Key of an offered algorithm is a CBOR map of four or five members (RFC 9053 §7), and of two
# more with the optional ones that `cose_key.py` accepts.
KEY_HEADS = (0xA4, 0xA5, 0xA6, 0xA7)


def require_header(data: bytes, *, expected_rp_id_hash: bytes) -> int:
    """Check the RP ID hash and the flags. Returns the byte of flags."""
    if len(data) < AAGUID_OFFSET:
        raise BadCredential("authenticator_data_short")
    # §7.1 step 14, §7.2 step 15.
    if not hmac.compare_digest(data[:FLAGS_OFFSET], expected_rp_id_hash):
        raise BadCredential("rp_id_hash")
    flags = data[FLAGS_OFFSET]
    _require_flags(flags)
    return flags


def _require_flags(flags: int) -> None:
    # §7.1 step 15, §7.2 step 16.
    if not flags & UP:
        raise BadCredential("user_not_present")
    # §7.1 step 16, §7.2 step 17. User verification is always required: the passkey is the only
    # factor of a login.
    if not flags & UV:
        raise BadCredential("user_not_verified")
    # §7.1 step 17, §7.2 step 18.
    if flags & BS and not flags & BE:
        raise BadCredential("backed_up_but_not_eligible")


def require_structure(data: bytes) -> None:
    """Check that `data` has exactly the parts that its flags announce (§6.1), and no byte more.

    Each part is checked to be canonical CBOR before a general CBOR decoder reads it.
    """
    try:
        end = AAGUID_OFFSET
        if data[FLAGS_OFFSET] & AT:
            # §6.1 forbids attested credential data in an assertion, but genuine authenticators
            # send it. A login accepts it and does not use it.
            end = _end_of_map(data, end_of_credential_id(data))
        if data[FLAGS_OFFSET] & ED:
            end = _end_of_map(data, end)
    except (ctap_cbor.NotCanonical, IndexError):
        raise BadCredential("authenticator_data_malformed") from None
    if end != len(data):
        raise BadCredential("authenticator_data_malformed")


def require_attested_data(data: Any) -> None:
    """Check that `data` is authenticator data with a credential ID and a public key (§6.5.1).

    `data` is the member `authData` of an attestation object, of any type.
    """
    if type(data) is not bytes or len(data) <= ID_OFFSET or not data[FLAGS_OFFSET] & AT:
        raise BadCredential("attested_data_missing")
    # Check the first byte of the key before the rest is parsed: a huge map is refused at once.
    start = end_of_credential_id(data)
    if len(data) <= start or data[start] not in KEY_HEADS:
        raise BadCredential("public_key")
    try:
        ctap_cbor.end_of_item(data, start)
    except ctap_cbor.NotCanonical:
        raise BadCredential("public_key") from None
    require_structure(data)


def end_of_credential_id(data: bytes) -> int:
    """Return the offset behind the credential ID, where the public key begins."""
    return ID_OFFSET + int.from_bytes(data[ID_OFFSET - 2 : ID_OFFSET])


def sign_count_of(data: bytes) -> int:
    """Return the signature counter."""
    return int.from_bytes(data[SIGN_COUNT_OFFSET:AAGUID_OFFSET])


def _end_of_map(data: bytes, start: int) -> int:
    if not ctap_cbor.is_map(data, start):
        raise BadCredential("authenticator_data_malformed")
    end = ctap_cbor.end_of_item(data, start)
    try:
        # `end_of_item` does not see duplicate keys or text that is not UTF-8.
        cbor2.loads(data[start:end], allow_duplicate_keys=False)
    except Exception:
        raise BadCredential("authenticator_data_malformed") from None
    return end
