"""Bearer tokens: forged without the key, and signed with it but never issued."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from assurance.fuzz.draft import Draft, Kind, registry
from assurance.fuzz.noise import MARKER, NASTY_VALUES, corrupt, pick
from core.config import DEVELOPMENT_SECRET
from devtools.encoding import b64url, from_b64url
from devtools.flaws import OMIT

MUTATORS, mutator = registry()

PROFILE = (Kind.PROFILE,)
HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
HEADERS: Sequence[dict[str, Any]] = (
    {"alg": "none"},
    {"alg": "None"},
    {"alg": "HS384"},
    {"alg": "HS512"},
    {"alg": "RS256"},
    {"alg": "ES256"},
    {"alg": ["HS256"]},
    {"alg": None},
    {"alg": OMIT},
    {"typ": "JWT"},
    {"typ": OMIT},
    {"typ": "AT+JWT"},
    {"kid": "../../dev/null"},
    {"kid": MARKER},
    {"jwk": {"kty": "oct", "k": ""}},
    {"jku": "http://evil.example"},
    {"crit": ["b64"], "b64": False},
    {"zip": "DEF"},
    {"cty": "JWT"},
)
TIMES: Sequence[Any] = (0, -1, 1, 2**31, 2**63, 10**300, 1.5, "1", True, None, [], {}, OMIT)
CLAIMS = ("sub", "email", "first_name", "last_name", "role", "iss", "aud", "jti", "amr")
SCHEMES = ("bearer {}", "BEARER {}", "Bearer  {}", "Bearer\t{}", "Bearer{}", "Token {}", "{}")


def signed(header: Any, claims: Any, secret: str = DEVELOPMENT_SECRET) -> str:
    """A JWS over whatever is given, with the hash that the header names."""
    alg = header.get("alg") if isinstance(header, dict) else None
    parts = [part if isinstance(part, bytes) else _json(part) for part in (header, claims)]
    message = ".".join(map(b64url, parts))
    digest = HASHES.get(alg if isinstance(alg, str) else "", "sha256")
    return f"{message}.{b64url(hmac.digest(secret.encode(), message.encode(), digest))}"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    return json.loads(from_b64url(header)), json.loads(from_b64url(claims))


def _edited(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = {**members, **changes}
    return {name: value for name, value in merged.items() if value is not OMIT}


def _authorization(draft: Draft, *values: bytes) -> None:
    others = tuple(header for header in draft.request.headers if header[0] != b"authorization")
    draft.request = replace(
        draft.request, headers=(*others, *((b"authorization", value) for value in values))
    )


def _token(draft: Draft, token: str) -> None:
    _authorization(draft, f"Bearer {token}".encode())


@mutator("token: bytes corrupted", PROFILE)
def corrupted(rng: Random, draft: Draft) -> None:
    raw = corrupt(rng, draft.genuine.token.encode())
    _authorization(draft, b"Bearer " + raw.translate(None, b"\r\n\0"))


@mutator("token: header, signed with the key", PROFILE)
def headers(rng: Random, draft: Draft) -> None:
    header, claims = _parts(draft.genuine.token)
    token = signed(_edited(header, pick(rng, HEADERS)), claims)
    _token(draft, pick(rng, (token, token, token.rpartition(".")[0] + ".")))


@mutator("token: claim, signed with the key", PROFILE)
def claims(rng: Random, draft: Draft) -> None:
    header, body = _parts(draft.genuine.token)
    changes: dict[str, Any] = pick(
        rng,
        (
            {pick(rng, CLAIMS): pick(rng, (OMIT, "", MARKER, *NASTY_VALUES))},
            {pick(rng, ("iat", "exp", "auth_time", "nbf")): pick(rng, TIMES)},
            {"iat": body["iat"] - 4000, "exp": body["exp"] - 4000},
            {"exp": body["exp"] + 10},
            {"sub": "00000000-0000-0000-0000-000000000000"},
            {"role": "admin"},
            {MARKER: MARKER},
        ),
    )
    _token(draft, signed(header, _edited(body, changes)))


@mutator("token: no JSON, signed with the key", PROFILE)
def documents(rng: Random, draft: Draft) -> None:
    header, body = _parts(draft.genuine.token)
    raw = _json(body)
    bodies = (b"", b"null", b"[]", b"{", raw + b"}", b"\xff" + raw, raw[:-1] + b',"exp":NaN}')
    deep = b'{"a":' * 900 + b"0" + b"}" * 900
    twice = raw[:-1] + b',"sub":"' + MARKER.encode() + b'"}'
    _token(draft, signed(header, pick(rng, (*bodies, deep, twice, b"9" * 5000))))


@mutator("token: another key, another scheme", PROFILE)
def schemes(rng: Random, draft: Draft) -> None:
    token = draft.genuine.token
    header, body = _parts(token)
    if pick(rng, (True, False)):
        _token(draft, signed(header, body, secret=pick(rng, ("", "secret", "a" * 64))))
    else:
        _authorization(draft, pick(rng, SCHEMES).format(token).encode())


@mutator("token: none, two, too long or not text", PROFILE)
def no_tokens(rng: Random, draft: Draft) -> None:
    good = f"Bearer {draft.genuine.token}".encode()
    values: tuple[tuple[bytes, ...], ...] = (
        (),
        (b"",),
        (b"Bearer",),
        (b"Bearer ",),
        (b"Bearer \xff\xfe",),
        (b"Bearer " + b"." * 2000,),
        (b"Bearer " + b"A" * 9000 + b".e30.AA",),
        (good, b"Bearer x"),
        (b"Bearer x", good),
        (good + b", " + good,),
        (b"Basic " + good[7:],),
    )
    _authorization(draft, *pick(rng, values))
