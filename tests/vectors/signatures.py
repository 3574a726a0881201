"""Project Wycheproof's signatures, under keys that a passkey could have.

What is signed at a login cannot be chosen, so the vectors meet the library's function for
signatures directly, the one that logins and attestations are verified with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import cbor2

from core.relying_party import cose_key as cose
from core.relying_party.errors import BadCredential
from tests.vectors.source import FOLDER

FILES = {
    "Wycheproof ECDSA P-256": "ecdsa_secp256r1_sha256_test.json",
    "Wycheproof Ed25519": "ed25519_test.json",
    "Wycheproof RSA 2048": "rsa_signature_2048_sha256_test.json",
}


@dataclass(frozen=True)
class Signature:
    """One vector: `result` is valid, invalid or acceptable."""

    source: str
    key: bytes
    given: dict[str, Any]

    @property
    def result(self) -> str:
        return str(self.given["result"])

    def __str__(self) -> str:
        return f"{self.source} {self.given['tcId']} {self.given['comment']}"


@cache
def signatures() -> tuple[Signature, ...]:
    return tuple(each for source in FILES for each in _read(source))


def verifies(signature: Signature) -> bool:
    """Whether it verifies. Raises cose.BadKey if no passkey can have the key."""
    key = cose.canonical(signature.key)
    signed, data = (bytes.fromhex(signature.given[name]) for name in ("sig", "msg"))
    try:
        cose.verify_signature(key, signed, data)
    except BadCredential as error:
        if error.reason != "signature":
            raise
        return False
    return True


def _read(source: str) -> Iterator[Signature]:
    groups = json.loads((FOLDER / "wycheproof" / FILES[source]).read_text())["testGroups"]
    for group in groups:
        key = cbor2.dumps(_cose_key(group["publicKey"]))
        yield from (Signature(source, key, given) for given in group["tests"])


def _cose_key(key: dict[str, str]) -> dict[int, Any]:
    """The key as an authenticator would encode it (RFC 9053 §7, RFC 8230 §4)."""
    if "wx" in key:
        x, y = (int(key[name], 16).to_bytes(32) for name in ("wx", "wy"))
        return {cose.KTY: 2, cose.ALG: cose.ES256, cose.CRV: 1, cose.X: x, cose.Y: y}
    if "pk" in key:
        return {cose.KTY: 1, cose.ALG: cose.EDDSA, cose.CRV: 6, cose.X: bytes.fromhex(key["pk"])}
    modulus, exponent = (bytes.fromhex(key[name]) for name in ("modulus", "publicExponent"))
    return {cose.KTY: 3, cose.ALG: cose.RS256, cose.N: modulus.lstrip(b"\0"), cose.E: exponent}
