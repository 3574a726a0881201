"""The body as text: what is no JSON, not UTF-8, or JSON that strict readers refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random

from assurance.fuzz.draft import BODIES, Draft, registry
from assurance.fuzz.noise import MARKER, at, corrupt, pick

MUTATORS, mutator = registry()

STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
VALUE = re.compile(rb': ("(?:[^"\\]|\\.)*"|[-\d.]+|true|false|null)')
MEMBER = re.compile(rb'("(?:[^"\\]|\\.)*"): ("(?:[^"\\]|\\.)*"|\{[^{}]*\}|\[[^][]*\])')
NOT_NUMBERS = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e400",
    b"-1e9999",
    b"1e-999999",
    b"9" * 5000,
    b"-" + b"9" * 19,
    b"0x10",
    b"01",
    b"+1",
    b".5",
    b"1.",
    b"undefined",
    b"None",
)
ESCAPES = (rb"\ud800", rb"\udfff", rb"\ud83d\ud83d", rb"\u0000", rb"\x00", rb"\u00", rb"\q", b"\t")
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "cp037")


def _edits(change: Callable[[Random, bytes], bytes], rng: Random, draft: Draft) -> None:
    draft.on_bytes.append(lambda raw: change(rng, raw))


def _in_place(rng: Random, raw: bytes, where: re.Pattern[bytes], new: bytes) -> bytes:
    """One of the places in `raw` replaced; appended to if there is none."""
    places = list(where.finditer(raw))
    if not places:
        return raw + new
    place = pick(rng, places)
    start, end = place.span(place.lastindex or 0)
    return raw[:start] + new + raw[end:]


@mutator("json: bytes corrupted", BODIES)
def corrupted(rng: Random, draft: Draft) -> None:
    _edits(corrupt, rng, draft)


@mutator("json: number that is none, or too long", BODIES)
def not_numbers(rng: Random, draft: Draft) -> None:
    _edits(lambda rng, raw: _in_place(rng, raw, VALUE, pick(rng, NOT_NUMBERS)), rng, draft)


@mutator("json: surrogate, NUL or bad escape in a string", BODIES)
def bad_escapes(rng: Random, draft: Draft) -> None:
    def change(rng: Random, raw: bytes) -> bytes:
        string = pick(rng, list(STRING.finditer(raw)) or [re.compile(b"").search(raw)])
        cut = (string.start() if string else 0) + 1
        return raw[:cut] + pick(rng, ESCAPES) + raw[cut:]

    _edits(change, rng, draft)


@mutator("json: member twice", BODIES)
def member_twice(rng: Random, draft: Draft) -> None:
    def change(rng: Random, raw: bytes) -> bytes:
        members = list(MEMBER.finditer(raw))
        if not members:
            return b'{"email": null, "email": null}'
        member = pick(rng, members)
        name = pick(rng, (member[1], member[1], b'"\\u00%02x' % member[1][1] + member[1][2:]))
        other = pick(rng, (member[2], b"null", b'"' + MARKER.encode() + b'"'))
        first, second = pick(rng, ((member[2], other), (other, member[2])))
        twice = member[1] + b": " + first + b", " + name + b": " + second
        return raw[: member.start()] + twice + raw[member.end() :]

    _edits(change, rng, draft)


@mutator("json: nested deeply", BODIES)
def nested(rng: Random, draft: Draft) -> None:
    def change(rng: Random, raw: bytes) -> bytes:
        depth = pick(rng, (15, 17, 200, 2000, 12_000))
        opening, closing = pick(rng, ((b"[", b"]"), (b'{"a":', b"}")))
        depth = min(depth, 30_000 // len(opening + closing))
        tower = opening * depth + b"0" + pick(rng, (closing * depth, b""))
        return pick(rng, (tower, _in_place(rng, raw, VALUE, tower)))

    _edits(change, rng, draft)


@mutator("json: other encoding or byte order mark", BODIES)
def encoded(rng: Random, draft: Draft) -> None:
    encoding = pick(rng, ENCODINGS)
    draft.on_bytes.append(lambda raw: raw.decode().encode(encoding))


@mutator("json: not quite the grammar", BODIES)
def dialects(rng: Random, draft: Draft) -> None:
    changes: list[Callable[[bytes], bytes]] = [
        lambda raw: raw.replace(b'"', b"'"),
        lambda raw: raw[:-1] + b",}",
        lambda raw: b"/* */" + raw,
        lambda raw: raw + b"// " + MARKER.encode(),
        lambda raw: raw.replace(b": ", b"= "),
        lambda raw: b")]}',\n" + raw,
        lambda raw: raw + raw,
        lambda raw: raw.replace(b", ", b"\x0b,\xc2\xa0"),
    ]
    draft.on_bytes.append(pick(rng, changes))


@mutator("json: another document", BODIES)
def other_documents(rng: Random, draft: Draft) -> None:
    whole = (b"", b" ", b"null", b"[]", b"{}", b"0", b'"x"', b"\0", b"\xff" * 9, b"{" * 9, b"true")
    draft.on_bytes.append(lambda raw: pick(rng, (*whole, b"[" + raw + b"]", json_text(raw))))


def json_text(raw: bytes) -> bytes:
    """The document as a JSON string, as a client that encodes twice sends it."""
    return json.dumps(raw.decode()).encode()


@mutator("json: about as long as is allowed", BODIES)
def padded(rng: Random, draft: Draft) -> None:
    length = pick(rng, (32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 64 * 1024, 1 << 20))
    filler = pick(rng, (b" ", b"\n", b"A"))
    draft.on_bytes.append(lambda raw: raw + filler * (length - len(raw)))


@mutator("json: same value, other text", BODIES)
def respelled(rng: Random, draft: Draft) -> None:
    def spaced(raw: bytes) -> bytes:
        return b"\r\n\t " + raw.replace(b": ", b" :\n\t") + b"\n" * (1 + at(rng, 50))

    def escaped(raw: bytes) -> bytes:
        text = re.sub(r"[a-z]", lambda letter: f"\\u{ord(letter[0]):04x}", raw.decode())
        return text.encode()

    def reordered(raw: bytes) -> bytes:
        try:
            return json.dumps(dict(reversed(json.loads(raw).items()))).encode()
        except (ValueError, AttributeError):
            return raw + b" "

    draft.on_bytes.append(pick(rng, (spaced, escaped, reordered)))
