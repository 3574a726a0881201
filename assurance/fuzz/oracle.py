"""The judge: may this body have been accepted? Written from the specification, not the service.

`judge_login` and `judge_registration` return why not, or "" if the mutant says what the genuine
one would have said: the same ceremony, decoded and verified again without the service's code.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from assurance.fuzz import oracle_cbor
from assurance.fuzz.draft import LOGINS, Genuine
from assurance.fuzz.oracle_cbor import Malformed
from devtools.cose import PublicKey
from devtools.encoding import from_b64url

BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80


class Unacceptable(Exception):
    """A relying party must refuse this, and the text says why."""


def judge_login(genuine: Genuine, body: bytes) -> str:
    """Why the service should not have answered 200 to `body`; "" if it should."""
    return _verdict(lambda: _login(genuine, _document(body)))


def _verdict(judge: Callable[[], Any]) -> str:
    try:
        judge()
    except Unacceptable as reason:
        return str(reason)
    except (Malformed, KeyError, TypeError, ValueError) as error:
        return f"malformed: {error!r}"
    return ""


def require(condition: object, reason: str) -> None:
    if not condition:
        raise Unacceptable(reason)


def _document(body: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len(dict(pairs)) == len(pairs), "a member twice")
        return dict(pairs)

    def no_constant(name: str) -> None:
        raise Unacceptable(f"{name} is no number")

    value = json.loads(body.decode("utf-8"), object_pairs_hook=unique, parse_constant=no_constant)
    require(isinstance(value, dict), "no object")
    return dict(value)


def octets(value: object) -> bytes:
    """Canonical base64url in, bytes out."""
    require(isinstance(value, str) and BASE64URL.fullmatch(value), "no base64url")
    return from_b64url(str(value))


def _login(genuine: Genuine, body: Mapping[str, Any]) -> None:
    require(genuine.kind in LOGINS, "another ceremony")
    require(set(body) <= {"email", "assertion"}, "unknown members")
    credential = body["assertion"]
    response = credential["response"]
    require_email(genuine, body.get("email"))
    require(genuine.live, "the challenge was spent")
    require(credential["type"] == "public-key", "type")
    require(credential["id"] == credential["rawId"], "id and rawId differ")
    require(octets(credential["rawId"]) == genuine.credential_id, "another credential")
    handle = response.get("userHandle")
    require(handle is not None or genuine.email is not None, "no user handle")
    if handle is not None and genuine.user_handle is not None:
        require(octets(handle) == genuine.user_handle, "another user handle")
    client_data, data = octets(response["clientDataJSON"]), octets(response["authenticatorData"])
    require_client_data(genuine, client_data, "webauthn.get")
    flags = require_flags(genuine, data)
    require(bool(flags & BE) == genuine.backup_eligible, "backup eligibility changed")
    require_extensions(data, _after_attested_data(data, flags), flags)
    count = sign_count(data)
    require(count > genuine.sign_count or count == genuine.sign_count == 0, "sign count")
    require(genuine.key is not None, "no key")
    message = data + hashlib.sha256(client_data).digest()
    require(genuine.key and verifies(genuine.key, octets(response["signature"]), message), "forged")


def _after_attested_data(data: bytes, flags: int) -> int:
    """Where extensions start. §6.1 bars attested data from assertions, and yet some real ones have
    it (a public vector does): it must be sound."""
    if not flags & AT:
        return 37
    start = 55 + int.from_bytes(data[53:55])
    key, end = oracle_cbor.item(data, start)
    require(isinstance(key, dict), "attested data: no key")
    return end


def require_email(genuine: Genuine, given: object) -> None:
    """The email of the ceremony, or one that differs in case only; all genuine ones are ASCII.

    UTS 46 reads the ideographic full stop in a domain as a dot: people have it on their keys.
    """
    if genuine.email is None:
        return
    require(isinstance(given, str), "no email")
    spelled = str(given).replace("\u3002", ".")
    require(spelled.isascii() and spelled.lower() == genuine.email.lower(), "another email")


def require_client_data(genuine: Genuine, raw: bytes, kind: str) -> None:
    """WebAuthn L3 §7.1 steps 7 to 12, §7.2 steps 11 to 16."""
    data = _document(raw)
    require(data["type"] == kind, "client data: type")
    require(data["challenge"] == genuine.challenge, "client data: challenge")
    require(data["origin"] in genuine.origins, "client data: origin")
    require(data.get("crossOrigin", False) is False, "client data: crossOrigin")
    require(data.get("topOrigin") is None, "client data: topOrigin")


def require_flags(genuine: Genuine, data: bytes) -> int:
    """§7.1 steps 15 to 18, §7.2 steps 17 to 20; the flags."""
    require(len(data) >= 37, "authenticator data: too short")
    require(data[:32] == hashlib.sha256(genuine.rp_id.encode()).digest(), "RP ID hash")
    flags = data[32]
    require(flags & UP and flags & UV, "user not present or not verified")
    require(flags & BE or not flags & BS, "backed up, not eligible")
    require(not flags & ~(UP | UV | BE | BS | AT | ED), "reserved flags")
    return flags


def sign_count(data: bytes) -> int:
    return int.from_bytes(data[33:37])


def require_extensions(data: bytes, start: int, flags: int) -> None:
    """A map if the flag says so, and nothing else up to the end (§6.1)."""
    if flags & ED:
        value, start = oracle_cbor.item(data, start)
        require(isinstance(value, dict), "extensions: no map")
    require(start == len(data), "authenticator data: trailing bytes")


def verifies(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the signature holds, under the one algorithm of a key of its kind."""
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
