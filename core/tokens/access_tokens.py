"""Access tokens. The one place that calls PyJWT; algorithms are pinned, every claim is demanded.

A token is a JWT (RFC 7519) signed with HMAC, `typ` ``at+jwt`` (RFC 9068 §2.1), so that no other
kind of token can pass for one. Times are checked here, against a clock that can be handed in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import jwt

from core import strict_json
from core.clock import Clock
from core.config import Settings
from core.encoding import base64url_decode, base64url_encode
from core.ids import random_id

TYPE = "at+jwt"
MAX_LENGTH = 8192
# Two machines never quite agree: what is "issued in the future" by less is taken.
LEEWAY_SECONDS = 5
TEXT_CLAIMS = ("sub", "email", "first_name", "last_name", "role", "iss", "aud", "jti")
TIME_CLAIMS = ("iat", "exp", "auth_time")
REQUIRED = (*TEXT_CLAIMS, *TIME_CLAIMS, "amr")
_compact = json.JSONEncoder(separators=(",", ":")).encode


class BadToken(Exception):
    """A token that authorizes nothing. `reason` is for the audit trail only."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Subject:
    """Whom a token speaks of, as the database knew them when it was issued."""

    id: str
    email: str
    first_name: str
    last_name: str
    role: str


class Tokens:
    """Issues and verifies the access tokens of one service."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        # The first one signs; the one before it is tried where its signature does not hold.
        self._keys = [secret.encode() for secret in settings.token_secrets.values()]
        self._algorithm = settings.jwt_algorithm
        # RFC 7515 §3.1: the header is the same for all, and the key fit for the algorithm.
        header = _compact({"alg": self._algorithm, "typ": TYPE})
        self._header = base64url_encode(header.encode())
        self._mac = jwt.get_algorithm_by_name(self._algorithm)
        self._signing = self._mac.prepare_key(self._keys[0])
        self._lifetime = settings.jwt_expiration_minutes * 60
        self._issuer, self._audience = settings.issuer, settings.audience
        self._clock = clock

    def issue(self, subject: Subject) -> str:
        """A signed token for `subject`, who has just logged in with a verified passkey."""
        now = int(self._clock.now().timestamp())
        claims = {
            "sub": subject.id,
            "email": subject.email,
            "first_name": subject.first_name,
            "last_name": subject.last_name,
            "role": subject.role,
            "iss": self._issuer,
            "aud": self._audience,
            "iat": now,
            "exp": now + self._lifetime,
            "jti": random_id(),
            "auth_time": now,
            # RFC 8176 §2: proof of possession of a key, with the user verified by the device.
            "amr": ["pop", "user"],
        }
        body = _compact(claims).encode()
        message = f"{self._header}.{base64url_encode(body)}"
        return f"{message}.{base64url_encode(self._mac.sign(message.encode(), self._signing))}"

    def verify(self, token: str) -> str:
        """The user id that `token` authorizes. Raises BadToken, with the reason."""
        if len(token) > MAX_LENGTH:
            raise BadToken("too_long")
        claims = self._as_issued(token) or self._as_any(token)
        subject: str = claims["sub"]
        return subject

    def _as_issued(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that is spelled and signed as `issue` does it now; None else.

        A quarter of the time that `_as_any` takes, which judges every other and says what is wrong.
        """
        header, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        message = f"{header}.{payload}".encode(errors="replace")
        try:
            mac = base64url_decode(signature)
            if header != self._header or not self._mac.verify(message, self._signing, mac):
                return None
            claims: dict[str, Any] = strict_json.loads(base64url_decode(payload))
            self._check_claims(claims)
        except Exception:
            return None
        ours = claims["iss"] == self._issuer and claims["aud"] == self._audience
        return claims if ours else None

    def _as_any(self, token: str) -> dict[str, Any]:
        """The claims of a token that PyJWT takes, and that is spelled as the RFC asks."""
        try:
            decoded = self._decode(token)
        except Exception as error:
            # PyJWT lets ValueError, TypeError and OverflowError out for hostile claims.
            raise BadToken(_reason(error)) from None
        self._check_header(decoded["header"])
        self._check_claims(decoded["payload"])
        _check_spelling(token, decoded)
        claims: dict[str, Any] = decoded["payload"]
        return claims

    def _decode(self, token: str) -> dict[str, Any]:
        *others, last = self._keys
        for key in others:
            with suppress(jwt.InvalidSignatureError):
                return self._decode_with(key, token)
        return self._decode_with(last, token)

    def _decode_with(self, key: bytes, token: str) -> dict[str, Any]:
        return jwt.decode_complete(
            token,
            key,
            algorithms=[self._algorithm],
            audience=self._audience,
            issuer=self._issuer,
            # Times are compared by us, with our own clock and stricter types.
            options={
                "require": list(REQUIRED),
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )

    def _check_header(self, header: Mapping[str, Any]) -> None:
        # No kid, jwk, crit or b64: a header names no key and changes no rule (RFC 8725 §3.10).
        if header != {"alg": self._algorithm, "typ": TYPE}:
            raise BadToken("header")

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        if not all(isinstance(claims[name], str) and claims[name] for name in TEXT_CLAIMS):
            raise BadToken("claim_type")
        methods = claims["amr"]
        if not methods or type(methods) is not list or not all(type(m) is str for m in methods):
            raise BadToken("claim_type")
        # bool is an int to Python, and NaN a float: only whole numbers are times here.
        if not all(type(claims[name]) is int for name in TIME_CLAIMS):
            raise BadToken("claim_type")
        now = self._clock.now().timestamp()
        if now >= claims["exp"]:
            raise BadToken("expired")
        if claims["exp"] - claims["iat"] > self._lifetime:
            raise BadToken("lifetime")
        if claims["iat"] > now + LEEWAY_SECONDS or claims["auth_time"] > claims["iat"]:
            raise BadToken("issued_in_the_future")
        if "nbf" in claims:
            raise BadToken("unexpected_claim")


def _check_spelling(token: str, decoded: Mapping[str, Any]) -> None:
    """One text for one token: PyJWT's readers take padding, UTF-16 and a member twice."""
    try:
        header, payload, signature = map(base64url_decode, token.split("."))
        strict = strict_json.loads(header), strict_json.loads(payload)
    except ValueError:
        raise BadToken("malformed") from None
    if strict != (decoded["header"], decoded["payload"]) or signature != decoded["signature"]:
        raise BadToken("malformed")


def _reason(error: Exception) -> str:
    if isinstance(error, jwt.PyJWTError):
        return type(error).__name__.removesuffix("Error")
    return "malformed"
