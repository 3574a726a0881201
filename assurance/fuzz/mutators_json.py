"""Mutators of the JSON body: as text, as a value, and in the fields that people fill in."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any, Literal

from assurance.fuzz.byte_mutations import (
    MARKER,
    NASTY_TEXTS,
    NASTY_VALUES,
    corrupt,
    index,
    pick,
    replacing,
)
from assurance.fuzz.request_builder import (
    BODIES,
    CREDENTIALS,
    Kind,
    Mutator,
    body_edit,
    text_edit,
)
from devtools.encoding import b64url, from_b64url
from devtools.hostile_text import same_bytes_other_text

FORMS = (Kind.REGISTER_BEGIN,)
NAMED = (Kind.REGISTER_BEGIN, Kind.LOGIN_BEGIN, Kind.REGISTER, Kind.LOGIN)
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
VALUE = re.compile(rb': ("(?:[^"\\]|\\.)*"|[-\d.]+|true|false|null)')
MEMBER = re.compile(rb'("(?:[^"\\]|\\.)*"): ("(?:[^"\\]|\\.)*"|\{[^{}]*\}|\[[^][]*\])')
NOT_NUMBERS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e9999", b"1e-999999", b"9" * 5000,
    b"-" + b"9" * 19, b"0x10", b"01", b"+1", b".5", b"1.", b"undefined", b"None",
)  # fmt: skip
ESCAPES = (rb"\ud800", rb"\udfff", rb"\ud83d\ud83d", rb"\u0000", rb"\x00", rb"\u00", rb"\q", b"\t")
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "cp037")
DIALECTS: Sequence[Callable[[bytes], bytes]] = (
    replacing(b'"', b"'"), lambda raw: raw[:-1] + b",}", lambda raw: b"/* */" + raw,
    lambda raw: raw + b"// " + MARKER.encode(), replacing(b": ", b"= "),
    lambda raw: b")]}',\n" + raw, lambda raw: raw + raw, replacing(b", ", b"\x0b,\xc2\xa0"),
)  # fmt: skip
DOCUMENTS = (b"", b" ", b"null", b"[]", b"{}", b"0", b'"x"', b"\0", b"\xff" * 9, b"{" * 9, b"true")
SIZES = (32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 64 * 1024, 1 << 20)
BINARY = (
    "id", "rawId", "clientDataJSON", "attestationObject", "authenticatorData", "signature",
    "userHandle",
)  # fmt: skip
UNKNOWN = ("role", "id", "is_admin", "__proto__", "constructor", "disabled", "created_at", MARKER)
IGNORED: dict[str, Sequence[Any]] = {
    "authenticatorAttachment": ("cross-platform", "platform", None, MARKER, 7),
    "clientExtensionResults": ({"credProps": {"rk": False}}, {}, None, [], {MARKER: {}}, "x"),
    MARKER: (1, "x", [], {"a": "b"}),
}
IGNORED_IN_RESPONSE: dict[str, Sequence[Any]] = {
    "transports": (["usb", "nfc"], [], None, "usb", [1, None], [MARKER] * 500),
    "publicKey": ("AAAA", None, 5),
    "publicKeyAlgorithm": (-257, "x", None),
    MARKER: (1, "x"),
}
NORMAL_FORMS: Sequence[Literal["NFC", "NFD", "NFKC", "NFKD"]] = ("NFC", "NFD", "NFKC", "NFKD")
NAME_FIELDS = ("first_name", "last_name", "job_title")
EMAILS: Sequence[Callable[[str], str]] = (
    str.upper, str.title, " {}".format, "{}\n".format, "Jane <{}>".format,
    '"{}"@example.com'.format, "{0},{0}".format, replacing("@", "@@"), replacing("@", "\uff20"),
    replacing("example", "ex\u0430mple"), replacing("example", "\uff45xample"),
    replacing("zqmark", "zqmar\u212a"), replacing(".com", "\u3002com"),
    *(replacing("example.com", domain) for domain in (
        "[127.0.0.1]", "localhost", "xn--mnchen-3ya.de", "M\u00dcNCHEN.de", "mu\u0308nchen.de",
        "xn--" + "a" * 59 + ".com", "xn--a.com", ".".join(["a" * 60] * 4),
    )),
    *(replacing("@", f"{more}@") for more in (
        "+tag", ".", "e\u0301", "\u00e9", "\u00df", "\u1e9e", "\u0130", "\u03c2\u03a3", "\u200b",
        "a" * 70, "\0",
    )),
    lambda email: email.partition("@")[0], lambda email: "@" + email.partition("@")[2],
)  # fmt: skip
NAMES: Sequence[str] = (
    "Zo\u00eb", "Zoe\u0308", "  Jos\u00e9\t", "\u5f20\u4f1f",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "O'Neil-\u00deorsd\u00f3ttir",
    "\U0001f469\U0001f3fd\u200d\U0001f680", "\u1112\u1161\u11ab", "\u0344\u0958", "A" * 100,
    "A" * 101, "e\u0301" * 100, "e\u0301" * 101, "a" + "\u0301\u0316" * 8000,
    "\u0301" * 5000 + "\u0316" * 5000, "\u00a0\u3000", "\ue000", "\U000e0041", "null", "0",
)  # fmt: skip
DATES: Sequence[str] = (
    "2024-02-29", "2023-02-29", "1900-02-29", "1990-02-30", "1990-13-01", "1990-00-10",
    "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "1e10-01-01", "1850-01-01",
    "1990-1-5", "19900115", "1990-W03-1", "1990-015", "15/01/1990", "1990-01-15T00:00:00Z",
    "1990-01-15T23:59:59+14:00", "1990-01-15T24:00:00Z", "1990-01-15T12:00:60Z",
    "1990-01-15 00:00", "1990-01-15T00:00:00+99:99",
    "\u0661\u0669\u0669\u0660-\u0660\u0661-\u0661\u0665", "\uff11\uff19\uff19\uff10-01-15",
    "-1990-01-15", "1990-01-15\n", "0" * 20_000,
)  # fmt: skip


def _in_place(rng: Random, raw: bytes, where: re.Pattern[bytes], new: bytes) -> bytes:
    """`raw` with one match of `where` replaced; `new` is appended if nothing matches."""
    matches = list(where.finditer(raw))
    if not matches:
        return raw + new
    match = pick(rng, matches)
    start, end = match.span(match.lastindex or 0)
    return raw[:start] + new + raw[end:]


def _bad_escape(rng: Random, raw: bytes) -> bytes:
    strings = [match.start() for match in STRING.finditer(raw)]
    cut = pick(rng, strings or [0]) + 1
    return raw[:cut] + pick(rng, ESCAPES) + raw[cut:]


def _member_twice(rng: Random, raw: bytes) -> bytes:
    members = list(MEMBER.finditer(raw))
    if not members:
        return b'{"email": null, "email": null}'
    member = pick(rng, members)
    name = pick(rng, (member[1], member[1], b'"\\u00%02x' % member[1][1] + member[1][2:]))
    other = pick(rng, (member[2], b"null", b'"' + MARKER.encode() + b'"'))
    first, second = pick(rng, ((member[2], other), (other, member[2])))
    twice = member[1] + b": " + first + b", " + name + b": " + second
    return raw[: member.start()] + twice + raw[member.end() :]


def _nested(rng: Random, raw: bytes) -> bytes:
    depth = pick(rng, (15, 17, 200, 2000, 12_000))
    opening, closing = pick(rng, ((b"[", b"]"), (b'{"a":', b"}")))
    depth = min(depth, 30_000 // len(opening + closing))
    tower = opening * depth + b"0" + pick(rng, (closing * depth, b""))
    return pick(rng, (tower, _in_place(rng, raw, VALUE, tower)))


def _other_document(rng: Random, raw: bytes) -> bytes:
    encoded_twice = json.dumps(raw.decode()).encode()
    return pick(rng, (*DOCUMENTS, b"[" + raw + b"]", encoded_twice))


def _padded(rng: Random, raw: bytes) -> bytes:
    length, filler = pick(rng, SIZES), pick(rng, (b" ", b"\n", b"A"))
    return raw + filler * (length - len(raw))


def _spaced(rng: Random, raw: bytes) -> bytes:
    return b"\r\n\t " + raw.replace(b": ", b" :\n\t") + b"\n" * (1 + index(rng, 50))


def _escaped(_rng: Random, raw: bytes) -> bytes:
    return re.sub(r"[a-z]", lambda it: f"\\u{ord(it[0]):04x}", raw.decode()).encode()


def _reordered(_rng: Random, raw: bytes) -> bytes:
    try:
        return json.dumps(dict(reversed(json.loads(raw).items()))).encode()
    except (ValueError, AttributeError):
        return raw + b" "


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in a JSON or CBOR value with each key or index in it."""
    for key, child in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(child, dict | list):
            yield from places(child)


def _at_a_place(
    change: Callable[[Random, Any, Any], None], *names: str
) -> Callable[[Random, Any], Any]:
    """An edit that calls `change` with a container and a key (one of `names`, if any is there)."""

    def edit(rng: Random, body: Any) -> Any:
        edited = deepcopy(body)
        found = list(places(edited))
        named = [place for place in found if place[1] in names]
        if found:
            change(rng, *pick(rng, named or found))
        else:
            edited[MARKER] = 1
        return edited

    return edit


def _renamed(rng: Random, container: Any, key: Any) -> None:
    if isinstance(container, dict):
        old = container.pop(key)
        spellings = (key.upper(), f"{key} ", f"{key}\0", key.replace("e", "\u0435"), "")
        container[pick(rng, spellings)] = old


def _added(rng: Random, container: Any, _key: Any) -> None:
    if isinstance(container, dict):
        container.setdefault(pick(rng, UNKNOWN), pick(rng, ("admin", *NASTY_VALUES)))
    else:
        container.append(MARKER)


def _exchanged(rng: Random, body: Any) -> Any:
    edited = deepcopy(body)
    found = list(places(edited))
    if found:
        (one, a), (other, b) = pick(rng, found), pick(rng, found)
        try:
            one[a], other[b] = deepcopy(other[b]), deepcopy(one[a])
        except KeyError:
            # One container was inside the other and went away with it.
            return {}
    return edited


def _new_value(make: Callable[[Random, Any], Any], *names: str) -> Callable[[Random, Any], Any]:
    def change(rng: Random, container: Any, key: Any) -> None:
        container[key] = make(rng, container[key])

    return _at_a_place(change, *names)


def _other_type(rng: Random, old: Any) -> Any:
    return pick(rng, (*NASTY_VALUES, [old], {"value": old}, str(old)))


def _nasty_text(rng: Random, body: Any) -> Any:
    text = pick(rng, NASTY_TEXTS)
    spelled = _new_value(lambda rng, old: pick(rng, (text, f"{old}{text}", f"{text}{old}")))
    return spelled(rng, body)


def _respelled_binary(rng: Random, old: Any) -> str:
    text = str(old)
    # Some public vectors have padding already.
    spellings = [*same_bytes_other_text(text).values()] if text[-1:].isalnum() else []
    standard = text.replace("-", "+").replace("_", "/")
    others = (standard + "=", text + "A", "=", text[:-1], text + "\u0130", "A" * 30_000)
    return pick(rng, (*spellings, *others))


def _corrupted_binary(rng: Random, old: Any) -> str:
    try:
        return b64url(corrupt(rng, from_b64url(old)))
    except (TypeError, ValueError):
        # Some public vectors have padding.
        return b64url(rng.randbytes(index(rng, 100)))


def _ignored(rng: Random, body: Any) -> Any:
    edited = deepcopy(body)
    credential = edited.get("credential") or edited["assertion"]
    table, target = IGNORED, credential
    if "credential" in edited and pick(rng, (True, False)):
        table, target = IGNORED_IN_RESPONSE, credential["response"]
    name = pick(rng, list(table))
    target[name] = pick(rng, table[name])
    return edited


def _email(rng: Random, body: Any) -> Any:
    return {**body, "email": pick(rng, EMAILS)(body.get("email") or "a@b.org")}


def _name(rng: Random, body: Any) -> Any:
    field, name, form = pick(rng, NAME_FIELDS), pick(rng, NAMES), pick(rng, NORMAL_FORMS)
    return {**body, field: name if len(name) > 300 else unicodedata.normalize(form, name)}


MUTATORS: Sequence[Mutator] = (
    text_edit("json: bytes corrupted", BODIES, corrupt),
    text_edit(
        "json: number that is none, or too long",
        BODIES,
        lambda rng, raw: _in_place(rng, raw, VALUE, pick(rng, NOT_NUMBERS)),
    ),
    text_edit("json: surrogate, NUL or bad escape in a string", BODIES, _bad_escape),
    text_edit("json: member twice", BODIES, _member_twice),
    text_edit("json: nested deeply", BODIES, _nested),
    text_edit(
        "json: other encoding or byte order mark",
        BODIES,
        lambda rng, raw: raw.decode().encode(pick(rng, ENCODINGS)),
    ),
    text_edit("json: not quite the grammar", BODIES, lambda rng, raw: pick(rng, DIALECTS)(raw)),
    text_edit("json: another document", BODIES, _other_document),
    text_edit("json: about as long as is allowed", BODIES, _padded),
    text_edit(
        "json: same value, other text",
        BODIES,
        lambda rng, raw: pick(rng, (_spaced, _escaped, _reordered))(rng, raw),
    ),
    body_edit("members: one removed", BODIES, _at_a_place(lambda _rng, it, key: it.pop(key))),
    body_edit("members: one of another type", BODIES, _new_value(_other_type)),
    body_edit("members: one renamed", BODIES, _at_a_place(_renamed)),
    body_edit("members: one added", BODIES, _at_a_place(_added)),
    body_edit("members: two exchanged", BODIES, _exchanged),
    body_edit("members: nasty text", BODIES, _nasty_text),
    body_edit(
        "members: base64url in other words", CREDENTIALS, _new_value(_respelled_binary, *BINARY)
    ),
    body_edit(
        "members: decoded bytes corrupted, not signed again",
        CREDENTIALS,
        _new_value(_corrupted_binary, *BINARY),
    ),
    body_edit("members: what is ignored", CREDENTIALS, _ignored),
    body_edit("fields: email spelled otherwise", NAMED, _email),
    body_edit("fields: unusual name", FORMS, _name),
    body_edit(
        "fields: nasty text in the form",
        FORMS,
        lambda rng, body: {
            **body,
            pick(rng, (*NAME_FIELDS, "email", "date_of_birth")): pick(rng, NASTY_TEXTS),
        },
    ),
    body_edit(
        "fields: date that is none, or was never",
        FORMS,
        lambda rng, body: {**body, "date_of_birth": pick(rng, DATES)},
    ),
)
