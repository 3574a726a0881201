"""The vectors as their sources have them, and the trust anchors that vendors publish."""

from __future__ import annotations

import json
import warnings
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

FOLDER = Path(__file__).resolve().parent
SOURCES = ("w3c-webauthn-l3", "py_webauthn", "SimpleWebAuthn", "go-webauthn")
COLLECTED = datetime(2026, 11, 23, 12, tzinfo=UTC)
# Statements that a certificate may come with: to be judged under ATTESTATION=direct.
CERTIFIED = ("packed", "tpm", "android-key", "apple", "fido-u2f", "android-safetynet")


def octets(text: str) -> bytes:
    """base64url, padded or not: the sources do either."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Vector:
    """One recorded ceremony."""

    source: str
    given: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.given["name"])

    @property
    def is_registration(self) -> bool:
        return bool(self.given["kind"] == "registration")

    @property
    def should_pass(self) -> bool:
        return bool(self.given["expect"] == "accept")

    @property
    def origins(self) -> tuple[str, ...]:
        origin = self.given["origin"]
        return (origin,) if isinstance(origin, str) else tuple(origin)

    @property
    def credential(self) -> dict[str, Any]:
        response: dict[str, Any] = self.given["response"]
        return response

    @property
    def moment(self) -> datetime:
        """When the source checked the certificates; if it did not, when they were collected."""
        said = self.given.get("verify_at")
        if said is None:
            return COLLECTED
        return datetime.strptime(said[:24], "%a %b %d %Y %H:%M:%S").replace(tzinfo=UTC)

    @property
    def statement(self) -> tuple[Any, dict[str, Any]]:
        """Format and attestation statement, if they can be read."""
        try:
            decoded = cbor2.loads(octets(self.credential["response"]["attestationObject"]))
            return decoded["fmt"], dict(decoded["attStmt"])
        except Exception:
            return None, {}

    @property
    def chain(self) -> list[x509.Certificate]:
        """The certificates that came along, leaf first."""
        encoded = self.statement[1].get("x5c", ())
        with warnings.catch_warnings(action="ignore"):
            return [x509.load_der_x509_certificate(each) for each in encoded]

    @property
    def attestation(self) -> str:
        """The policy that permits this kind of statement."""
        fmt, statement = self.statement
        certified = "x5c" in statement or fmt in CERTIFIED[1:]
        return "direct" if certified else "none"

    @property
    def roots(self) -> list[x509.Certificate]:
        """Whom this vector's relying party trusts: what the source says; else what the vendors
        publish, or, where no vendor's root signed it, the last certificate that came along."""
        if said := self.given.get("root_certs_pem_by_fmt"):
            pem = [text for texts in said.values() for text in texts]
            return [x509.load_pem_x509_certificate(text.encode()) for text in pem]
        if said := self.given.get("attestation_root_der_b64url"):
            return [x509.load_der_x509_certificate(octets(said))]
        known = published_roots()
        issuers = {root.subject for root in known}
        last = self.chain[-1:]
        return known + [end for end in last if end.issuer not in issuers and _is_sound(end)]


@cache
def published_roots() -> list[x509.Certificate]:
    """Apple's, Google's, Microsoft's and Yubico's roots."""
    rows = json.loads((FOLDER / "roots.json").read_text(encoding="utf-8"))["roots"]
    return [x509.load_der_x509_certificate(octets(row["der_b64url"])) for row in rows]


def pem_bundle(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


@cache
def vectors() -> tuple[Vector, ...]:
    """All of them, source by source."""
    return tuple(Vector(source, given) for source in SOURCES for given in _read(source))


def _is_sound(root: x509.Certificate) -> bool:
    # FIDO's fake TPM roots of 2018 have negative serial numbers: RFC 5280 §4.1.2.2.
    with warnings.catch_warnings(action="ignore"):
        return root.serial_number > 0


def vector(name: str) -> Vector:
    """The one whose name begins so."""
    (found,) = (each for each in vectors() if each.name.startswith(name))
    return found


def _read(source: str) -> list[dict[str, Any]]:
    file = FOLDER / f"{source}.json"
    given: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["vectors"]
    return given
