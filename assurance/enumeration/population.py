"""Accounts to tell apart: with a passkey, disabled, without a passkey, and unknown emails."""

from __future__ import annotations

import secrets
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from assurance.support.people import registration_form
from core.relying_party.decoys import SHAPES
from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.cose import ES256, RS256

Shape = tuple[int, tuple[str, ...]]
"""Length of a credential id, and its transports."""

ONE_SHAPE: Sequence[Shape] = ((32, ("internal",)),)
MIXED: Sequence[Shape] = (
    *[(32, ("internal",))] * 6,
    *[(16, ("hybrid", "internal"))] * 2,
    (64, ("usb",)),
    (20, ()),
)
# The shapes that decoys imitate, in the same shares: 200 people.
PUBLISHED: Sequence[Shape] = tuple(
    (shape.length, tuple(filter(None, shape.transports.split(","))))
    for shape, thousandths in SHAPES.items()
    for _ in range(thousandths // 5)
)
# The algorithms of three people by turns: a refusal must take the same time for each.
ALGORITHMS = (ES256, ES256, RS256)
LOSE_PASSKEYS = """DELETE FROM webauthn_credentials
    WHERE user_id = (SELECT id FROM users WHERE email = ?)"""


@dataclass
class People:
    """Email addresses by kind of account, and the device of each registered email."""

    emails: dict[str, list[str]] = field(default_factory=dict)
    devices: dict[str, SoftAuthenticator] = field(default_factory=dict)


def register_people(url: str, folder: Path, shapes: Sequence[Shape], count: int) -> People:
    """Register `count` people of each kind; their passkeys have the `shapes` by turns."""
    people = People()
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for kind in ("known", "disabled", "no passkey"):
            people.emails[kind] = [
                _register(client, people, shapes[number % len(shapes)], ALGORITHMS[number % 3])
                for number in range(count)
            ]
    people.emails["unknown"] = [_address() for _ in range(count)]
    _for_each(folder, "UPDATE users SET disabled = 1 WHERE email = ?", people.emails["disabled"])
    _for_each(folder, LOSE_PASSKEYS, people.emails["no passkey"])
    return people


def register_hostile_people(url: str, count: int) -> None:
    """Register people whose ids have odd lengths, up to the longest, and odd transports."""
    lengths = (777, 1023, 255, 256, 17, 33, 100)
    transports = (("usb",), ("smart-card", "ble"), ("teleport",), ())
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for number in range(count):
            shape = lengths[number % len(lengths)], transports[number % len(transports)]
            _register(client, People(), shape, ES256)


def give_second_passkeys(folder: Path, emails: Iterable[str]) -> None:
    """Add a second passkey to these accounts with SQL: the API cannot do it yet."""
    with sqlite3.connect(folder / "app.db", timeout=30) as database:
        for email in emails:
            database.execute(
                "INSERT INTO webauthn_credentials (id, user_id, credential_id, public_key, "
                "transports) SELECT ?, id, ?, x'00', 'internal' FROM users WHERE email = ?",
                (str(uuid.uuid4()), secrets.token_bytes(32), email),
            )
    database.close()


def _for_each(folder: Path, statement: str, emails: Iterable[str]) -> None:
    with sqlite3.connect(folder / "app.db", timeout=30) as database:
        database.executemany(statement, [(email,) for email in emails])
    database.close()


def _address() -> str:
    # One length for all: the length is in no answer, but it costs time.
    return f"{secrets.token_hex(6)}@example.com"


def _register(client: httpx.Client, people: People, shape: Shape, alg: int) -> str:
    length, transports = shape
    email = _address()
    form = registration_form("somebody", email=email)
    device = SoftAuthenticator(transports=transports, counter=False)
    flaw = Flaw(credential_id=secrets.token_bytes(length))
    credential = device.create(_options(client, "/register/begin", form), alg=alg, flaw=flaw)
    body = {"email": email, "credential": credential}
    client.post("/register/complete", json=body).raise_for_status()
    people.devices[email] = device
    return email


def _options(client: httpx.Client, path: str, body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body).raise_for_status()
    options: dict[str, Any] = answer.json()["publicKey"]
    return options
