"""A maker of authenticators: a root, an attestation key, and certificates of any shape."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from core.relying_party.attestation.certificates import AAGUID
from devtools.attestation import AttestationMaker, ToAttest
from devtools.cose import ES256, sign

SOUND = (
    (NameOID.COUNTRY_NAME, "SE"),
    (NameOID.ORGANIZATION_NAME, "Vendor AB"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
    (NameOID.COMMON_NAME, "Vendor Attestation 1"),
)
Names = Sequence[tuple[x509.ObjectIdentifier, str]]
Extension = tuple[x509.ExtensionType, bool]


def without(oid: x509.ObjectIdentifier) -> Names:
    """The sound subject, but for one part."""
    return [part for part in SOUND if part[0] != oid]


def renamed(oid: x509.ObjectIdentifier, value: str) -> Names:
    """The sound subject with another value for one part."""
    return [(part, value if part == oid else old) for part, old in SOUND]


def basic(*, ca: bool) -> Extension:
    return x509.BasicConstraints(ca=ca, path_length=None), True


def aaguid(value: bytes, *, critical: bool = False) -> Extension:
    """id-fido-gen-ce-aaguid (WebAuthn L3 §8.2.1)."""
    return x509.UnrecognizedExtension(AAGUID, b"\x04\x10" + value), critical


class Vendor:
    """Valid for ten years around `now`; what it certifies, for a year."""

    def __init__(self, name: str = "Vendor Root", now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.issuer = [(NameOID.COMMON_NAME, name)]
        self.root = self.certificate(self.key, self.issuer, [basic(ca=True)], days=3650)
        # The certificates that stand between the root and what is issued.
        self.between: list[x509.Certificate] = []

    def certificate(
        self,
        key: ec.EllipticCurvePrivateKey,
        subject: Names = SOUND,
        extensions: Sequence[Extension] = (basic(ca=False),),
        days: int = 365,
    ) -> x509.Certificate:
        span = timedelta(days=days)
        builder = x509.CertificateBuilder(
            issuer_name=_name(self.issuer),
            subject_name=_name(subject),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=self.now - span,
            not_valid_after=self.now + span,
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, SHA256())

    def intermediate(self, *, ca: bool = True) -> Vendor:
        """A vendor below this one; no CA, if it is to be none."""
        below = Vendor(f"Vendor CA {len(self.between) + 1}", self.now)
        link = self.certificate(below.key, below.issuer, [basic(ca=ca)])
        below.between = [link, *self.between]
        return below

    def attest(self, *, days: int = 365, **shape: Any) -> AttestationMaker:
        """Packed attestation (§8.2) by a leaf of the given `subject` and `extensions`."""
        key = ec.generate_private_key(ec.SECP256R1())
        chain = [self.certificate(key, days=days, **shape), *self.between]
        x5c = [link.public_bytes(Encoding.DER) for link in chain]

        def make(subject: ToAttest) -> tuple[Any, Any]:
            return "packed", {"alg": ES256, "sig": sign(key, subject.message), "x5c": x5c}

        return make


def _name(parts: Names) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
