"""TPM attestation statements (WebAuthn L3 §8.3), as Windows Hello makes them.

py_webauthn parses the TPM's structures. Its own verification of a statement is not used: it does
not know new manufacturers, does not compare the AAGUID, and lets errors of certificate parsers out.
"""

from __future__ import annotations

from cryptography import x509

from core.relying_party.attestation.certificates import require_aaguid, require_aik
from core.relying_party.attestation.object import AttestationObject
from core.relying_party.errors import BadCredential
from core.relying_party.py_webauthn import (
    TPM_ALG_COSE_ALG_MAP,
    TPM_ECC_CURVE_COSE_CRV_MAP,
    DecodedEC2PublicKey,
    DecodedRSAPublicKey,
    TPMPubArea,
    TPMPubAreaParametersRSA,
    decode_credential_public_key,
    hash_by_alg,
    parse_cert_info,
    parse_pub_area,
)

# TPM_GENERATED_VALUE: the TPM itself made the structure (TPM 2.0 Part 2 §6.2).
GENERATED_BY_A_TPM = b"\xffTCG"
# TPMS_RSA_PARMS.exponent: 0 means 2^16 + 1 (TPM 2.0 Part 2 §12.2.3.5).
DEFAULT_EXPONENT = 65537


def verify_tpm(attestation: AttestationObject, public_key: bytes, aik: x509.Certificate) -> bytes:
    """Verify all but the signature. Returns the bytes that the AIK must have signed.

    `aik` is the certificate of the attestation identity key, the leaf. Raises BadCredential.
    """
    statement = attestation.statement
    if statement["ver"] != "2.0":
        raise BadCredential("attestation_statement")
    area = parse_pub_area(statement["pubArea"])
    if _key_of(area) != _numbers(public_key):
        raise BadCredential("attestation_key")
    _require_certified(attestation, area)
    require_aik(aik)
    require_aaguid(aik, attestation.aaguid)
    certified: bytes = statement["certInfo"]
    return certified


def _require_certified(attestation: AttestationObject, area: TPMPubArea) -> None:
    """Check that a TPM made certInfo, for this ceremony and for this key."""
    statement = attestation.statement
    # The parser refuses every type but TPM_ST_ATTEST_CERTIFY.
    info = parse_cert_info(statement["certInfo"])
    if info.magic != GENERATED_BY_A_TPM:
        raise BadCredential("attestation_statement")
    if info.extra_data != hash_by_alg(attestation.to_be_signed, statement["alg"]):
        raise BadCredential("attestation_nonce")
    digest = hash_by_alg(statement["pubArea"], TPM_ALG_COSE_ALG_MAP[area.name_alg])
    # The Name of a key is its hash algorithm, followed by the hash (TPM 2.0 Part 1 §16).
    if info.attested.name != statement["pubArea"][2:4] + digest:
        raise BadCredential("attestation_key")


def _key_of(area: TPMPubArea) -> tuple[object, ...]:
    """Return the key that the TPM certifies, as numbers."""
    parameters, unique = area.parameters, area.unique.value
    if isinstance(parameters, TPMPubAreaParametersRSA):
        exponent = int.from_bytes(parameters.exponent) or DEFAULT_EXPONENT
        return "RSA", int.from_bytes(unique), exponent
    return "EC", TPM_ECC_CURVE_COSE_CRV_MAP[parameters.curve_id], unique


def _numbers(public_key: bytes) -> tuple[object, ...]:
    """Return the credential's key in the same form."""
    key = decode_credential_public_key(public_key)
    if isinstance(key, DecodedRSAPublicKey):
        return "RSA", int.from_bytes(key.n), int.from_bytes(key.e)
    if isinstance(key, DecodedEC2PublicKey):
        return "EC", key.crv, key.x + key.y
    raise BadCredential("attestation_key")
