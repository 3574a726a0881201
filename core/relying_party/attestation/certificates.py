"""What the certificate that signed an attestation must look like, format by format.

Every function raises BadCredential. py_webauthn 3 leaves §8.2.1 out altogether, and the AAGUID
extension everywhere.
"""

from __future__ import annotations

import re
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509.oid import NameOID

from core.relying_party.errors import BadCredential

AAGUID = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
APPLE_NONCE = x509.ObjectIdentifier("1.2.840.113635.100.8.2")
ANDROID_KEY = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17")
AIK_USAGE = x509.ObjectIdentifier("2.23.133.8.3")
# Manufacturer, model and version (TCG EK Credential Profile 2.0 §3.2.9).
TPM_NAMES = {f"2.23.133.2.{number}" for number in (1, 2, 3)}
# Context tags [1] purpose, [600] allApplications, [702] origin of Android's AuthorizationList.
PURPOSE, ALL_APPLICATIONS, ORIGIN = b"\xa1", b"\xbf\x84\x58", b"\xbf\x85\x3e"
# SET { KM_PURPOSE_SIGN }, and KM_ORIGIN_GENERATED.
ONLY_SIGN, GENERATED = b"\x31\x03\x02\x01\x02", b"\x02\x01\x00"

Known = TypeVar("Known", bound=x509.ExtensionType)


@asn1.sequence
class KeyDescription:
    """Android's key attestation extension; of its lists only what §8.4 asks about is read."""

    version: int
    security_level: asn1.TLV
    keymaster_version: int
    keymaster_security_level: asn1.TLV
    challenge: bytes
    unique_id: bytes
    software_enforced: list[asn1.TLV]
    hardware_enforced: list[asn1.TLV]


def require_packed_leaf(leaf: x509.Certificate) -> None:
    """§8.2.1: version 3, the four names of the subject, and no CA."""
    country = _names(leaf, NameOID.COUNTRY_NAME)
    unit = _names(leaf, NameOID.ORGANIZATIONAL_UNIT_NAME)
    others = _names(leaf, NameOID.ORGANIZATION_NAME), _names(leaf, NameOID.COMMON_NAME)
    _require(leaf.version is x509.Version.v3)
    _require(len(country) == 1 and re.fullmatch("[A-Z]{2}", country[0]) is not None)
    _require(unit == ["Authenticator Attestation"])
    _require(all(len(values) == 1 and values[0].strip() for values in others))
    _require_end_entity(leaf)


def require_aik(leaf: x509.Certificate) -> None:
    """§8.3.1: version 3, no subject, the TPM's three names, the AIK's usage, and no CA.

    The trusted roots decide whether the manufacturer is one of TCG's list.
    """
    _require(leaf.version is x509.Version.v3 and not list(leaf.subject))
    names = _extension(leaf, x509.SubjectAlternativeName).get_values_for_type(x509.DirectoryName)
    found = {part.oid.dotted_string for name in names for part in name if part.value}
    _require(found >= TPM_NAMES)
    _require(AIK_USAGE in _extension(leaf, x509.ExtendedKeyUsage))
    _require_end_entity(leaf)


def require_aaguid(leaf: x509.Certificate, aaguid: bytes) -> None:
    """§8.2 and §8.3: id-fido-gen-ce-aaguid, where there is one, names the authenticator's model."""
    for extension in _extensions(leaf):
        if extension.oid == AAGUID:
            _require(not extension.critical)
            if _raw(leaf, AAGUID) != b"\x04\x10" + aaguid:
                raise BadCredential("attestation_aaguid")


def require_apple_nonce(leaf: x509.Certificate, nonce: bytes) -> None:
    """§8.8: the extension is SEQUENCE { [1] EXPLICIT OCTET STRING }, and holds the nonce."""
    if _raw(leaf, APPLE_NONCE) != b"\x30\x24\xa1\x22\x04\x20" + nonce:
        raise BadCredential("attestation_nonce")


def require_android_key(leaf: x509.Certificate, client_data_hash: bytes) -> None:
    """§8.4: this ceremony's challenge; a key for one RP, made in the device, only for signing.

    A list may leave origin and purpose out, as both do in L3's own test vector. A value that is
    there must be right. The trusted roots decide whose attestations count.
    """
    try:
        described = asn1.decode_der(KeyDescription, _raw(leaf, ANDROID_KEY))
    except ValueError:
        raise BadCredential("attestation_certificate") from None
    if described.challenge != client_data_hash:
        raise BadCredential("attestation_nonce")
    for entry in (*described.software_enforced, *described.hardware_enforced):
        tag, value = entry.tag_bytes, bytes(entry.data)
        _require(tag != ALL_APPLICATIONS)
        _require(tag != ORIGIN or value == GENERATED)
        _require(tag != PURPOSE or value == ONLY_SIGN)


def _require_end_entity(leaf: x509.Certificate) -> None:
    _require(_extension(leaf, x509.BasicConstraints).ca is False)


def _names(leaf: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(name.value) for name in leaf.subject.get_attributes_for_oid(oid)]


def _require(holds: bool) -> None:
    if not holds:
        raise BadCredential("attestation_certificate")


def _extensions(leaf: x509.Certificate) -> x509.Extensions:
    try:
        return leaf.extensions
    except Exception:
        # Not DER: for one, Chrome's old virtual authenticator spells a default out.
        raise BadCredential("attestation_certificate") from None


def _extension(leaf: x509.Certificate, kind: type[Known]) -> Known:
    try:
        return _extensions(leaf).get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        raise BadCredential("attestation_certificate") from None


def _raw(leaf: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes:
    try:
        value = _extensions(leaf).get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        raise BadCredential("attestation_certificate") from None
    _require(isinstance(value, x509.UnrecognizedExtension))
    return value.public_bytes()
