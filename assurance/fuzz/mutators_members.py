"""The body as a value: members removed, retyped, renamed, added, and spelled otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

from assurance.fuzz.draft import BODIES, CREDENTIALS, Draft, Kind, registry
from assurance.fuzz.noise import MARKER, NASTY_TEXTS, NASTY_VALUES, at, corrupt, pick
from devtools.encoding import b64url, from_b64url
from devtools.hostile_text import same_bytes_other_text

MUTATORS, mutator = registry()

Place = tuple[Any, Any]
"""A container and the key or index of one of its members."""

BINARY = ("id", "rawId", "clientDataJSON", "attestationObject", "authenticatorData", "signature")
UNKNOWN = ("role", "id", "is_admin", "__proto__", "constructor", "disabled", "created_at", MARKER)
IGNORED: dict[str, tuple[Any, ...]] = {
    "authenticatorAttachment": ("cross-platform", "platform", None, MARKER, 7),
    "clientExtensionResults": ({"credProps": {"rk": False}}, {}, None, [], {MARKER: {}}, "x"),
    MARKER: (1, "x", [], {"a": "b"}),
}
IGNORED_IN_RESPONSE: dict[str, tuple[Any, ...]] = {
    "transports": (["usb", "nfc"], [], None, "usb", [1, None], [MARKER] * 500),
    "publicKey": ("AAAA", None, 5),
    "publicKeyAlgorithm": (-257, "x", None),
    MARKER: (1, "x"),
}


def _places(value: Any) -> Iterator[Place]:
    keys = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in list(keys):
        yield value, key
        if isinstance(child, dict | list):
            yield from _places(child)


def _at_a_place(rng: Random, draft: Draft, change: Callable[[Any, Any], None], *names: str) -> None:
    """Have `change` called with a container and a key in it (one of `names`, if any is there)."""

    def edit(body: Any) -> Any:
        edited = deepcopy(body)
        places = list(_places(edited))
        named = [place for place in places if place[1] in names]
        if places:
            change(*pick(rng, named or places))
        else:
            edited[MARKER] = 1
        return edited

    draft.on_body.append(edit)


def _replace(rng: Random, draft: Draft, new: Callable[[Any], Any], *names: str) -> None:
    def change(container: Any, key: Any) -> None:
        container[key] = new(container[key])

    _at_a_place(rng, draft, change, *names)


@mutator("members: one removed", BODIES)
def removed(rng: Random, draft: Draft) -> None:
    _at_a_place(rng, draft, lambda container, key: container.pop(key))


@mutator("members: one of another type", BODIES)
def retyped(rng: Random, draft: Draft) -> None:
    _replace(rng, draft, lambda old: pick(rng, (*NASTY_VALUES, [old], {"value": old}, str(old))))


@mutator("members: one renamed", BODIES)
def renamed(rng: Random, draft: Draft) -> None:
    def change(container: Any, key: Any) -> None:
        if isinstance(container, dict):
            old = container.pop(key)
            spellings = (key.upper(), f"{key} ", f"{key}\0", key.replace("e", "\u0435"), "")
            container[pick(rng, spellings)] = old

    _at_a_place(rng, draft, change)


@mutator("members: one added", BODIES)
def added(rng: Random, draft: Draft) -> None:
    def change(container: Any, _key: Any) -> None:
        if isinstance(container, dict):
            container.setdefault(pick(rng, UNKNOWN), pick(rng, ("admin", *NASTY_VALUES)))
        else:
            container.append(MARKER)

    _at_a_place(rng, draft, change)


@mutator("members: two exchanged", BODIES)
def exchanged(rng: Random, draft: Draft) -> None:
    def edit(body: Any) -> Any:
        edited = deepcopy(body)
        places = list(_places(edited))
        if places:
            (one, a), (other, b) = pick(rng, places), pick(rng, places)
            try:
                one[a], other[b] = deepcopy(other[b]), deepcopy(one[a])
            except KeyError:
                # One lay inside the other and went away with it.
                return {}
        return edited

    draft.on_body.append(edit)


@mutator("members: nasty text", BODIES)
def nasty_text(rng: Random, draft: Draft) -> None:
    text = pick(rng, NASTY_TEXTS)

    def change(old: Any) -> Any:
        return pick(rng, (text, f"{old}{text}", f"{text}{old}"))

    _replace(rng, draft, change)


@mutator("members: base64url in other words", CREDENTIALS)
def respelled_binary(rng: Random, draft: Draft) -> None:
    def change(old: Any) -> Any:
        text = str(old)
        # Some public vectors have padding already.
        sound = text[-1:].isalnum()
        spellings = [*same_bytes_other_text(text).values()] if sound else []
        standard = text.replace("-", "+").replace("_", "/")
        others = (standard + "=", text + "A", "=", text[:-1], text + "\u0130", "A" * 30_000)
        return pick(rng, (*spellings, *others))

    _replace(rng, draft, change, *BINARY, "userHandle")


@mutator("members: decoded bytes corrupted, not signed again", CREDENTIALS)
def corrupted_binary(rng: Random, draft: Draft) -> None:
    def change(old: Any) -> Any:
        try:
            return b64url(corrupt(rng, from_b64url(old)))
        except (TypeError, ValueError):
            # Some public vectors have padding.
            return b64url(rng.randbytes(at(rng, 100)))

    _replace(rng, draft, change, *BINARY, "userHandle")


@mutator("members: what is ignored", CREDENTIALS)
def ignored(rng: Random, draft: Draft) -> None:
    registers = draft.genuine.kind in (Kind.REGISTER, Kind.VECTOR_REGISTER)

    def edit(body: Any) -> Any:
        edited = deepcopy(body)
        credential = edited["credential" if registers else "assertion"]
        if registers and pick(rng, (True, False)):
            name = pick(rng, list(IGNORED_IN_RESPONSE))
            credential["response"][name] = pick(rng, IGNORED_IN_RESPONSE[name])
        else:
            name = pick(rng, list(IGNORED))
            credential[name] = pick(rng, IGNORED[name])
        return edited

    draft.on_body.append(edit)
