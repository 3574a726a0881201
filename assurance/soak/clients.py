"""People with software passkeys, who remember what they sent and what was answered."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from assurance.support.people import registration_form
from devtools.authenticator import SoftAuthenticator

# Longer than any answer may take: a request that runs into it hangs.
PATIENCE_SECONDS = 60
# Loading the certificates that https would need takes longer than a login.
_PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
RECOVERY_SECONDS = 5
BROKEN = 0
EVENTS = {
    "/register/begin": "registration_begin",
    "/register/complete": "registration_complete",
    "/login/begin": "login_begin",
    "/login/complete": "login_complete",
}


def connect(url: str) -> httpx.AsyncClient:
    """A client that keeps its connections, as many as it likes."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(
        base_url=url, verify=_PLAIN, trust_env=False, timeout=PATIENCE_SECONDS, limits=limits
    )


@dataclass
class Sent:
    """One request with its answer; the status is BROKEN if the connection broke first."""

    request_id: str
    path: str
    body: Any
    email: str | None
    sign_count: int = 0
    status: int = BROKEN
    answer: Any = None
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Ledger:
    """Everything that was sent, under request ids that begin with `prefix`."""

    prefix: str
    sent: list[Sent] = field(default_factory=list)
    _numbers: Iterable[int] = field(default_factory=itertools.count)

    async def post(
        self, client: httpx.AsyncClient, path: str, body: Any, email: str | None, count: int = 0
    ) -> Sent:
        """Send one request. Never raises for what the network does."""
        request_id = f"{self.prefix}-{next(iter(self._numbers))}"
        sent = Sent(request_id, path, body, email, count)
        self.sent.append(sent)
        begun = time.monotonic()
        try:
            answer = await client.post(path, json=body, headers={"X-Request-ID": request_id})
            sent.status, sent.answer = answer.status_code, answer.json()
        except httpx.TransportError as error:
            sent.answer = type(error).__name__
        sent.seconds = time.monotonic() - begun
        return sent

    def statuses(self) -> dict[int, int]:
        return dict(sorted(Counter(sent.status for sent in self.sent).items()))

    def completed(self) -> list[Sent]:
        return [sent for sent in self.sent if sent.path.endswith("/complete")]

    def slowest(self) -> float:
        return max((sent.seconds for sent in self.sent), default=0.0)


class Person:
    """Someone with one passkey, who does one thing at a time."""

    def __init__(self, name: str, origin: str, *, counter: bool = True) -> None:
        self.form = registration_form(name)
        self.email: str = self.form["email"]
        self.device = SoftAuthenticator(origin=origin, counter=counter)

    async def register(self, client: httpx.AsyncClient, ledger: Ledger) -> Sent:
        """Both steps; the last one that was sent."""
        begun = await ledger.post(client, "/register/begin", self.form, self.email)
        if not begun.succeeded:
            return begun
        body = {"email": self.email, "credential": self.device.create(begun.answer["publicKey"])}
        return await ledger.post(client, "/register/complete", body, self.email)

    async def begin(self, client: httpx.AsyncClient, ledger: Ledger) -> Sent:
        return await ledger.post(client, "/login/begin", {"email": self.email}, self.email)

    def answer(self, begun: Sent) -> dict[str, Any]:
        """The body that completes a login; the passkey counts."""
        return {"email": self.email, "assertion": self.device.get(begun.answer["publicKey"])}

    async def log_in(self, client: httpx.AsyncClient, ledger: Ledger) -> Sent:
        """Both steps; the last one that was sent."""
        begun = await self.begin(client, ledger)
        if not begun.succeeded:
            return begun
        body = self.answer(begun)
        count = self.device.passkeys[-1].sign_count
        return await ledger.post(client, "/login/complete", body, self.email, count)


async def settle(
    url: str, origin: str, names: Iterable[str], *, counter: bool = True
) -> list[Person]:
    """People who have registered."""
    people = [Person(name, origin, counter=counter) for name in names]
    ledger = Ledger("settle")
    async with connect(url) as client:
        for someone in people:
            done = await someone.register(client, ledger)
            assert done.succeeded, (done.path, done.status, done.answer)
    return people


async def keep_logging_in(
    client: httpx.AsyncClient, people: Iterable[Person], ledger: Ledger, stop: asyncio.Event
) -> None:
    """Everybody logs in again and again, whatever is answered, until told to stop."""

    async def live(someone: Person) -> None:
        while not stop.is_set():
            if not (await someone.log_in(client, ledger)).succeeded:
                await asyncio.sleep(0.02)

    await asyncio.gather(*map(live, people))


async def seconds_until_login(client: httpx.AsyncClient, someone: Person) -> float:
    """How long until a login works again, tried every 50 ms; bounded by a minute."""
    begun = time.monotonic()
    while time.monotonic() - begun < 60:
        if (await someone.log_in(client, Ledger("recovery"))).succeeded:
            break
        await asyncio.sleep(0.05)
    return time.monotonic() - begun
