"""Mutators of what the software authenticator signs: only the mutated check can refuse it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from assurance.fuzz.byte_mutations import MARKER, NASTY_VALUES, corrupt, index, pick, replacing
from assurance.fuzz.cbor_writer import half, head, hostile, mapping, octets, text
from assurance.fuzz.request_builder import (
    LOGINS,
    SIGNED,
    SIGNED_LOGINS,
    SIGNED_REGISTRATIONS,
    Draft,
    Expectation,
    Kind,
    Mutator,
    body_edit,
    flawed,
)
from devtools.cose import ES256, generate_private_key
from devtools.encoding import b64url
from devtools.flaws import OMIT, Flaw, Omit
from devtools.hostile_text import same_bytes_other_text

OTHER_KEY = generate_private_key(ES256)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FLAGS = 32  # the offset of the flags in authenticator data
ORIGINS = (
    "http://localhost:8000/", "http://localhost:8001", "https://localhost:8000",
    "http://LOCALHOST:8000", "http://evil.localhost:8000", "http://localhost.evil:8000",
    "http://localhost:8000\0", "http://localhost:8000@evil.example", " http://localhost:8000",
    "http://127.0.0.1:8000", "null", "", "android:apk-key-hash:AAAA",
)  # fmt: skip
TYPES = ("webauthn.get", "webauthn.create", "payment.get", "WEBAUTHN.GET", "webauthn.get\0", "")
MEMBERS = ("type", "challenge", "origin", "crossOrigin")
RP_IDS = ("example.com", "LOCALHOST", "localhost.", "http://localhost:8000", "")
TOKEN_BINDINGS: Sequence[Any] = (
    {"status": "supported"}, {"status": "present", "id": MARKER}, {"status": MARKER},
    {"status": []}, {}, "unused", [], None,
)  # fmt: skip
CLIENT_DATA_TEXTS: Sequence[Callable[[bytes], bytes]] = (
    lambda raw: b"\xef\xbb\xbf" + raw, lambda raw: raw.decode().encode("utf-16"),
    lambda raw: raw + b" ", lambda raw: b"\n" + raw, lambda raw: raw + b"\0",
    lambda raw: raw + raw, lambda raw: b"[" + raw + b"]", replacing(b":", b" : "),
    *((lambda raw, member=member: raw[:-1] + b"," + member + b"}") for member in (
        b'"origin":"http://evil.example"', b'"origin":"http://localhost:8000"',
        b'"crossOrigin":false', b'"n":NaN', b'"n":' + b"9" * 3000, b'"n":"\\ud800"',
        b'"n":' + b"[" * 1500 + b"]" * 1500, b'"n":"' + b"A" * 3500 + b'"',
        b'"n":"' + b"A" * 4500 + b'"',
    )),
    replacing(b"webauthn", b"w\\u0065bauthn"), replacing(b"localhost", b"\\u006cocalhost"),
    replacing(b'"type"', b'"t\\u0079pe"'),
    lambda raw: json.dumps(dict(reversed(json.loads(raw).items()))).encode(),
    lambda _raw: b"{}", lambda _raw: b"null", lambda _raw: b"0",
)  # fmt: skip
SIGNATURES: Sequence[Callable[[bytes], bytes]] = (
    lambda raw: raw[::-1], lambda raw: bytes(len(raw)), lambda raw: raw + bytes(1100),
    lambda _raw: b"", lambda _raw: b"\x30\x06\x02\x01\x00\x02\x01\x00",
    lambda _raw: b"\x30\x06\x02\x01\x01\x02\x01\x01",
    lambda raw: b"\x30\x84\xff\xff\xff\xff" + raw,
)  # fmt: skip


def _other_type(_rng: Random, expected: Expectation) -> Flaw:
    return Flaw(type="webauthn.create" if expected.kind in LOGINS else "webauthn.get")


def _other_email(rng: Random, body: dict[str, Any]) -> dict[str, Any]:
    others = (f"{MARKER}.es256@example.com", f"{MARKER}.nobody@example.com", None)
    edited = {**body, "email": pick(rng, others)}
    if pick(rng, (False, False, True)):
        del edited["email"]
    return edited


def _other_credential(rng: Random, _: Expectation) -> Flaw:
    return Flaw(credential_id=pick(rng, (rng.randbytes(32), rng.randbytes(16), b"\0")))


def _other_endpoint(_rng: Random, draft: Draft) -> None:
    registers = draft.expected.kind not in LOGINS
    old, new = ("credential", "assertion") if registers else ("assertion", "credential")

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        renamed = {"email": f"{MARKER}.es256@example.com", **body}
        renamed[new] = renamed.pop(old)
        return renamed

    draft.edit_body = edit
    target = "/login/complete" if registers else "/register/complete"
    draft.edit_request = lambda it: replace(it, target=target)


def _spent(_rng: Random, draft: Draft) -> None:
    draft.expected.live = False
    draft.sent_before = True


def _member(name: str, values: Sequence[Any]) -> Callable[[Random, Expectation], Flaw]:
    return lambda rng, _: Flaw(client_data_members={name: pick(rng, values)})


def _challenge(rng: Random, expected: Expectation) -> Flaw:
    right = expected.challenge
    spellings = list(same_bytes_other_text(right).values())
    others = ("", right.swapcase(), right[::-1], b64url(rng.randbytes(32)), b64url(right.encode()))
    return Flaw(client_data_members={"challenge": pick(rng, (*spellings, *others))})


def _frame(rng: Random, _: Expectation) -> Flaw:
    choices: Sequence[dict[str, Any]] = (
        {"crossOrigin": pick(rng, (True, "false", 0, None, [], OMIT, False))},
        {"topOrigin": pick(rng, ("http://localhost:8000", "", None, False, [], {}))},
        {"tokenBinding": pick(rng, TOKEN_BINDINGS)},
        {MARKER: pick(rng, NASTY_VALUES)},
    )
    return Flaw(client_data_members=pick(rng, choices))


def _retyped(rng: Random, _: Expectation) -> Flaw:
    return Flaw(client_data_members={pick(rng, MEMBERS): pick(rng, (OMIT, *NASTY_VALUES))})


def _flags(change: Callable[[int], int]) -> Flaw:
    return Flaw(
        authenticator_data=lambda data: (
            data[:FLAGS] + bytes([change(data[FLAGS])]) + data[FLAGS + 1 :]
        )
    )


def _all_flags(rng: Random, _: Expectation) -> Flaw:
    value = index(rng, 256)
    return _flags(lambda _old: value)


def _one_flag(rng: Random, _: Expectation) -> Flaw:
    bit = 1 << index(rng, 8)
    return _flags(lambda old: old ^ bit)


def _sign_count(rng: Random, expected: Expectation) -> Flaw:
    stored = expected.sign_count
    counts = (0, 1, stored, max(stored - 1, 0), stored + 1, 2**31, 2**32 - 1)
    # At a login the highest counts would lock the device out of every later login.
    return Flaw(sign_count=pick(rng, counts if expected.kind is Kind.REGISTER else counts[:5]))


def _broken_data(rng: Random, _: Expectation) -> Flaw:
    changes: Sequence[Callable[[bytes], bytes]] = (
        lambda data: data[: index(rng, len(data))],
        lambda data: data + rng.randbytes(1 + index(rng, 60)),
        lambda data: data + b"\0" * pick(rng, (6, 8000, 9000, 12_000)),
        lambda data: corrupt(rng, data),
    )
    return Flaw(authenticator_data=pick(rng, changes))


def _extensions(rng: Random, _: Expectation) -> Flaw:
    sound = mapping([(text("credProps"), b"\xf5")])
    items = (
        b"\xa0",
        sound,
        mapping([(text(MARKER), hostile(rng))]),
        mapping([(hostile(rng), b"\xf5")]),
        hostile(rng),
        hostile(rng) + sound,
        sound + sound,
        # cbor2 encodes these floats six bytes longer: the bytes after them hide in the difference.
        mapping([(text("uvm"), half(1.5))]) + MARKER[:6].encode(),
        half(2.0) + b"\0" * 6,
        mapping([(text("a"), b"\0"), (text("a"), b"\1")]),
        b"\xbf" + text("a") + b"\0\xff",
        head(4, 1, 8) + b"\0",
    )
    return Flaw(extensions=pick(rng, items), ed=pick(rng, (None, None, None, False)))


def _attested_data(rng: Random, expected: Expectation) -> Flaw:
    key = pick(rng, (hostile(rng), b"\xa5\x01\x02\x03\x26\x20\x01\x21\x40\x22\x40", b"\xa0", b""))
    credential_id = expected.credential_id
    data = bytes(16) + len(credential_id).to_bytes(2) + credential_id + key
    return Flaw(at=True, trailing_authenticator_data=data)


def _credential_id(rng: Random, _: Expectation) -> Flaw:
    other = rng.randbytes(pick(rng, (0, 1, 15, 16, 17, 64, 1022, 1023, 1024, 4096, 10_000)))
    flaws = (
        Flaw(credential_id=other),
        Flaw(credential_id=other),
        Flaw(attested_credential_id=other),
        Flaw(raw_id=other),
        Flaw(attested_credential_id_length=pick(rng, (0, 1, 31, 33, 100, 1023, 65_535))),
        Flaw(aaguid=pick(rng, (bytes(16), rng.randbytes(16), b"", bytes(15), bytes(17)))),
    )
    return pick(rng, flaws)


def _user_handle(rng: Random, expected: Expectation) -> Flaw:
    right = expected.user_handle or b""
    handles: Sequence[bytes | str | Omit] = (
        OMIT, b"", right[:-1], right.upper(), rng.randbytes(64), bytes(65), "A", "\u00e9",
    )  # fmt: skip
    return Flaw(user_handle=pick(rng, handles))


def _more_after_the_key(rng: Random, _: Expectation) -> Flaw:
    more = pick(rng, (b"\0", b"\xa0", octets(b"x"), hostile(rng)))
    return Flaw(trailing_authenticator_data=more, ed=pick(rng, (None, True)))


def _wrong_signature(rng: Random, _: Expectation) -> Flaw:
    return Flaw(signature=pick(rng, (lambda raw: corrupt(rng, raw), *SIGNATURES)))


def _ecdsa_spelling(rng: Random, _: Expectation) -> Flaw:
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

    return Flaw(signature=change)


MUTATORS: Sequence[Mutator] = (
    flawed("ceremony: type of the other one", SIGNED, _other_type),
    flawed(
        "ceremony: challenge nobody gave",
        SIGNED,
        lambda rng, _: Flaw(challenge=b64url(rng.randbytes(32))),
    ),
    body_edit("ceremony: another email, or none", SIGNED, _other_email),
    flawed("ceremony: credential id of another", SIGNED_LOGINS, _other_credential),
    Mutator("ceremony: sent to the other endpoint", SIGNED, _other_endpoint),
    Mutator("ceremony: already spent", SIGNED, _spent),
    flawed("client data: type", SIGNED, _member("type", TYPES)),
    flawed("client data: origin", SIGNED, _member("origin", ORIGINS)),
    flawed("client data: challenge", SIGNED, _challenge),
    flawed("client data: crossOrigin, topOrigin, tokenBinding, unknown", SIGNED, _frame),
    flawed("client data: member removed or of another type", SIGNED, _retyped),
    flawed(
        "client data: same members, other text",
        SIGNED,
        lambda rng, _: Flaw(client_data=pick(rng, CLIENT_DATA_TEXTS)),
    ),
    flawed(
        "client data: bytes corrupted",
        SIGNED,
        lambda rng, _: Flaw(client_data=lambda raw: corrupt(rng, raw)),
    ),
    flawed("authenticator data: flags", SIGNED, _all_flags),
    flawed("authenticator data: one flag", SIGNED, _one_flag),
    flawed("authenticator data: RP ID", SIGNED, lambda rng, _: Flaw(rp_id=pick(rng, RP_IDS))),
    flawed("authenticator data: sign count", SIGNED, _sign_count),
    flawed("authenticator data: cut, stretched or corrupted", SIGNED, _broken_data),
    flawed("authenticator data: extensions", SIGNED, _extensions),
    flawed(
        "authenticator data: extensions said, not there",
        SIGNED,
        lambda rng, _: Flaw(
            ed=True, trailing_authenticator_data=pick(rng, (b"", b"\xa0", b"\xa1"))
        ),
    ),
    flawed("authenticator data: attested data in an assertion", SIGNED_LOGINS, _attested_data),
    flawed(
        "authenticator data: credential id and its length", SIGNED_REGISTRATIONS, _credential_id
    ),
    flawed("authenticator data: user handle", SIGNED_LOGINS, _user_handle),
    flawed(
        "authenticator data: COSE key followed by more", SIGNED_REGISTRATIONS, _more_after_the_key
    ),
    flawed("signature: made wrong", SIGNED_LOGINS, _wrong_signature),
    flawed("signature: another ECDSA spelling", SIGNED_LOGINS, _ecdsa_spelling),
    flawed("signature: by another key", SIGNED_LOGINS, lambda _rng, _: Flaw(signing_key=OTHER_KEY)),
)
