"""Authenticator data edited and signed again: flags, lengths, counters, extensions, ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from assurance.fuzz.draft import CEREMONIES, LOGINS, REGISTRATIONS, Draft, Kind, registry
from assurance.fuzz.noise import MARKER, at, corrupt, pick
from assurance.fuzz.raw_cbor import half, head, hostile, mapping, octets, text
from devtools.authenticator import OMIT
from devtools.flaws import Flaw, Omit

MUTATORS, mutator = registry()

FLAGS, ID_LENGTH, ID = 32, 53, 55
SIGNED_LOGINS = tuple(kind for kind in CEREMONIES if kind in LOGINS)
SIGNED_REGISTRATIONS = tuple(kind for kind in CEREMONIES if kind in REGISTRATIONS)


def _edit(draft: Draft, change: Callable[[bytes], bytes]) -> None:
    draft.flaw = replace(draft.flaw, authenticator_data=change)


@mutator("authenticator data: flags", CEREMONIES)
def flags(rng: Random, draft: Draft) -> None:
    value = at(rng, 256)
    _edit(draft, lambda data: data[:FLAGS] + bytes([value]) + data[FLAGS + 1 :])


@mutator("authenticator data: one flag", CEREMONIES)
def one_flag(rng: Random, draft: Draft) -> None:
    bit = 1 << at(rng, 8)
    _edit(draft, lambda data: data[:FLAGS] + bytes([data[FLAGS] ^ bit]) + data[FLAGS + 1 :])


@mutator("authenticator data: RP ID", CEREMONIES)
def relying_parties(rng: Random, draft: Draft) -> None:
    other = pick(rng, ("example.com", "LOCALHOST", "localhost.", "http://localhost:8000", ""))
    draft.flaw = Flaw(rp_id=other)


@mutator("authenticator data: sign count", CEREMONIES)
def sign_counts(rng: Random, draft: Draft) -> None:
    stored = draft.genuine.sign_count
    counts = (0, 1, stored, max(stored - 1, 0), stored + 1, 2**31, 2**32 - 1)
    # The highest counts would lock the device out of every later login.
    draft.flaw = Flaw(
        sign_count=pick(rng, counts if draft.genuine.kind is Kind.REGISTER else counts[:5])
    )


@mutator("authenticator data: cut, stretched or corrupted", CEREMONIES)
def corrupted(rng: Random, draft: Draft) -> None:
    _edit(
        draft,
        pick(
            rng,
            (
                lambda data: data[: at(rng, len(data))],
                lambda data: data + rng.randbytes(1 + at(rng, 60)),
                lambda data: data + b"\0" * pick(rng, (6, 8000, 9000, 12_000)),
                lambda data: corrupt(rng, data),
            ),
        ),
    )


@mutator("authenticator data: extensions", CEREMONIES)
def extensions(rng: Random, draft: Draft) -> None:
    sound = mapping([(text("credProps"), b"\xf5")])
    items = (
        b"\xa0",
        sound,
        mapping([(text(MARKER), hostile(rng))]),
        mapping([(hostile(rng), b"\xf5")]),
        hostile(rng),
        hostile(rng) + sound,
        sound + sound,
        # Written again these floats are six bytes longer each: room for what nobody has read.
        mapping([(text("uvm"), half(1.5))]) + MARKER[:6].encode(),
        half(2.0) + b"\0" * 6,
        mapping([(text("a"), b"\0"), (text("a"), b"\1")]),
        b"\xbf" + text("a") + b"\0\xff",
        head(4, 1, 8) + b"\0",
    )
    draft.flaw = Flaw(extensions=pick(rng, items), ed=pick(rng, (None, None, None, False)))


@mutator("authenticator data: extensions said, not there", CEREMONIES)
def no_extensions(rng: Random, draft: Draft) -> None:
    draft.flaw = Flaw(ed=True, trailing_authenticator_data=pick(rng, (b"", b"\xa0", b"\xa1")))


@mutator("authenticator data: attested data in an assertion", SIGNED_LOGINS)
def attested(rng: Random, draft: Draft) -> None:
    key = pick(rng, (hostile(rng), b"\xa5\x01\x02\x03\x26\x20\x01\x21\x40\x22\x40", b"\xa0", b""))
    credential_id = draft.genuine.credential_id
    data = bytes(16) + len(credential_id).to_bytes(2) + credential_id + key
    draft.flaw = Flaw(at=True, trailing_authenticator_data=data)


@mutator("authenticator data: credential id and its length", SIGNED_REGISTRATIONS)
def credential_ids(rng: Random, draft: Draft) -> None:
    length = pick(rng, (0, 1, 15, 16, 17, 64, 1022, 1023, 1024, 4096, 10_000))
    other = rng.randbytes(length)
    flaws = (
        Flaw(credential_id=other),
        Flaw(credential_id=other),
        Flaw(attested_credential_id=other),
        Flaw(raw_id=other),
        Flaw(attested_credential_id_length=pick(rng, (0, 1, 31, 33, 100, 1023, 65_535))),
        Flaw(aaguid=pick(rng, (bytes(16), rng.randbytes(16), b"", bytes(15), bytes(17)))),
    )
    draft.flaw = pick(rng, flaws)


@mutator("authenticator data: user handle", SIGNED_LOGINS)
def user_handles(rng: Random, draft: Draft) -> None:
    genuine = draft.genuine.user_handle or b""
    handles: Sequence[bytes | str | Omit] = (
        OMIT,
        b"",
        genuine[:-1],
        genuine.upper(),
        rng.randbytes(64),
        bytes(65),
        "A",
        "\u00e9",
    )
    draft.flaw = Flaw(user_handle=pick(rng, handles))


@mutator("authenticator data: COSE key followed by more", SIGNED_REGISTRATIONS)
def key_and_more(rng: Random, draft: Draft) -> None:
    more = pick(rng, (b"\0", b"\xa0", octets(b"x"), hostile(rng)))
    draft.flaw = Flaw(trailing_authenticator_data=more, ed=pick(rng, (None, True)))
