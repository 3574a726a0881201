"""Attestation statements, correct and incorrect (WebAuthn L3 §6.5 and §8)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devtools import cose


@dataclass(frozen=True)
class ToAttest:
    """The inputs of an attestation statement, and the key that signs it."""

    authenticator_data: bytes
    client_data_hash: bytes
    private_key: cose.PrivateKey
    alg: int

    @property
    def message(self) -> bytes:
        """The bytes that a packed attestation signs (§8.2)."""
        return self.authenticator_data + self.client_data_hash


AttestationMaker = Callable[[ToAttest], tuple[Any, Any]]
"""Takes the inputs and returns `(fmt, attStmt)`."""


def none(_: ToAttest) -> tuple[Any, Any]:
    """The default: format `none` with an empty statement (§8.7)."""
    return "none", {}


def statement(fmt: object, att_stmt: object) -> AttestationMaker:
    """Any format with any statement, unchanged, of any type."""
    return lambda _: (fmt, att_stmt)


def packed_self(*, alg: object = None, signature: object = None) -> AttestationMaker:
    """Packed self attestation (§8.2), correct unless `alg` or `signature` replaces a value."""

    def make(subject: ToAttest) -> tuple[Any, Any]:
        honest = cose.sign(subject.private_key, subject.message)
        sig = honest if signature is None else signature
        return "packed", {"alg": subject.alg if alg is None else alg, "sig": sig}

    return make


def packed_x5c(*certificates: object) -> AttestationMaker:
    """Packed attestation with `certificates` as its chain; they are usually not certificates."""

    def make(subject: ToAttest) -> tuple[Any, Any]:
        signature = cose.sign(subject.private_key, subject.message)
        return "packed", {"alg": subject.alg, "sig": signature, "x5c": list(certificates)}

    return make


def with_raw_statement(att_stmt: bytes) -> Callable[[bytes], bytes]:
    """For `Flaw(attestation_object=...)`: the correct object with `att_stmt` (raw CBOR) in it."""
    return lambda honest: honest.replace(b"gattStmt\xa0", b"gattStmt" + att_stmt, 1)
