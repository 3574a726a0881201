"""The judge of registrations and of tokens; see `oracle`."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assurance.fuzz import oracle_cbor
from assurance.fuzz.draft import REGISTRATIONS, Genuine
from assurance.fuzz.oracle import (
    AT,
    BE,
    BS,
    _document,
    _verdict,
    octets,
    require,
    require_client_data,
    require_email,
    require_extensions,
    require_flags,
    sign_count,
    verifies,
)
from core.config import DEVELOPMENT_SECRET
from devtools.cose import PublicKey
from devtools.encoding import from_b64url


@dataclass
class Attested:
    """What an accepted registration must have left behind."""

    credential_id: bytes = b""
    key: PublicKey | None = None
    sign_count: int = 0
    backup_eligible: bool = False
    backed_up: bool = False


def judge_registration(genuine: Genuine, body: bytes) -> tuple[str, Attested]:
    """Why the service should not have answered 201 to `body`, and what it has registered."""
    attested = Attested()
    return _verdict(lambda: _registration(genuine, _document(body), attested)), attested


def _registration(genuine: Genuine, body: Mapping[str, Any], attested: Attested) -> None:
    require(genuine.kind in REGISTRATIONS, "another ceremony")
    require(set(body) == {"email", "credential"}, "unknown members")
    require_email(genuine, body["email"])
    require(genuine.live, "the challenge was spent")
    credential = body["credential"]
    response = credential["response"]
    require(credential["type"] == "public-key", "type")
    require(credential["id"] == credential["rawId"], "id and rawId differ")
    client_data = octets(response["clientDataJSON"])
    require_client_data(genuine, client_data, "webauthn.create")
    statement = oracle_cbor.whole(octets(response["attestationObject"]))
    require(set(statement) == {"fmt", "attStmt", "authData"}, "attestation object: members")
    data = statement["authData"]
    require(isinstance(data, bytes), "authenticator data: no bytes")
    flags = require_flags(genuine, data)
    require(flags & AT and len(data) > 55, "no attested data")
    start = 55 + int.from_bytes(data[53:55])
    attested.credential_id = data[55:start]
    require(16 <= len(attested.credential_id) <= 1023, "credential id: length")
    require(octets(credential["rawId"]) == attested.credential_id, "another credential id")
    key, end = oracle_cbor.item(data, start)
    require_extensions(data, end, flags)
    attested.key = public_key(key)
    attested.sign_count = sign_count(data)
    attested.backup_eligible, attested.backed_up = bool(flags & BE), bool(flags & BS)
    message = data + hashlib.sha256(client_data).digest()
    if genuine.response and statement["fmt"] != "none":
        # Signed by authenticators we do not have: it must be what they signed, to the byte.
        _require_unchanged(genuine, statement, client_data)
    else:
        _require_statement(statement, attested.key, key[3], message)


def _require_unchanged(genuine: Genuine, statement: Mapping[str, Any], client_data: bytes) -> None:
    recorded = oracle_cbor.whole(octets(str(genuine.response["attestationObject"]).rstrip("=")))
    signed = octets(str(genuine.response["clientDataJSON"]).rstrip("="))
    # Which certificates stand behind the leaf is nobody's signature: the chain's verifier judges.
    for each in (statement["attStmt"], recorded["attStmt"]):
        each["x5c"] = each.get("x5c", [])[:1]
    require(statement == recorded and client_data == signed, "attestation: not what was signed")


def _require_statement(
    statement: Mapping[str, Any], key: PublicKey, alg: int, message: bytes
) -> None:
    if statement["fmt"] == "none":
        require(statement["attStmt"] == {}, "format none with a statement")
        return
    stated = statement["attStmt"]
    require(statement["fmt"] == "packed" and set(stated) == {"alg", "sig"}, "attestation format")
    require(type(stated["alg"]) is int and stated["alg"] == alg, "attestation: algorithm")
    require(verifies(key, stated["sig"], message), "attestation: forged")


def public_key(key: Mapping[int, Any]) -> PublicKey:
    """The COSE key of an offered algorithm (RFC 9053 §7, RFC 8230 §4)."""
    integers = all(type(key.get(label)) is int for label in (1, 3))
    require(isinstance(key, dict) and integers, "key: no COSE key")
    kind = (key[1], key[3])
    if kind == (2, -7):
        require(set(key) == {1, 3, -1, -2, -3} and type(key[-1]) is int, "key: members")
        require(key[-1] == 1 and len(key[-2]) == len(key[-3]) == 32, "key: curve")
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(key[-2]), int.from_bytes(key[-3]), ec.SECP256R1()
        )
        return numbers.public_key()
    if kind == (1, -8):
        require(set(key) == {1, 3, -1, -2} and type(key[-1]) is int, "key: members")
        require(key[-1] == 6, "key: curve")
        return Ed25519PublicKey.from_public_bytes(key[-2])
    require(kind == (3, -257) and set(key) == {1, 3, -1, -2}, "key: algorithm or members")
    modulus, exponent = int.from_bytes(key[-1]), int.from_bytes(key[-2])
    require(2048 <= modulus.bit_length() <= 4096 and exponent >= 65537, "key: weak RSA")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def judge_token(genuine: Genuine, header: bytes | None) -> str:
    """Why the service should not have taken this Authorization header; "" if it should."""
    return _verdict(lambda: _token(genuine, (header or b"").decode("ascii")))


def _token(genuine: Genuine, header: str) -> None:
    scheme, _, token = header.partition(" ")
    require(scheme.lower() == "bearer", "scheme")
    message, _, mac = token.strip(" ").rpartition(".")
    expected = hmac.digest(DEVELOPMENT_SECRET.encode(), message.encode(), "sha256")
    require(from_b64url(mac) == expected, "forged")
    head, claims = (_document(from_b64url(part)) for part in message.split("."))
    require(head == {"alg": "HS256", "typ": "at+jwt"}, "header")
    names = ("sub", "email", "first_name", "last_name", "role", "iss", "aud", "jti")
    require(all(isinstance(claims[name], str) and claims[name] for name in names), "claims")
    times = [claims[name] for name in ("auth_time", "iat", "exp")]
    require(all(type(moment) is int for moment in times), "times")
    require(times == sorted(times) and time.time() < times[2] <= times[1] + 3600, "times")
    require(times[1] <= time.time() + 5 and "nbf" not in claims and "amr" in claims, "times")
    issued = json.loads(from_b64url(genuine.token.split(".")[1]))
    same = all(claims[name] == issued[name] for name in ("iss", "aud", "sub"))
    require(same, "issuer, audience or subject")
