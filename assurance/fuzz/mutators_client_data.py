"""clientDataJSON edited and signed again, so that only its own checks can refuse it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from assurance.fuzz.draft import CEREMONIES, Draft, registry
from assurance.fuzz.noise import MARKER, NASTY_VALUES, corrupt, pick
from devtools.encoding import b64url
from devtools.flaws import OMIT, Flaw
from devtools.hostile_text import same_bytes_other_text

MUTATORS, mutator = registry()

ORIGINS = (
    "http://localhost:8000/",
    "http://localhost:8001",
    "https://localhost:8000",
    "http://LOCALHOST:8000",
    "http://evil.localhost:8000",
    "http://localhost.evil:8000",
    "http://localhost:8000\0",
    "http://localhost:8000@evil.example",
    " http://localhost:8000",
    "http://127.0.0.1:8000",
    "null",
    "",
    "android:apk-key-hash:AAAA",
)
TYPES = ("webauthn.get", "webauthn.create", "payment.get", "WEBAUTHN.GET", "webauthn.get\0", "")
MEMBERS = ("type", "challenge", "origin", "crossOrigin")
TOKEN_BINDINGS: Sequence[Any] = (
    {"status": "supported"},
    {"status": "present", "id": MARKER},
    {"status": MARKER},
    {"status": []},
    {},
    "unused",
    [],
    None,
)
RAW_EDITS: Sequence[Callable[[bytes], bytes]] = (
    lambda raw: b"\xef\xbb\xbf" + raw,
    lambda raw: raw.decode().encode("utf-16"),
    lambda raw: raw + b" ",
    lambda raw: b"\n" + raw,
    lambda raw: raw + b"\0",
    lambda raw: raw + raw,
    lambda raw: b"[" + raw + b"]",
    lambda raw: raw.replace(b":", b" : "),
    lambda raw: raw[:-1] + b',"origin":"http://evil.example"}',
    lambda raw: raw[:-1] + b',"origin":"http://localhost:8000"}',
    lambda raw: raw[:-1] + b',"crossOrigin":false}',
    lambda raw: raw[:-1] + b',"n":NaN}',
    lambda raw: raw[:-1] + b',"n":' + b"9" * 3000 + b"}",
    lambda raw: raw[:-1] + b',"n":"\\ud800"}',
    lambda raw: raw[:-1] + b',"n":' + b"[" * 1500 + b"]" * 1500 + b"}",
    lambda raw: raw[:-1] + b',"n":"' + b"A" * 3500 + b'"}',
    lambda raw: raw[:-1] + b',"n":"' + b"A" * 4500 + b'"}',
    lambda raw: raw.replace(b"webauthn", b"w\\u0065bauthn"),
    lambda raw: raw.replace(b"localhost", b"\\u006cocalhost"),
    lambda raw: raw.replace(b'"type"', b'"t\\u0079pe"'),
    lambda raw: json.dumps(dict(reversed(json.loads(raw).items()))).encode(),
    lambda raw: b"{}",
    lambda raw: b"null",
    lambda raw: b"0",
)


def _members(draft: Draft, **members: Any) -> None:
    draft.flaw = replace(draft.flaw, client_data_members=members)


@mutator("client data: type", CEREMONIES)
def types(rng: Random, draft: Draft) -> None:
    _members(draft, type=pick(rng, TYPES))


@mutator("client data: origin", CEREMONIES)
def origins(rng: Random, draft: Draft) -> None:
    _members(draft, origin=pick(rng, ORIGINS))


@mutator("client data: challenge", CEREMONIES)
def challenges(rng: Random, draft: Draft) -> None:
    text = draft.genuine.challenge
    spellings = list(same_bytes_other_text(text).values())
    others = ("", text.swapcase(), text[::-1], b64url(rng.randbytes(32)), b64url(text.encode()))
    _members(draft, challenge=pick(rng, (*spellings, *others)))


@mutator("client data: crossOrigin, topOrigin, tokenBinding, unknown", CEREMONIES)
def frames(rng: Random, draft: Draft) -> None:
    choices: Sequence[dict[str, Any]] = (
        {"crossOrigin": pick(rng, (True, "false", 0, None, [], OMIT, False))},
        {"topOrigin": pick(rng, ("http://localhost:8000", "", None, False, [], {}))},
        {"tokenBinding": pick(rng, TOKEN_BINDINGS)},
        {MARKER: pick(rng, NASTY_VALUES)},
    )
    _members(draft, **pick(rng, choices))


@mutator("client data: member removed or of another type", CEREMONIES)
def retyped(rng: Random, draft: Draft) -> None:
    _members(draft, **{pick(rng, MEMBERS): pick(rng, (OMIT, *NASTY_VALUES))})


@mutator("client data: same members, other text", CEREMONIES)
def respelled(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(client_data=pick(rng, RAW_EDITS))


@mutator("client data: bytes corrupted", CEREMONIES)
def corrupted(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(client_data=lambda raw: corrupt(rng, raw))
