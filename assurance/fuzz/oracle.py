"""Decides from the specifications, without the service's code, whether a body may be accepted.

Each judge returns why a relying party must refuse, or "" if the request is as good as the genuine
one: the same ceremony, decoded and verified again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from assurance.fuzz import oracle_cbor
from assurance.fuzz.fixture import TOKEN_SECRET
from assurance.fuzz.oracle_cbor import Malformed
from assurance.fuzz.request_builder import LOGINS, REGISTRATIONS, Expectation
from devtools.cose import PublicKey
from devtools.encoding import from_b64url

FORMAT = re.compile(r"[!#-\[\]-~]{1,32}")
BASE64URL, BASE64 = (re.compile(rf"[A-Za-z0-9{two}]+=?=?") for two in ("_-", "+/"))
TO_BASE64URL = str.maketrans("+/", "-_")
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
CLAIMS = ("sub", "email", "first_name", "last_name", "role", "iss", "aud", "jti")


class Unacceptable(Exception):
    """A relying party must refuse this request; the text says why."""


@dataclass
class Attested:
    """What an accepted registration must have stored."""

    credential_id: bytes = b""
    key: PublicKey | None = None
    sign_count: int = 0
    backup_eligible: bool = False
    backed_up: bool = False


def judge_login(expected: Expectation, body: bytes) -> str:
    """Why the service must not answer 200 to `body`; "" if it may."""
    return _reason(lambda: _login(expected, _document(body)))


def judge_registration(expected: Expectation, body: bytes) -> tuple[str, Attested]:
    """Why the service must not answer 201 to `body`, and what it has registered."""
    attested = Attested()
    return _reason(lambda: _registration(expected, _document(body), attested)), attested


def judge_token(expected: Expectation, header: bytes | None) -> str:
    """Why the service must not accept this Authorization header; "" if it may."""
    return _reason(lambda: _token(expected, (header or b"").decode("ascii")))


def _reason(judge: Callable[[], None]) -> str:
    try:
        judge()
    except Unacceptable as reason:
        return str(reason)
    except (Malformed, KeyError, TypeError, ValueError) as error:
        return f"malformed: {error!r}"
    return ""


def _require(condition: object, reason: str) -> None:
    if not condition:
        raise Unacceptable(reason)


def _document(body: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _require(len(dict(pairs)) == len(pairs), "a member twice")
        return dict(pairs)

    def no_constant(name: str) -> None:
        raise Unacceptable(f"{name} is no number")

    value = json.loads(body.decode("utf-8"), object_pairs_hook=unique, parse_constant=no_constant)
    _require(isinstance(value, dict), "no object")
    return dict(value)


def _octets(value: object) -> bytes:
    """The bytes of base64url or base64, padded or not: genuine clients send each of them."""
    text = str(value) if isinstance(value, str) else ""
    _require(BASE64URL.fullmatch(text) or BASE64.fullmatch(text), "neither base64url nor base64")
    return from_b64url(text.rstrip("=").translate(TO_BASE64URL))


def _ceremony(expected: Expectation, body: Mapping[str, Any], member: str, kind: str) -> bytes:
    """The client data, once everything that both ceremonies share is right (WebAuthn L3 §7.1
    steps 7 to 12, §7.2 steps 11 to 16)."""
    credential = body[member]
    _require_email(expected, body.get("email"))
    _require(expected.live, "the challenge was spent")
    _require(credential["type"] == "public-key", "type")
    _require(_octets(credential["id"]) == _octets(credential["rawId"]), "id and rawId differ")
    raw = _octets(credential["response"]["clientDataJSON"])
    data = _document(raw)
    _require(data["type"] == kind, "client data: type")
    _require(data["challenge"] == expected.challenge, "client data: challenge")
    _require(data["origin"] in expected.origins, "client data: origin")
    _require(data.get("crossOrigin", False) is False, "client data: crossOrigin")
    _require(data.get("topOrigin") is None, "client data: topOrigin")
    return raw


def _require_email(expected: Expectation, given: object) -> None:
    """The email of the ceremony, or another case of it; all genuine emails are ASCII.

    UTS 46 reads the ideographic full stop in a domain as a dot.
    """
    if expected.email is not None:
        _require(isinstance(given, str), "no email")
        spelled = str(given).replace("\u3002", ".")
        _require(spelled.isascii() and spelled.lower() == expected.email.lower(), "another email")


def _login(expected: Expectation, body: Mapping[str, Any]) -> None:
    _require(expected.kind in LOGINS, "another ceremony")
    _require(set(body) <= {"email", "assertion"}, "unknown members")
    client_data = _ceremony(expected, body, "assertion", "webauthn.get")
    response = body["assertion"]["response"]
    _require(_octets(body["assertion"]["rawId"]) == expected.credential_id, "another credential")
    handle = response.get("userHandle") or None
    _require(handle is not None or expected.email is not None, "no user handle")
    if handle is not None and expected.user_handle is not None:
        _require(_octets(handle) == expected.user_handle, "another user handle")
    data = _octets(response["authenticatorData"])
    flags = _flags(expected, data)
    _require(bool(flags & BE) == expected.backup_eligible, "backup eligibility changed")
    _require_extensions(data, _end_of_attested_data(data, flags), flags)
    count = _sign_count(data)
    _require(count > expected.sign_count or count == expected.sign_count == 0, "sign count")
    message = data + hashlib.sha256(client_data).digest()
    signature = _octets(response["signature"])
    _require(expected.key and _verifies(expected.key, signature, message), "forged")


def _end_of_attested_data(data: bytes, flags: int) -> int:
    """Where the extensions start. §6.1 bars attested data from assertions, but some authenticators
    send it (a public vector has it): then it must be well-formed."""
    if not flags & AT:
        return 37
    key, end = oracle_cbor.item(data, 55 + int.from_bytes(data[53:55]))
    _require(isinstance(key, dict), "attested data: no key")
    return end


def _flags(expected: Expectation, data: bytes) -> int:
    """The flags, after §7.1 steps 15 to 18 and §7.2 steps 17 to 20."""
    _require(len(data) >= 37, "authenticator data: too short")
    _require(data[:32] == hashlib.sha256(expected.rp_id.encode()).digest(), "RP ID hash")
    flags = data[32]
    _require(flags & UP and flags & UV, "user not present or not verified")
    _require(flags & BE or not flags & BS, "backed up, not eligible")
    return flags


def _sign_count(data: bytes) -> int:
    return int.from_bytes(data[33:37])


def _require_extensions(data: bytes, start: int, flags: int) -> None:
    """A map if the ED flag is set, and nothing after it (§6.1)."""
    if flags & ED:
        value, start = oracle_cbor.item(data, start)
        _require(isinstance(value, dict), "extensions: no map")
    _require(start == len(data), "authenticator data: trailing bytes")


def _registration(expected: Expectation, body: Mapping[str, Any], attested: Attested) -> None:
    _require(expected.kind in REGISTRATIONS, "another ceremony")
    _require(set(body) == {"email", "credential"}, "unknown members")
    client_data = _ceremony(expected, body, "credential", "webauthn.create")
    credential = body["credential"]
    statement = _attestation(expected, _octets(credential["response"]["attestationObject"]))
    _require(set(statement) == {"fmt", "attStmt", "authData"}, "attestation object: members")
    data = statement["authData"]
    _require(isinstance(data, bytes), "authenticator data: no bytes")
    flags = _flags(expected, data)
    _require(flags & AT and len(data) > 55, "no attested data")
    start = 55 + int.from_bytes(data[53:55])
    attested.credential_id = data[55:start]
    _require(16 <= len(attested.credential_id) <= 1023, "credential id: length")
    _require(_octets(credential["rawId"]) == attested.credential_id, "another credential id")
    key, end = oracle_cbor.item(data, start)
    _require_extensions(data, end, flags)
    attested.key = public_key(key)
    attested.sign_count = _sign_count(data)
    attested.backup_eligible, attested.backed_up = bool(flags & BE), bool(flags & BS)
    if expected.attestation == "direct":
        _require_as_recorded(expected, statement, client_data)
    else:
        _require_dropped(statement["fmt"], statement["attStmt"])


def _attestation(expected: Expectation, encoded: bytes) -> dict[Any, Any]:
    """The attestation object. A statement that was not asked for stays as its bytes."""
    if expected.attestation == "direct":
        return dict(oracle_cbor.only_item(encoded))
    _require(encoded[:1] == b"\xa3", "attestation object: members")
    members, at = {}, 1
    for _ in range(3):
        name, at = oracle_cbor.item(encoded, at)
        end = oracle_cbor.skip(encoded, at)
        value = encoded[at:end] if name == "attStmt" else oracle_cbor.only_item(encoded[at:end])
        _require(name not in members, "attestation object: a member twice")
        members[name], at = value, end
    _require(at == len(encoded), "attestation object: trailing bytes")
    return members


def _require_as_recorded(
    expected: Expectation, statement: Mapping[str, Any], client_data: bytes
) -> None:
    """A recorded statement cannot be signed again: what it signs must be unchanged."""
    recorded = oracle_cbor.only_item(
        _octets(str(expected.response["attestationObject"]).rstrip("="))
    )
    signed = _octets(str(expected.response["clientDataJSON"]).rstrip("="))
    # The statement signs nothing of the certificates behind the leaf.
    for each in (statement["attStmt"], recorded["attStmt"]):
        each["x5c"] = each.get("x5c", [])[:1]
    _require(statement == recorded and client_data == signed, "attestation: not what was signed")


def _require_dropped(fmt: object, statement: bytes) -> None:
    """Any statement that was not asked for, of a possible format (§8.1): unread, but for `none`."""
    _require(isinstance(fmt, str) and FORMAT.fullmatch(fmt), "attestation format")
    _require(statement[0] >> 5 in (4, 5), "attestation: no statement")
    _require(fmt != "none" or statement == b"\xa0", "format none with a statement")


def public_key(key: Mapping[int, Any]) -> PublicKey:
    """A COSE key of an offered algorithm (RFC 9053 §7, RFC 8230 §4), as a key to verify with."""
    integers = all(type(key.get(label)) is int for label in (1, 3))
    _require(isinstance(key, dict) and integers, "key: no COSE key")
    kind = (key[1], key[3])
    key = {label: value for label, value in key.items() if not _is_optional(label, value)}
    if kind == (2, -7):
        _require(set(key) == {1, 3, -1, -2, -3} and type(key[-1]) is int, "key: members")
        _require(key[-1] == 1 and len(key[-2]) == len(key[-3]) == 32, "key: curve")
        x, y = int.from_bytes(key[-2]), int.from_bytes(key[-3])
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    if kind == (1, -8):
        _require(set(key) == {1, 3, -1, -2} and type(key[-1]) is int, "key: members")
        _require(key[-1] == 6, "key: curve")
        return Ed25519PublicKey.from_public_bytes(key[-2])
    _require(kind == (3, -257) and set(key) == {1, 3, -1, -2}, "key: algorithm or members")
    modulus, exponent = int.from_bytes(key[-1]), int.from_bytes(key[-2])
    _require(2048 <= modulus.bit_length() <= 4096 and exponent >= 65537, "key: weak RSA")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _is_optional(label: object, value: object) -> bool:
    """A key id, or operations with "verify" among them (RFC 9052 §7.1)."""
    if label == 4 and isinstance(value, list):
        return any(type(each) is not bool and each in (2, "verify") for each in value)
    return label == 2 and isinstance(value, bytes)


def _verifies(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the signature is valid, under the one algorithm for keys of this type."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), SHA256())
        else:
            key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _token(expected: Expectation, header: str) -> None:
    scheme, _, token = header.partition(" ")
    _require(scheme.lower() == "bearer", "scheme")
    message, _, mac = token.strip(" ").rpartition(".")
    right = hmac.digest(TOKEN_SECRET.encode(), message.encode(), "sha256")
    _require(from_b64url(mac) == right, "forged")
    head, claims = (_document(from_b64url(part)) for part in message.split("."))
    _require(head == {"alg": "HS256", "typ": "at+jwt"}, "header")
    _require(all(isinstance(claims[name], str) and claims[name] for name in CLAIMS), "claims")
    times = [claims[name] for name in ("auth_time", "iat", "exp")]
    _require(all(type(moment) is int for moment in times), "times")
    _require(times == sorted(times) and time.time() < times[2] <= times[1] + 3600, "times")
    _require(times[1] <= time.time() + 5 and "nbf" not in claims and "amr" in claims, "times")
    issued = json.loads(from_b64url(expected.token.split(".")[1]))
    same = all(claims[name] == issued[name] for name in ("iss", "aud", "sub"))
    _require(same, "issuer, audience or subject")
