"""Paths: other spellings of those there are, and user ids that are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from assurance.fuzz.draft import Draft, Kind, registry
from assurance.fuzz.noise import MARKER, pick

MUTATORS, mutator = registry()


@mutator("path: spelled otherwise", tuple(Kind))
def paths(rng: Random, draft: Draft) -> None:
    changes: Sequence[Callable[[str], str]] = (
        lambda path: path + "/",
        lambda path: "/" + path,
        lambda path: path.upper(),
        lambda path: path.replace("/", "//"),
        lambda path: path + "%00",
        lambda path: path + "%0a",
        lambda path: path + "%2f",
        lambda path: path + ";a=b",
        lambda path: path + f"?{MARKER}={MARKER}",
        lambda path: path + "/.." + path,
        lambda path: path[:2] + f"%{ord(path[2]):02x}" + path[3:],
        lambda path: "/" + path[1:].replace("/", "%2f"),
        lambda path: f"/static/..%2f..{path}",
        lambda path: "/static/%00",
        lambda path: "/static/" + "a" * 300,
        lambda path: "/static/%ff%fe",
        lambda path: f"/{MARKER}",
        lambda path: "/openapi.json" + path,
        lambda path: path.rpartition("/")[0] or "/",
    )
    change = pick(rng, changes)
    draft.on_request.append(lambda it: replace(it, target=change(it.target)))


@mutator("path: user id", (Kind.PROFILE,))
def user_ids(rng: Random, draft: Draft) -> None:
    user_id = draft.genuine.user_id
    ids = (
        user_id.upper(),
        user_id.replace("-", ""),
        f"%7B{user_id}%7D",
        f"urn:uuid:{user_id}",
        f"{user_id}%00",
        f"%00{user_id}",
        f"{user_id}%0a",
        f"{user_id}%20",
        f"%{ord(user_id[0]):02x}{user_id[1:]}",
        f"{user_id[:-1]}{'0' if user_id[-1] != '0' else '1'}",
        "00000000-0000-0000-0000-000000000000",
        "%00",
        "%ff%fe",
        "%ed%a0%80",
        "%f0%9f%92%a9",
        "..",
        "*",
        "'%20OR%201=1--",
        "null",
        "0",
        "-1",
        "me",
        MARKER,
        "9" * 5000,
        "%e2%80%a8",
        f"{user_id[:8]}%E2%80%91{user_id[9:]}",
    )
    chosen = pick(rng, ids)
    draft.on_request.append(lambda it: replace(it, target=f"/users/{chosen}"))
