"""Issues and verifies access tokens: JWTs (RFC 7519) signed with HMAC.

Their `typ` is ``at+jwt`` (RFC 9068 §2.1), so that no other kind of token passes for one. Only this
package calls PyJWT. The algorithm is pinned and every claim is required. Times are compared here,
against a clock that can be injected.
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
from core.encoding import base64url_decode
from core.ids import random_id
from core.settings import Settings
from core.tokens import fast_path
from core.tokens.fast_path import FastPath
from core.tokens.keys import HmacKeys, signer

TYPE = "at+jwt"
MAX_LENGTH = 8192
# The clocks of two machines differ: a token may be issued so far in the future.
LEEWAY_SECONDS = 5
TEXT_CLAIMS = ("sub", "email", "first_name", "last_name", "role", "iss", "aud", "jti")
TIME_CLAIMS = ("iat", "exp", "auth_time")
REQUIRED = (*TEXT_CLAIMS, *TIME_CLAIMS, "amr")
_to_json = json.JSONEncoder(separators=(",", ":")).encode


class BadToken(Exception):
    """The token authorizes nothing. `reason` is for the audit trail, and not for the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Subject:
    """The account that a token is for, as the database has it when the token is issued."""

    id: str
    email: str
    first_name: str
    last_name: str
    role: str


class Tokens:
    """Issues and verifies the access tokens of one service."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._keys = HmacKeys.of(settings)
        self._lifetime = settings.jwt_expiration_minutes * 60
        self._issuer, self._audience = settings.issuer, settings.audience
        self._clock = clock
        self._signer = signer(self._keys.algorithm, self._keys.signing)
        header = self._sign({}).partition(".")[0]
        is_fast = self._keys.algorithm == fast_path.ALGORITHM
        self._fast_path = FastPath(header, self._keys.signing) if is_fast else None

    def issue(self, subject: Subject) -> str:
        """A signed token for `subject`, who has just logged in with a verified passkey."""
        now = int(self._clock.now().timestamp())
        return self._sign(
            {
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
        )

    def verify(self, token: str) -> str:
        """The id of the user whom `token` authorizes. Raises BadToken, with the reason."""
        if len(token) > MAX_LENGTH:
            raise BadToken("too_long")
        claims = self._read_fast(token) or self._read(token)
        subject: str = claims["sub"]
        return subject

    def _sign(self, claims: dict[str, Any]) -> str:
        payload = _to_json(claims).encode()
        key, algorithm = self._keys.signing, self._keys.algorithm
        return self._signer.encode(payload, key, algorithm, {"typ": TYPE})

    def _read_fast(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that the fast path reads and whose claims are good; None if not."""
        claims = self._fast_path and self._fast_path.read(token)
        if not claims:
            return None
        try:
            self._check_claims(claims)
        except (BadToken, KeyError):
            return None
        is_for_this_service = claims["iss"] == self._issuer and claims["aud"] == self._audience
        return claims if is_for_this_service else None

    def _read(self, token: str) -> dict[str, Any]:
        """The claims of a token that PyJWT accepts and that has one spelling. Raises BadToken."""
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
        *others, last = self._keys.verifying
        for key in others:
            with suppress(jwt.InvalidSignatureError):
                return self._decode_with(key, token)
        return self._decode_with(last, token)

    def _decode_with(self, key: bytes, token: str) -> dict[str, Any]:
        return jwt.decode_complete(
            token,
            key,
            algorithms=[self._keys.algorithm],
            audience=self._audience,
            issuer=self._issuer,
            # `_check_claims` compares the times, with the injected clock and stricter types.
            options={
                "require": list(REQUIRED),
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )

    def _check_header(self, header: Mapping[str, Any]) -> None:
        # No kid, jwk, crit or b64: a header must not name a key or change a rule (RFC 8725 §3.10).
        if header != {"alg": self._keys.algorithm, "typ": TYPE}:
            raise BadToken("header")

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        if not all(isinstance(claims[name], str) and claims[name] for name in TEXT_CLAIMS):
            raise BadToken("claim_type")
        methods = claims["amr"]
        if not methods or type(methods) is not list or not all(type(m) is str for m in methods):
            raise BadToken("claim_type")
        # `type`, because bool is a subclass of int. NaN is a float. Only whole numbers are times.
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
    """Refuse a second text of the same token. Raises BadToken.

    PyJWT's readers accept padding, UTF-16 and a JSON member that stands there twice.
    """
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
