"""Recorded attestations encoded again around statements nobody signed: x5c, TPM structures."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

import cbor2

from assurance.fuzz.draft import Draft, Kind, registry
from assurance.fuzz.noise import MARKER, corrupt, pick
from devtools.encoding import b64url
from tests.vectors.source import octets

MUTATORS, mutator = registry()

RECORDED = (Kind.VECTOR_REGISTER,)
FORMATS = ("none", "packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple")
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -7,
    -257,
    -65535,
    2**64 - 1,
    -(2**64),
    "",
    "2.0",
    MARKER,
    b"",
    b"\x30\x00",
    b"\xff" * 300,
    [],
    [b""],
    [[]],
    {},
    {"x5c": []},
)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _edited(rng: Random, attestation: dict[str, Any]) -> dict[str, Any]:
    edited = deepcopy(attestation)
    container, key = pick(rng, list(_places(edited)))
    old = container[key]
    change = pick(rng, ("corrupt", "corrupt", "replace", "remove", "twice"))
    if change == "corrupt" and isinstance(old, bytes):
        container[key] = corrupt(rng, old)
    elif change == "remove":
        del container[key]
    elif change == "twice" and isinstance(container, list):
        container.append(old)
    elif key == "fmt":
        container[key] = pick(rng, FORMATS)
    else:
        container[key] = pick(rng, VALUES)
    return edited


@mutator("recorded attestation: one member", RECORDED)
def members(rng: Random, draft: Draft) -> None:
    def change(body: Any) -> Any:
        edited = deepcopy(body)
        response = edited["credential"]["response"]
        try:
            attestation = cbor2.loads(octets(response["attestationObject"]))
            again = cbor2.dumps(_edited(rng, attestation))
        except (cbor2.CBORError, TypeError, IndexError):
            # Some were recorded because they are malformed.
            again = rng.randbytes(100)
        response["attestationObject"] = b64url(again)
        return edited

    draft.on_body.append(change)
