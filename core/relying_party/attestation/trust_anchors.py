"""Trust anchors of `ATTESTATION=direct`: the certificates in the folder ATTESTATION_ROOTS.

OpenSSL verifies the chain, at the time of the service's clock. It accepts certificates that vendors
ship and stricter verifiers refuse, such as Feitian's with GeneralizedTime before 2050.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from OpenSSL import crypto

from core.relying_party.errors import BadCredential

MAX_CHAIN = 10
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED in OpenSSL's x509_vfy.h.
OUT_OF_TIME = (9, 10)
# The hash algorithms of signatures below the trust anchor. EdDSA has none of its own.
STRONG_HASHES = ("sha256", "sha384", "sha512")


def read_roots(folder: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates in the folder's `*.pem` files. Raises ValueError, naming the file."""
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise ValueError(
            f"ATTESTATION_ROOTS: {folder} cannot be read: {type(error).__name__}"
        ) from None
    roots = [root for file in files if file.suffix == ".pem" for root in _read(file)]
    if not roots:
        raise ValueError(f"ATTESTATION_ROOTS: {folder} has no certificate in a file named *.pem")
    return tuple(roots)


def _read(file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        raise ValueError(
            f"ATTESTATION_ROOTS: {file} cannot be read: {type(error).__name__}"
        ) from None
    except ValueError:
        raise ValueError(f"ATTESTATION_ROOTS: {file} is no PEM file of certificates") from None


def read_chain(x5c: Sequence[bytes]) -> list[x509.Certificate]:
    """Return the certificates of a statement, leaf first. Raises BadCredential."""
    if not 0 < len(x5c) <= MAX_CHAIN:
        raise BadCredential("attestation_certificate")
    try:
        return [x509.load_der_x509_certificate(encoded) for encoded in x5c]
    except Exception:
        raise BadCredential("attestation_certificate") from None


class TrustedRoots:
    """The trust anchors. A vendor may publish a root, another CA, or a single certificate."""

    def __init__(self, roots: Sequence[x509.Certificate]) -> None:
        self._roots = [crypto.X509.from_cryptography(root) for root in roots]

    def require_chain(self, chain: Sequence[x509.Certificate], at: datetime) -> None:
        """Check that the chain ends in a trust anchor and is valid at that moment (RFC 5280 §6).

        Raises BadCredential. Revocation is not checked: the service fetches no CRL or OCSP.
        """
        try:
            leaf, *others = (crypto.X509.from_cryptography(found) for found in chain)
            path = crypto.X509StoreContext(self._store(at), leaf, others).get_verified_chain()
            hashes = [link.to_cryptography().signature_hash_algorithm for link in path[:-1]]
        except crypto.X509StoreContextError as error:
            raise BadCredential(_word_for(error)) from None
        except Exception:
            # OpenSSL's parser is stricter than the one that has read the certificates.
            raise BadCredential("attestation_certificate") from None
        if any(found and found.name not in STRONG_HASHES for found in hashes):
            raise BadCredential("attestation_untrusted")

    def _store(self, at: datetime) -> crypto.X509Store:
        store = crypto.X509Store()
        for root in self._roots:
            store.add_cert(root)
        # A trust anchor need not be a root (FIDO Metadata Statement, attestationRootCertificates).
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        store.set_time(at.astimezone(UTC))
        return store


def _word_for(error: crypto.X509StoreContextError) -> str:
    return "attestation_expired" if error.errors[0] in OUT_OF_TIME else "attestation_untrusted"
