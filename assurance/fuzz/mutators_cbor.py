"""Mutators of CBOR: the attestation object, its statement, and the credential public key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

import cbor2

from assurance.fuzz import cbor_writer
from assurance.fuzz.byte_mutations import MARKER, corrupt, pick
from assurance.fuzz.cbor_writer import (
    BREAK,
    MAP,
    OCTETS,
    TAG,
    Pairs,
    half,
    head,
    hostile,
    mapping,
    octets,
    pairs_of,
    text,
)
from assurance.fuzz.mutators_json import places
from assurance.fuzz.request_builder import Expectation, Kind, Mutator, body_edit, flawed
from devtools.authenticator import packed_self, packed_x5c, statement
from devtools.encoding import b64url
from devtools.flaws import Flaw
from devtools.hostile_keys import EVERY, off_curve
from tests.vectors.source import octets as decoded

REGISTER = (Kind.REGISTER,)
FORMATS = ("packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple")
STATEMENTS: Sequence[Any] = (
    {}, {"alg": -7}, {"alg": -7, "sig": b""}, {"alg": -7, "sig": b"\0" * 70, "x5c": [b"junk"]},
    {"ver": "2.0", "alg": -257, "sig": b"s", "certInfo": b"c", "pubArea": b"p"},
    {"ver": "1", "response": b"a.b.c"}, {MARKER: MARKER}, {"": None}, [], None, "", 7,
)  # fmt: skip
# In a recorded statement, in the place of any member.
STATEMENT_VALUES: Sequence[Any] = (
    None, True, 0, -7, -257, -65535, 2**64 - 1, -(2**64), "", "2.0", MARKER, b"", b"\x30\x00",
    b"\xff" * 300, [], [b""], [[]], {}, {"x5c": []},
)  # fmt: skip
# The largest keys exceed the body limit, which the HTTP mutators test.
HOSTILE_KEYS = tuple(key for name, key in EVERY.items() if "1 MB" not in name)
CoseKey = dict[int, Any]


def _one_pair(
    rng: Random, pairs: Pairs, edits: Callable[[bytes, bytes, bytes], Sequence[Pairs]]
) -> bytes:
    """A map with one of `edits(key, value, hostile item)` in the place of one of its pairs."""
    place = pick(rng, range(len(pairs)))
    edited = edits(*pairs[place], hostile(rng))
    pairs[place : place + 1] = pick(rng, edited)
    return mapping(pairs)


def _attestation(name: str, change: Callable[[Random, Pairs], bytes]) -> Mutator:
    """A mutator that encodes the attestation object from its three encoded members."""
    return flawed(
        name,
        REGISTER,
        lambda rng, _: Flaw(attestation_object=lambda raw: change(rng, pairs_of(cbor2.loads(raw)))),
    )


def _member(rng: Random, pairs: Pairs) -> bytes:
    return _one_pair(
        rng,
        pairs,
        lambda key, value, other: (
            [(key, other)],
            [],
            [(other, value)],
            [(text(MARKER), value)],
            [(key, value), (key, other)],
            [(key, value), (key, value)],
            [(key, value), (text(MARKER), other)],
            [(key, value), (b"\1", other)],
        ),
    )


def _other_encoding(rng: Random, pairs: Pairs) -> bytes:
    data: bytes = cbor2.loads(pairs[2][1])
    body = mapping(pairs)[1:]
    wide = pairs[2][0] + head(OCTETS, len(data), 8) + data
    chunks = b"\x5f" + octets(data[:50]) + octets(data[50:]) + BREAK
    tagged = [(key, head(TAG, pick(rng, cbor_writer.TAGS)) + value) for key, value in pairs]
    others = (
        b"\xbf" + body + BREAK,
        head(MAP, 3, pick(rng, (1, 2, 4, 8))) + body,
        b"\xa3" + body[: -len(b"".join(pairs[2]))] + wide,
        mapping([*pairs[:2], (pairs[2][0], chunks)]),
        mapping(list(reversed(pairs))),
        mapping(tagged),
        head(TAG, pick(rng, cbor_writer.TAGS)) + mapping(pairs),
        mapping([(octets(cbor2.loads(key).encode()), value) for key, value in pairs]),
        b"\x81" + mapping(pairs),
        octets(mapping(pairs)),
    )
    return pick(rng, others)


def _false_length(rng: Random, pairs: Pairs) -> bytes:
    name, data = pairs[2][0], cbor2.loads(pairs[2][1])
    false = len(data) + pick(rng, (-40, -1, 1, 6, 2**16, 2**31, 2**32))
    member = (name, head(OCTETS, false) + data)
    honest = mapping(pairs)
    others = (
        mapping(pairs, count=pick(rng, (0, 2, 4, 23, 255, 2**31, 2**63))),
        mapping([*pairs[:2], member]),
        mapping([member, *pairs[:2]]),
        honest + pick(rng, (b"\0", b"\xf6", honest, rng.randbytes(40))),
        honest[:-1],
    )
    return pick(rng, others)


def _statement(rng: Random, _: Expectation) -> Flaw:
    others = ("compound", "", "NONE", "none\0", MARKER, 0, None)
    fmt: Any = pick(rng, ("none", "none", "packed", *FORMATS, *others))
    att_stmt: Any = pick(rng, STATEMENTS)
    junk = packed_x5c(b"", b"\x30\x82\x01\x00" + rng.randbytes(200), MARKER)
    return Flaw(attestation=pick(rng, (junk, statement(fmt, att_stmt))))


def _packed_self(rng: Random, _: Expectation) -> Flaw:
    algorithm = pick(rng, (None, None, -8, -257, -65535, 7, "ES256", True, -7.0))
    signature = pick(rng, (None, None, b"", rng.randbytes(64), MARKER, 5))
    return Flaw(attestation=packed_self(alg=algorithm, signature=signature))


def _packed_hostile(rng: Random, _: Expectation) -> Flaw:
    def edit(raw: bytes) -> bytes:
        honest: dict[str, Any] = cbor2.loads(raw)
        alg, signature = (cbor2.dumps(honest["attStmt"][name]) for name in ("alg", "sig"))
        item, trailing = hostile(rng), b""
        if pick(rng, (True, False)):
            # cbor2 encodes this number six bytes longer: the trailing bytes hide in the difference.
            item, trailing = half(float(honest["attStmt"]["alg"])), b"\0" * 6
        alg, signature = pick(rng, ((item, signature), (item, signature), (alg, item)))
        stated = mapping([(text("alg"), alg), (text("sig"), signature)])
        pairs = [(text("fmt"), text("packed")), (text("attStmt"), stated)]
        return mapping([*pairs, (text("authData"), octets(honest["authData"]))]) + trailing

    return Flaw(attestation=packed_self(), attestation_object=edit)


def _known_key(rng: Random) -> Callable[[CoseKey], object]:
    chosen = pick(rng, HOSTILE_KEYS)

    def change(honest: CoseKey) -> object:
        try:
            return chosen(honest) if callable(chosen) else chosen
        except KeyError:
            # This change is for ES256 keys, and the key is of another type.
            return off_curve()

    return change


def _key_parameter(rng: Random, _: Expectation) -> Flaw:
    def change(honest: CoseKey) -> bytes:
        return _one_pair(
            rng,
            pairs_of(honest),
            lambda label, value, other: (
                [(label, other)],
                [(label, other)],
                [(label, b"\xf5")],
                [],
                [(label, value), (label, other)],
                [(label, value), (other, b"\0")],
                [(other, value)],
            ),
        )

    return Flaw(cose_key=change, attestation=pick(rng, (None, packed_self())))


def _key_encoding(rng: Random, _: Expectation) -> Flaw:
    def change(honest: CoseKey) -> bytes:
        pairs, first = pairs_of(honest), next(iter(honest))
        floats = [
            (cbor2.dumps(label), half(value) if isinstance(value, int) else cbor2.dumps(value))
            for label, value in honest.items()
        ]
        zeros = {
            label: b"\0" + value if isinstance(value, bytes) else value
            for label, value in honest.items()
        }
        tail = b"\0" * (8 * sum(isinstance(value, int) for value in honest.values()))
        others = (
            mapping(pairs[::-1]),
            b"\xbf" + mapping(pairs)[1:] + BREAK,
            mapping([(head(int(first < 0), 1, 2), pairs[0][1]), *pairs[1:]]),
            mapping(floats),
            mapping(floats) + tail,
            mapping(floats) + tail[: 2 * len(tail) // 3],
            mapping(floats[:1] + pairs[1:]) + b"\0" * 8,
            mapping(pairs[:1] + floats[1:2] + pairs[2:]) + b"\0" * 6,
            cbor2.dumps(zeros),
            mapping(pairs, count=pick(rng, (3, 4, 5, 6))),
        )
        return pick(rng, others)

    return Flaw(cose_key=change)


def _corrupted_key(rng: Random, _: Expectation) -> Flaw:
    return Flaw(
        cose_key=lambda honest: corrupt(rng, cbor2.dumps(honest)),
        attestation=pick(rng, (None, packed_self())),
    )


def _recorded(rng: Random, body: Any) -> Any:
    edited = deepcopy(body)
    response = edited["credential"]["response"]
    try:
        attestation = cbor2.loads(decoded(response["attestationObject"]))
        again = cbor2.dumps(_recorded_member(rng, attestation))
    except (cbor2.CBORError, TypeError, IndexError):
        # Some vectors were recorded because they are malformed.
        again = rng.randbytes(100)
    response["attestationObject"] = b64url(again)
    return edited


def _recorded_member(rng: Random, attestation: Any) -> Any:
    edited = deepcopy(attestation)
    container, key = pick(rng, list(places(edited)))
    old = container[key]
    change = pick(rng, ("corrupt", "corrupt", "replace", "remove", "twice"))
    if change == "corrupt" and isinstance(old, bytes):
        container[key] = corrupt(rng, old)
    elif change == "remove":
        del container[key]
    elif change == "twice" and isinstance(container, list):
        container.append(old)
    else:
        container[key] = pick(rng, ("none", *FORMATS) if key == "fmt" else STATEMENT_VALUES)
    return edited


MUTATORS: Sequence[Mutator] = (
    _attestation("attestation: a member hostile, removed or added", _member),
    _attestation("attestation: same map, other encoding", _other_encoding),
    _attestation("attestation: lengths that lie, trailing bytes", _false_length),
    flawed("attestation: statement", REGISTER, _statement),
    flawed("attestation: packed self", REGISTER, _packed_self),
    flawed("attestation: packed self around hostile CBOR", REGISTER, _packed_hostile),
    flawed(
        "attestation: bytes corrupted",
        REGISTER,
        lambda rng, _: Flaw(attestation_object=lambda raw: corrupt(rng, raw)),
    ),
    flawed(
        "attestation: another item altogether",
        REGISTER,
        lambda rng, _: Flaw(attestation_object=hostile(rng)),
    ),
    flawed("key: known to be bad", REGISTER, lambda rng, _: Flaw(cose_key=_known_key(rng))),
    flawed(
        "key: known to be bad, attested by itself",
        REGISTER,
        lambda rng, _: Flaw(cose_key=_known_key(rng), attestation=packed_self()),
    ),
    flawed("key: a parameter hostile, removed, added or twice", REGISTER, _key_parameter),
    flawed("key: same key, other encoding", REGISTER, _key_encoding),
    flawed("key: bytes corrupted", REGISTER, _corrupted_key),
)
# Statements have many members, and only recorded registrations have them: try more of these.
RECORDED_MUTATORS: Sequence[Mutator] = (
    body_edit("recorded attestation: one member", (Kind.VECTOR_REGISTER,), _recorded),
) * 4
