"""The attestation object encoded again: its map, its statement, and what CBOR allows besides."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import cbor2

from assurance.fuzz import raw_cbor
from assurance.fuzz.draft import Draft, Kind, registry
from assurance.fuzz.noise import MARKER, corrupt, pick
from assurance.fuzz.raw_cbor import (
    BREAK,
    MAP,
    OCTETS,
    TAG,
    half,
    head,
    hostile,
    mapping,
    octets,
    text,
)
from devtools.authenticator import packed_self, packed_x5c, statement
from devtools.flaws import Flaw

MUTATORS, mutator = registry()

REGISTER = (Kind.REGISTER,)
FORMATS = ("packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "compound")
Pairs = list[tuple[bytes, bytes]]


def _pairs(draft: Draft, change: Callable[[Pairs], bytes]) -> None:
    """Have the attestation object made by `change` from its encoded members."""
    draft.flaw = Flaw(
        attestation_object=lambda raw: change(raw_cbor.pairs_of(cbor2.loads(raw))),
    )


@mutator("attestation: a member hostile, removed or added", REGISTER)
def members(rng: Random, draft: Draft) -> None:
    def change(pairs: Pairs) -> bytes:
        place = pick(rng, range(len(pairs)))
        key, value = pairs[place]
        other = hostile(rng)
        edited = {
            "replaced": [(key, other)],
            "removed": [],
            "hostile key": [(other, value)],
            "renamed": [(text(MARKER), value)],
            "twice": [(key, value), (key, other)],
            "twice the same": [(key, value), (key, value)],
            "one more": [(key, value), (text(MARKER), other)],
            "an integer more": [(key, value), (b"\1", other)],
        }
        pairs[place : place + 1] = pick(rng, list(edited.values()))
        return mapping(pairs)

    _pairs(draft, change)


@mutator("attestation: same map, other encoding", REGISTER)
def encodings(rng: Random, draft: Draft) -> None:
    def change(pairs: Pairs) -> bytes:
        data: bytes = cbor2.loads(pairs[2][1])
        body = mapping(pairs)[1:]
        wide = pairs[2][0] + head(OCTETS, len(data), 8) + data
        chunks = b"\x5f" + octets(data[:50]) + octets(data[50:]) + BREAK
        tagged = [(key, head(TAG, pick(rng, raw_cbor.TAGS)) + value) for key, value in pairs]
        others = (
            b"\xbf" + body + BREAK,
            head(MAP, 3, pick(rng, (1, 2, 4, 8))) + body,
            mapping(pairs[:2])[:1].replace(b"\xa2", b"\xa3")
            + body[: -len(b"".join(pairs[2]))]
            + wide,
            mapping([*pairs[:2], (pairs[2][0], chunks)]),
            mapping(list(reversed(pairs))),
            mapping(tagged),
            head(TAG, pick(rng, raw_cbor.TAGS)) + mapping(pairs),
            mapping([(octets(cbor2.loads(key).encode()), value) for key, value in pairs]),
            b"\x81" + mapping(pairs),
            octets(mapping(pairs)),
        )
        return pick(rng, others)

    _pairs(draft, change)


@mutator("attestation: lengths that lie, trailing bytes", REGISTER)
def lengths(rng: Random, draft: Draft) -> None:
    def change(pairs: Pairs) -> bytes:
        name, data = pairs[2][0], cbor2.loads(pairs[2][1])
        lie = len(data) + pick(rng, (-40, -1, 1, 6, 2**16, 2**31, 2**32))
        lied = (name, head(OCTETS, lie) + data)
        honest = mapping(pairs)
        others = (
            mapping(pairs, count=pick(rng, (0, 2, 4, 23, 255, 2**31, 2**63))),
            mapping([*pairs[:2], lied]),
            mapping([lied, *pairs[:2]]),
            honest + pick(rng, (b"\0", b"\xf6", honest, rng.randbytes(40))),
            honest[:-1],
        )
        return pick(rng, others)

    _pairs(draft, change)


@mutator("attestation: statement", REGISTER)
def statements(rng: Random, draft: Draft) -> None:
    fmt: Any = pick(
        rng, ("none", "none", "packed", *FORMATS, "", "NONE", "none\0", MARKER, 0, None)
    )
    att_stmt: Any = pick(
        rng,
        (
            {},
            {"alg": -7},
            {"alg": -7, "sig": b""},
            {"alg": -7, "sig": b"\0" * 70, "x5c": [b"junk"]},
            {"ver": "2.0", "alg": -257, "sig": b"s", "certInfo": b"c", "pubArea": b"p"},
            {"ver": "1", "response": b"a.b.c"},
            {MARKER: MARKER},
            {"": None},
            [],
            None,
            "",
            7,
        ),
    )
    junk = packed_x5c(b"", b"\x30\x82\x01\x00" + rng.randbytes(200), MARKER)
    draft.flaw = Flaw(attestation=pick(rng, (junk, statement(fmt, att_stmt))))


@mutator("attestation: packed self", REGISTER)
def packed(rng: Random, draft: Draft) -> None:
    algorithm = pick(rng, (None, None, -8, -257, -65535, 7, "ES256", True, -7.0))
    signature = pick(rng, (None, None, b"", rng.randbytes(64), MARKER, 5))
    draft.flaw = Flaw(attestation=packed_self(alg=algorithm, signature=signature))


@mutator("attestation: packed self around hostile CBOR", REGISTER)
def packed_hostile(rng: Random, draft: Draft) -> None:
    def edit(raw: bytes) -> bytes:
        honest: dict[str, Any] = cbor2.loads(raw)
        alg, signature = (cbor2.dumps(honest["attStmt"][name]) for name in ("alg", "sig"))
        item, trailing = hostile(rng), b""
        if pick(rng, (True, False)):
            # Written again this number is six bytes longer: room for what nobody has read.
            item, trailing = half(float(honest["attStmt"]["alg"])), b"\0" * 6
        alg, signature = pick(rng, ((item, signature), (item, signature), (alg, item)))
        stated = mapping([(text("alg"), alg), (text("sig"), signature)])
        pairs = [(text("fmt"), text("packed")), (text("attStmt"), stated)]
        return mapping([*pairs, (text("authData"), octets(honest["authData"]))]) + trailing

    draft.flaw = Flaw(attestation=packed_self(), attestation_object=edit)


@mutator("attestation: bytes corrupted", REGISTER)
def corrupted(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(attestation_object=lambda raw: corrupt(rng, raw))


@mutator("attestation: another item altogether", REGISTER)
def others(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(attestation_object=hostile(rng))
