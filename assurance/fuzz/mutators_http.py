"""Mutators of the request around the body: bearer tokens, methods, headers, transfer, paths."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from assurance.fuzz.asgi_client import RawRequest
from assurance.fuzz.byte_mutations import MARKER, NASTY_VALUES, corrupt, pick, replacing
from assurance.fuzz.fixture import TOKEN_SECRET
from assurance.fuzz.request_builder import (
    BODIES,
    EVERY,
    Draft,
    Kind,
    Mutator,
    request_edit,
)
from devtools.encoding import b64url, from_b64url
from devtools.flaws import OMIT

PROFILE = (Kind.PROFILE,)
CONTROL = "nothing at all"
HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
TOKEN_HEADERS: Sequence[dict[str, Any]] = (
    *({"alg": alg} for alg in ("none", "None", "HS384", "HS512", "RS256", "ES256", ["HS256"])),
    {"alg": None}, {"alg": OMIT}, {"typ": "JWT"}, {"typ": OMIT}, {"typ": "AT+JWT"},
    {"kid": "../../dev/null"}, {"kid": MARKER}, {"jwk": {"kty": "oct", "k": ""}},
    {"jku": "http://evil.example"}, {"crit": ["b64"], "b64": False}, {"zip": "DEF"},
    {"cty": "JWT"},
)  # fmt: skip
TIMES: Sequence[Any] = (0, -1, 1, 2**31, 2**63, 10**300, 1.5, "1", True, None, [], {}, OMIT)
CLAIMS = ("sub", "email", "first_name", "last_name", "role", "iss", "aud", "jti", "amr")
SCHEMES = ("bearer {}", "BEARER {}", "Bearer  {}", "Bearer\t{}", "Bearer{}", "Token {}", "{}")
METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "BREW", "post")
CONTENT_TYPES = (
    b"text/plain", b"application/json; charset=utf-16", b"application/json;charset=\xff",
    b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=a",
    b"multipart/form-data", b"application/problem+json", b"application/json, text/html",
    b"APPLICATION/JSON", b"application/jsonp", b"", b"/", b";" * 500,
)  # fmt: skip
LENGTHS = (b"0", b"-1", b"1e3", b"+5", b"0x10", b"9" * 30, b"32769", b"\xb2", b"5, 5", b"", b"abc")
ODD_BYTES = (b"", b"\x80\xff", b"\x1b[31m", b"a\tb", b"A" * 600, b"A" * 20_000, b"%0d%0a", b"{}")
ODD_HEADERS: Sequence[tuple[bytes, bytes]] = (
    (b"host", b"evil.example"), (b"host", b"\xff"),
    (b"x-forwarded-for", b"1.2.3.4, evil, 5.6.7.8"),
    (b"x-forwarded-for", b",".join([b"1.1.1.1"] * 500)), (b"x-forwarded-proto", b"https"),
    (b"forwarded", b"for=\x80"), (b"origin", b"http://evil.example"), (b"origin", b"null"),
    (b"transfer-encoding", b"chunked"), (b"content-encoding", b"gzip"),
    (b"expect", b"100-continue"), (b"x-http-method-override", b"DELETE"),
    (b"cookie", b"a=b; " * 200), (b"accept", b"\xff/\xff"), (b"accept-encoding", b"gzip;q=\xff"),
    (b"range", b"bytes=0-,5-1,-1"), (b"if-none-match", b"\x80"),
    (b"authorization", b"Basic \xff\xfe"), (b"authorization", b"Bearer " + MARKER.encode()),
    (b"x-request-id", b"second"), (b"connection", b"upgrade"), (b"upgrade", b"websocket"),
)  # fmt: skip
PATHS: Sequence[Callable[[str], str]] = (
    "{}/".format, "/{}".format, str.upper, replacing("/", "//"), "{}%00".format, "{}%0a".format,
    "{}%2f".format, "{};a=b".format, f"{{}}?{MARKER}={MARKER}".format, "{0}/..{0}".format,
    lambda path: path[:2] + f"%{ord(path[2]):02x}" + path[3:],
    lambda path: "/" + path[1:].replace("/", "%2f"),
    "/static/..%2f..{}".format, "/static/%00".format, f"/static/{'a' * 300}".format,
    "/static/%ff%fe".format, f"/{MARKER}".format, "/openapi.json{}".format,
    lambda path: path.rpartition("/")[0] or "/",
)  # fmt: skip
USER_IDS: Sequence[Callable[[str], str]] = (
    str.upper, replacing("-", ""), "%7B{}%7D".format, "urn:uuid:{}".format, "{}%00".format,
    "%00{}".format, "{}%0a".format, "{}%20".format, lambda it: f"%{ord(it[0]):02x}{it[1:]}",
    lambda it: f"{it[:-1]}{'0' if it[-1] != '0' else '1'}",
    *(each.format for each in (
        "00000000-0000-0000-0000-000000000000", "%00", "%ff%fe", "%ed%a0%80", "%f0%9f%92%a9", "..",
        "*", "'%20OR%201=1--", "null", "0", "-1", "me", MARKER, "9" * 5000, "%e2%80%a8",
    )),
    lambda it: f"{it[:8]}%E2%80%91{it[9:]}",
)  # fmt: skip


def signed(header: Any, claims: Any, secret: str = TOKEN_SECRET) -> str:
    """A JWS over any header and claims, with the hash that the header names."""
    alg = header.get("alg") if isinstance(header, dict) else None
    parts = [
        each if isinstance(each, bytes) else json.dumps(each).encode() for each in (header, claims)
    ]
    message = ".".join(map(b64url, parts))
    digest = HASHES.get(alg if isinstance(alg, str) else "", "sha256")
    return f"{message}.{b64url(hmac.digest(secret.encode(), message.encode(), digest))}"


def _edited(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = {**members, **changes}
    return {name: value for name, value in merged.items() if value is not OMIT}


def _without(request: RawRequest, name: bytes) -> RawRequest:
    headers = tuple(header for header in request.headers if header[0] != name)
    return replace(request, headers=headers)


def _with(request: RawRequest, name: bytes, *values: bytes) -> RawRequest:
    """The request with these values of a header instead of its own."""
    headers = (*_without(request, name).headers, *((name, value) for value in values))
    return replace(request, headers=headers)


def _token(name: str, make: Callable[[Random, str, Any, Any], str | Sequence[bytes]]) -> Mutator:
    """`make` receives the genuine token, its header and its claims; it returns another token, or
    the values of the Authorization headers."""

    def change(rng: Random, draft: Draft) -> None:
        token = draft.expected.token
        header, claims = (json.loads(from_b64url(part)) for part in token.split(".")[:2])
        made = make(rng, token, header, claims)
        values = [f"Bearer {made}".encode()] if isinstance(made, str) else made
        draft.edit_request = lambda request: _with(request, b"authorization", *values)

    return Mutator(name, PROFILE, change)


def _corrupted_token(rng: Random, token: str, _header: Any, _claims: Any) -> Sequence[bytes]:
    return [b"Bearer " + corrupt(rng, token.encode()).translate(None, b"\r\n\0")]


def _other_header(rng: Random, _token: str, header: Any, claims: Any) -> str:
    token = signed(_edited(header, pick(rng, TOKEN_HEADERS)), claims)
    return pick(rng, (token, token, token.rpartition(".")[0] + "."))


def _other_claims(rng: Random, _token: str, header: Any, claims: Any) -> str:
    changes: Sequence[dict[str, Any]] = (
        {pick(rng, CLAIMS): pick(rng, (OMIT, "", MARKER, *NASTY_VALUES))},
        {pick(rng, ("iat", "exp", "auth_time", "nbf")): pick(rng, TIMES)},
        {"iat": claims["iat"] - 4000, "exp": claims["exp"] - 4000},
        {"exp": claims["exp"] + 10},
        {"sub": "00000000-0000-0000-0000-000000000000"},
        {"role": "admin"},
        {MARKER: MARKER},
    )
    return signed(header, _edited(claims, pick(rng, changes)))


def _no_claims(rng: Random, _token: str, header: Any, claims: Any) -> str:
    raw = json.dumps(claims).encode()
    deep = b'{"a":' * 900 + b"0" + b"}" * 900
    twice = raw[:-1] + b',"sub":"' + MARKER.encode() + b'"}'
    broken = (b"", b"null", b"[]", b"{", raw + b"}", b"\xff" + raw, raw[:-1] + b',"exp":NaN}')
    return signed(header, pick(rng, (*broken, deep, twice, b"9" * 5000)))


def _other_key(rng: Random, token: str, header: Any, claims: Any) -> str | Sequence[bytes]:
    if pick(rng, (True, False)):
        return signed(header, claims, secret=pick(rng, ("", "secret", "a" * 64)))
    return [pick(rng, SCHEMES).format(token).encode()]


def _no_token(rng: Random, token: str, _header: Any, _claims: Any) -> Sequence[bytes]:
    good = f"Bearer {token}".encode()
    values: Sequence[Sequence[bytes]] = (
        (), (b"",), (b"Bearer",), (b"Bearer ",), (b"Bearer \xff\xfe",),
        (b"Bearer " + b"." * 2000,), (b"Bearer " + b"A" * 9000 + b".e30.AA",),
        (good, b"Bearer x"), (b"Bearer x", good), (good + b", " + good,), (b"Basic " + good[7:],),
    )  # fmt: skip
    return pick(rng, values)


def _other_or_none(
    name: bytes, values: Sequence[bytes]
) -> Callable[[Random, RawRequest], RawRequest]:
    def edit(rng: Random, it: RawRequest) -> RawRequest:
        replaced = pick(rng, (True, True, False))
        return _with(it, name, pick(rng, values)) if replaced else _without(it, name)

    return edit


def _one_header_more(rng: Random, it: RawRequest) -> RawRequest:
    extra, front = pick(rng, ODD_HEADERS), pick(rng, (True, False))
    return replace(it, headers=(extra, *it.headers) if front else (*it.headers, extra))


def _over_the_cap(_rng: Random, it: RawRequest) -> RawRequest:
    return replace(_without(it, b"content-length"), body=it.body + b" " * (1 << 20), pieces=64)


def _other_user(rng: Random, it: RawRequest) -> RawRequest:
    return replace(it, target=f"/users/{pick(rng, USER_IDS)(it.target.removeprefix('/users/'))}")


MUTATORS: Sequence[Mutator] = (
    _token("token: bytes corrupted", _corrupted_token),
    _token("token: header, signed with the key", _other_header),
    _token("token: claim, signed with the key", _other_claims),
    _token("token: no JSON, signed with the key", _no_claims),
    _token("token: another key, another scheme", _other_key),
    _token("token: none, two, too long or not text", _no_token),
    request_edit("http: method", EVERY, lambda rng, it: replace(it, method=pick(rng, METHODS))),
    request_edit("http: content type", BODIES, _other_or_none(b"content-type", CONTENT_TYPES)),
    request_edit("http: content length", BODIES, _other_or_none(b"content-length", LENGTHS)),
    request_edit(
        "http: body in pieces, or not to its end",
        BODIES,
        lambda rng, it: replace(
            it, pieces=pick(rng, (2, 7, 400)), hang_up=pick(rng, (True, False))
        ),
    ),
    request_edit("http: body without a length, over the cap", BODIES, _over_the_cap),
    request_edit(
        "http: request id",
        EVERY,
        lambda rng, it: _with(
            it, b"x-request-id", pick(rng, (*ODD_BYTES, b"a b", b"../x", b"id\x00"))
        ),
    ),
    request_edit(
        "http: user agent",
        EVERY,
        lambda rng, it: _with(
            it, b"user-agent", pick(rng, (*ODD_BYTES, b"\xe2\x80\xa8", rng.randbytes(300)))
        ),
    ),
    request_edit("http: one header more", EVERY, _one_header_more),
    # The control group: unless genuine requests are accepted, refusals prove nothing.
    request_edit(CONTROL, EVERY, lambda _rng, it: it),
    request_edit(
        "path: spelled otherwise",
        EVERY,
        lambda rng, it: replace(it, target=pick(rng, PATHS)(it.target)),
    ),
    request_edit("path: user id", PROFILE, _other_user),
)
