"""Credential public keys, and signatures over what is otherwise genuine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from assurance.fuzz import raw_cbor
from assurance.fuzz.draft import CEREMONIES, LOGINS, Draft, Kind, registry
from assurance.fuzz.noise import corrupt, pick
from assurance.fuzz.raw_cbor import half, hostile, mapping
from devtools.authenticator import packed_self
from devtools.cose import ES256, generate_private_key
from devtools.flaws import Flaw
from devtools.hostile_keys import EVERY, off_curve

MUTATORS, mutator = registry()

REGISTER = (Kind.REGISTER,)
SIGNED_LOGINS = tuple(kind for kind in CEREMONIES if kind in LOGINS)
# The huge ones end at the size of the body, which other mutators try.
HOSTILE_KEYS = tuple(key for name, key in EVERY.items() if "1 MB" not in name)
STRANGER = generate_private_key(ES256)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

CoseKey = dict[int, Any]


def _known(rng: Random) -> Callable[[CoseKey], object]:
    chosen = pick(rng, HOSTILE_KEYS)

    def change(honest: CoseKey) -> object:
        try:
            return chosen(honest) if callable(chosen) else chosen
        except KeyError:
            # Some are changes of an ES256 key, and this is another.
            return off_curve()

    return change


@mutator("key: known to be bad", REGISTER)
def known(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(cose_key=_known(rng))


@mutator("key: known to be bad, attested by itself", REGISTER)
def known_attested(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(cose_key=_known(rng), attestation=packed_self())


@mutator("key: a parameter hostile, removed, added or twice", REGISTER)
def parameters(rng: Random, draft: Draft) -> None:
    def change(honest: CoseKey) -> bytes:
        pairs = raw_cbor.pairs_of(honest)
        place = pick(rng, range(len(pairs)))
        label, value = pairs[place]
        other = hostile(rng)
        edited: Sequence[list[tuple[bytes, bytes]]] = (
            [(label, other)],
            [(label, other)],
            [(label, b"\xf5")],
            [],
            [(label, value), (label, other)],
            [(label, value), (other, b"\0")],
            [(other, value)],
        )
        pairs[place : place + 1] = pick(rng, edited)
        return mapping(pairs)

    draft.flaw = Flaw(cose_key=change, attestation=pick(rng, (None, packed_self())))


@mutator("key: same key, other encoding", REGISTER)
def encodings(rng: Random, draft: Draft) -> None:
    def change(honest: CoseKey) -> bytes:
        pairs = raw_cbor.pairs_of(honest)
        labels = list(honest)
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
            b"\xbf" + mapping(pairs)[1:] + raw_cbor.BREAK,
            mapping([(raw_cbor.head(int(labels[0] < 0), 1, 2), pairs[0][1]), *pairs[1:]]),
            mapping(floats),
            mapping(floats) + tail,
            mapping(floats) + tail[: 2 * len(tail) // 3],
            mapping(floats[:1] + pairs[1:]) + b"\0" * 8,
            mapping(pairs[:1] + floats[1:2] + pairs[2:]) + b"\0" * 6,
            cbor2.dumps(zeros),
            mapping(pairs, count=pick(rng, (3, 4, 5, 6))),
        )
        return pick(rng, others)

    draft.flaw = Flaw(cose_key=change)


@mutator("key: bytes corrupted", REGISTER)
def corrupted(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(
        cose_key=lambda honest: corrupt(rng, cbor2.dumps(honest)),
        attestation=pick(rng, (None, packed_self())),
    )


@mutator("signature: made wrong", SIGNED_LOGINS)
def wrong(rng: Random, draft: Draft) -> None:
    edits: Sequence[Callable[[bytes], bytes]] = (
        lambda raw: corrupt(rng, raw),
        lambda raw: raw[::-1],
        lambda raw: bytes(len(raw)),
        lambda raw: raw + bytes(1100),
        lambda raw: b"",
        lambda raw: b"\x30\x06\x02\x01\x00\x02\x01\x00",
        lambda raw: b"\x30\x06\x02\x01\x01\x02\x01\x01",
        lambda raw: b"\x30\x84\xff\xff\xff\xff" + raw,
    )
    draft.flaw = Flaw(signature=pick(rng, edits))


@mutator("signature: another ECDSA spelling", SIGNED_LOGINS)
def ecdsa(rng: Random, draft: Draft) -> None:
    def change(raw: bytes) -> bytes:
        try:
            r, s = decode_dss_signature(raw)
        except ValueError:
            return b"\0" + raw
        spellings = (
            encode_dss_signature(r, P256_ORDER - s),
            encode_dss_signature(r, s + P256_ORDER),
            encode_dss_signature(s, r),
            encode_dss_signature(0, s),
            r.to_bytes(32) + s.to_bytes(32),
            raw + b"\0",
            b"\x30\x81" + raw[1:],
            raw[:2] + b"\x02" + bytes([raw[3] + 1]) + b"\0" + raw[4:],
        )
        return pick(rng, spellings)

    draft.flaw = Flaw(signature=change)


@mutator("signature: by a stranger's key", SIGNED_LOGINS)
def stranger(_rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(signing_key=STRANGER)
