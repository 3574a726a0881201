"""Makes rows as after years of use, fast, and the same for each size."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from bench.load.authenticator import NO_AAGUID

FIRST = ("Jane", "John", "Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Ken")
LAST = ("Doe", "Roe", "Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Perlman")
JOBS = ("Engineer", "Auditor", "Designer", "Nurse", "Teacher")
AGENTS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
)
# What happens how often, in a hundred events: event, success, reason.
EVENTS: tuple[tuple[int, str, int, str | None], ...] = (
    (34, "login_begin", 1, None),
    (32, "login_complete", 1, None),
    (1, "login_complete", 0, "bad_signature"),
    (29, "user_access", 1, None),
    (1, "user_access", 0, "forbidden"),
    (1, "token_rejected", 0, "expired"),
    (1, "registration_begin", 1, None),
    (1, "registration_complete", 1, None),
)
START = datetime(2024, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=730)
# The emails in the documented queries.
KNOWN = ("admin@example.com", "jane@example.com")


def user_id(number: int) -> str:
    """A random-looking id, as real ones are: ordered ids would make the index too fast."""
    digest = sha256(b"%d" % number).hexdigest()
    parts = digest[:8], digest[8:12], f"4{digest[13:16]}", f"8{digest[17:20]}", digest[20:32]
    return "-".join(parts)


def email(number: int) -> str:
    return KNOWN[number] if number < len(KNOWN) else f"user{number}@example.com"


def text(moment: datetime) -> str:
    """A moment as SQLite stores it."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def users(count: int) -> Iterator[tuple[Any, ...]]:
    """Rows of the table `users`, as SQLite stores them."""
    for number in range(count):
        made = text(START + YEARS * (number / count))
        name = FIRST[number % len(FIRST)], LAST[number % len(LAST)]
        role = "admin" if number == 0 else "user"
        born = "1990-01-15 00:00:00.000000"
        job = JOBS[number % len(JOBS)]
        mail = email(number)
        yield (user_id(number), *name, mail, mail, born, job, role, 0, made)


def passkeys(count: int) -> Iterator[tuple[Any, ...]]:
    """One passkey for each user, with random bytes as its public key."""
    dice = Random(count)
    aaguid = str(uuid.UUID(bytes=NO_AAGUID))
    for number in range(count):
        made = text(START + YEARS * (number / count))
        key = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        blobs = dice.randbytes(32), dice.randbytes(77)
        yield (key, user_id(number), *blobs, 7, "internal", aaguid, 1, 1, 1, made, made)


def events(count: int, people: int) -> Iterator[tuple[Any, ...]]:
    """The audit rows of two years, oldest first. A tenth of the people cause half of them."""
    dice = Random(people)
    kinds = [event for event in EVENTS for _ in range(event[0])]
    ids = [user_id(number) for number in range(people)]
    for number in range(count):
        moment = START + YEARS * (number / count)
        _, kind, success, reason = kinds[int(dice.random() * len(kinds))]
        span = people if dice.random() < 0.5 else max(1, people // 10)
        actor = int(dice.random() * span)
        yield _event(moment, number, kind, success, reason, ids[actor], actor, dice)


def _event(
    moment: datetime,
    number: int,
    kind: str,
    success: int,
    reason: str | None,
    actor_id: str,
    actor: int,
    dice: Random,
) -> tuple[Any, ...]:
    # A version 7 UUID, as the trail has them, without the cost of making one.
    time = f"{int(moment.timestamp() * 1000):012x}"
    middle = f"7{number & 0xFFF:03x}-8{number >> 12 & 0xFFF:03x}"
    key = f"{time[:8]}-{time[8:]}-{middle}-{dice.getrandbits(48):012x}"
    mail = email(actor)
    address = f"10.{actor >> 16 & 255}.{actor >> 8 & 255}.{actor & 255}"
    said = f"User Jane Doe <{mail}> did {kind} (role: user)"
    agent = AGENTS[actor % len(AGENTS)]
    request = f"{dice.getrandbits(64):032x}"
    whom = (mail, actor_id, mail, actor_id)
    return (key, kind, *whom, address, agent, success, reason, said, request, text(moment))
