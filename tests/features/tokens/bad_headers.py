"""Headers that would choose another algorithm, key or rule, or make another kind of token."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.features.tokens.forge import KEY, Genuine, b64, token

# How to make a bad token of a good one, and the reason that the audit row must have.
Forge = Callable[[Genuine], str]
Forgery = tuple[Forge, str]

OTHER_KEY = b"another-secret-of-more-than-thirty-two-bytes"
PEM = b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n"


def resigned(header: dict[str, Any], key: bytes = KEY, digest: str = "sha256") -> Forge:
    """The genuine claims under exactly this header."""
    return lambda good: token(header, good.claims, key, digest)


def unsigned(alg: str) -> Forge:
    """No signature at all, and a header that says so."""

    def forge(good: Genuine) -> str:
        header = {"alg": alg, "typ": "at+jwt"}
        return f"{b64(json.dumps(header).encode())}.{good.parts[1]}."

    return forge


def header(**changes: Any) -> Forge:
    return lambda good: good.with_header(**changes)


ALGORITHMS: dict[str, Forgery] = {
    "alg none": (unsigned("none"), "InvalidAlgorithm"),
    "alg None": (unsigned("None"), "InvalidAlgorithm"),
    "alg NONE": (unsigned("NONE"), "InvalidAlgorithm"),
    "alg nOnE": (unsigned("nOnE"), "InvalidAlgorithm"),
    "alg empty": (unsigned(""), "InvalidAlgorithm"),
    "alg none, with the signature": (header(alg="none"), "InvalidAlgorithm"),
    "alg null": (header(alg=None), "InvalidAlgorithm"),
    "alg a list": (header(alg=["HS256"]), "InvalidAlgorithm"),
    "alg missing": (resigned({"typ": "at+jwt"}), "InvalidAlgorithm"),
    "alg in lower case": (header(alg="hs256"), "InvalidAlgorithm"),
    "HS384": (
        resigned({"alg": "HS384", "typ": "at+jwt"}, digest="sha384"),
        "InvalidAlgorithm",
    ),
    "HS512": (
        resigned({"alg": "HS512", "typ": "at+jwt"}, digest="sha512"),
        "InvalidAlgorithm",
    ),
    "RS256 signed with the secret": (header(alg="RS256"), "InvalidAlgorithm"),
    "ES256 signed with the secret": (header(alg="ES256"), "InvalidAlgorithm"),
    "EdDSA signed with the secret": (header(alg="EdDSA"), "InvalidAlgorithm"),
    "HS256 signed with a public key": (
        resigned({"alg": "HS256", "typ": "at+jwt"}, PEM),
        "InvalidSignature",
    ),
    "HS256 signed with nothing": (
        resigned({"alg": "HS256", "typ": "at+jwt"}, b""),
        "InvalidSignature",
    ),
}
HEADERS: dict[str, Forgery] = {
    "jwk": (header(jwk={"kty": "oct", "k": b64(OTHER_KEY)}), "header"),
    "jku": (header(jku="https://evil.example/keys"), "header"),
    "kid": (header(kid="1"), "header"),
    "kid of a file": (header(kid="../../../dev/null"), "header"),
    "kid of an SQL string": (header(kid="' UNION SELECT 'x"), "header"),
    "kid a number": (header(kid=1), "InvalidToken"),
    "x5c": (header(x5c=["MIIB"]), "header"),
    "x5u": (header(x5u="https://evil.example/cert"), "header"),
    "x5t": (header(x5t="abc"), "header"),
    "crit of what nobody knows": (header(crit=["exp"]), "InvalidToken"),
    "crit empty": (header(crit=[]), "InvalidToken"),
    "crit no list": (header(crit="b64"), "InvalidToken"),
    "b64 false": (header(b64=False), "Decode"),
    "b64 false and crit": (header(b64=False, crit=["b64"]), "Decode"),
    "b64 true": (header(b64=True), "header"),
    "zip": (header(zip="DEF"), "header"),
    "cty": (header(cty="JWT"), "header"),
    "typ JWT": (header(typ="JWT"), "header"),
    "typ id_token": (header(typ="id_token"), "header"),
    "typ of a logout token": (header(typ="logout+jwt"), "header"),
    "typ in upper case": (header(typ="AT+JWT"), "header"),
    "typ with application": (header(typ="application/at+jwt"), "header"),
    "typ null": (header(typ=None), "header"),
    "typ a list": (header(typ=["at+jwt"]), "header"),
    "typ absent": (resigned({"alg": "HS256"}), "header"),
    "header a list": (lambda good: token(["HS256"], good.claims), "Decode"),
    "header no JSON": (lambda good: token(b"alg=HS256", good.claims), "Decode"),
    "header in UTF-16": (
        lambda good: token(json.dumps(good.header).encode("utf-16"), good.claims),
        "malformed",
    ),
    "header with alg twice": (
        lambda good: token(b'{"alg":"none",' + json.dumps(good.header).encode()[1:], good.claims),
        "malformed",
    ),
}
