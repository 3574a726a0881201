"""D2: compares timings, on one connection, with the requests for all kinds interleaved."""

from __future__ import annotations

import gc
import http.client
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from assurance.enumeration.population import People
from assurance.enumeration.statistics import auc, trimmed
from devtools.authenticator import OMIT, Flaw, SoftAuthenticator
from devtools.encoding import from_b64url
from devtools.options import creation_options

WARM_UP = 100
TRIM = 0.05
HEADERS = {"Content-Type": "application/json"}
ATTACKER = SoftAuthenticator(counter=False)
ATTACKER.create(creation_options())
OWN_EMAIL = "attacker@example.com"


@dataclass(frozen=True)
class Comparison:
    """One kind of account compared with unknown emails."""

    kind: str
    auc: float
    median: float
    median_of_unknown: float

    def __str__(self) -> str:
        return (
            f"{self.kind:12} AUC {self.auc:.3f}   median {self.median * 1e6:7.0f} us, "
            f"unknown {self.median_of_unknown * 1e6:7.0f} us"
        )


class Connection:
    """One kept connection to the service."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def post(self, path: str, members: Mapping[str, Any]) -> tuple[float, dict[str, Any]]:
        """The seconds until the whole answer was there, and the answer."""
        body = json.dumps(members).encode()
        started = time.perf_counter()
        self._connection.request("POST", path, body, HEADERS)
        raw = self._connection.getresponse().read()
        return time.perf_counter() - started, json.loads(raw)


def time_begin(connection: Connection, email: str) -> float:
    """How long `/login/begin` takes."""
    return connection.post("/login/begin", {"email": email})[0]


def time_refusal(connection: Connection, email: str) -> float:
    """How long `/login/complete` takes to refuse an attacker who answers with the offered id."""
    return _time_complete(connection, {"email": email}, _offered(connection, email))


def time_refusal_elsewhere(connection: Connection, email: str) -> float:
    """The same under a challenge that the attacker has begun for another email."""
    return _time_complete(connection, {"email": OWN_EMAIL}, _offered(connection, email))


def time_refusal_without_email(connection: Connection, email: str) -> float:
    """The same in a usernameless login."""
    return _time_complete(connection, {}, _offered(connection, email))


MEASURES: Mapping[str, Callable[[Connection, str], float]] = {
    "/login/begin": time_begin,
    "/login/complete, refused": time_refusal,
    "/login/complete, refused, begun for another email": time_refusal_elsewhere,
    "/login/complete, refused, begun without an email": time_refusal_without_email,
}


def _offered(connection: Connection, email: str) -> bytes:
    """The first credential id in the options for this email, of a passkey or of a decoy.

    The attacker's own if nothing is offered.
    """
    allowed = connection.post("/login/begin", {"email": email})[1]["publicKey"]["allowCredentials"]
    return from_b64url(allowed[0]["id"]) if allowed else ATTACKER.passkeys[0].credential_id


def _time_complete(connection: Connection, named: dict[str, str], credential_id: bytes) -> float:
    options = connection.post("/login/begin", named)[1]["publicKey"]
    # An attacker does not know the user handle. Without it, only the signature can be refused.
    flaw = Flaw(credential_id=credential_id, ignores_options=True, user_handle=OMIT)
    assertion = ATTACKER.get(options, flaw=flaw)
    return connection.post("/login/complete", {**named, "assertion": assertion})[0]


def compare(
    url: str, people: People, count: int, measure: Callable[[Connection, str], float]
) -> list[Comparison]:
    """Takes `count` timings of every kind in random order; compares each kind with unknown."""
    dice = random.Random(1)
    connection, kinds = Connection(url), list(people.emails)
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    gc.collect()
    gc.disable()
    try:
        for number in range(WARM_UP + count):
            for kind in dice.sample(kinds, len(kinds)):
                seconds = measure(connection, dice.choice(people.emails[kind]))
                if number >= WARM_UP:
                    taken[kind].append(seconds)
    finally:
        gc.enable()
    unknown = taken.pop("unknown")
    return [_compared(kind, seconds, unknown) for kind, seconds in taken.items()]


def _compared(kind: str, seconds: list[float], unknown: list[float]) -> Comparison:
    one, other = trimmed(seconds, unknown, TRIM)
    middle = [sorted(sample)[len(sample) // 2] for sample in (one, other)]
    return Comparison(kind, auc(one, other), *middle)
