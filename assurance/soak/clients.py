"""People with software passkeys, and a log of what they sent and what was answered."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from assurance.support.people import registration_form
from devtools.authenticator import SoftAuthenticator

# Longer than any answer may take, on a loaded machine too. A request that takes longer is BROKEN.
ANSWER_TIMEOUT_SECONDS = 60
WORK_TIMEOUT_SECONDS = 180
RECOVERY_SECONDS = 5
BROKEN = 0
# Loading certificates for https would take longer than a login.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
EVENTS = {
    "/register/begin": "registration_begin",
    "/register/complete": "registration_complete",
    "/login/begin": "login_begin",
    "/login/complete": "login_complete",
}


def connect(url: str, address: str | None = None) -> httpx.AsyncClient:
    """A client that keeps any number of connections; `address` goes into X-Forwarded-For."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(
        base_url=url,
        verify=_NO_CERTIFICATES,
        trust_env=False,
        timeout=ANSWER_TIMEOUT_SECONDS,
        limits=limits,
        headers={"X-Forwarded-For": address} if address else None,
    )


@dataclass
class SentRequest:
    """One request with its answer; the status is BROKEN if the connection broke before."""

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
class RequestLog:
    """Every request that was sent with a request id that begins with `prefix`."""

    prefix: str
    sent: list[SentRequest] = field(default_factory=list)
    ended: int = 0
    _numbers: Iterable[int] = field(default_factory=itertools.count)

    async def post(
        self, client: httpx.AsyncClient, path: str, body: Any, email: str | None, count: int = 0
    ) -> SentRequest:
        """Send one request. Network errors are not raised but leave the status BROKEN."""
        request_id = f"{self.prefix}-{next(iter(self._numbers))}"
        sent = SentRequest(request_id, path, body, email, count)
        self.sent.append(sent)
        started = time.monotonic()
        try:
            answer = await client.post(path, json=body, headers={"X-Request-ID": request_id})
            sent.status, sent.answer = answer.status_code, answer.json()
        except httpx.TransportError as error:
            sent.answer = type(error).__name__
        sent.seconds = time.monotonic() - started
        self.ended += 1
        return sent

    async def wait_until_ended(self, more: int) -> None:
        """Return once so many more requests have been answered or broken off."""
        target, deadline = self.ended + more, time.monotonic() + WORK_TIMEOUT_SECONDS
        while self.ended < target:
            assert time.monotonic() < deadline, f"{self.ended} requests of {target} in time"
            await asyncio.sleep(0.005)

    def statuses(self) -> dict[int, int]:
        return dict(sorted(Counter(sent.status for sent in self.sent).items()))

    def completed(self) -> list[SentRequest]:
        return [sent for sent in self.sent if sent.path.endswith("/complete")]

    def slowest(self) -> float:
        return max((sent.seconds for sent in self.sent), default=0.0)


class Person:
    """Someone with one passkey, who does one thing at a time."""

    def __init__(self, name: str, origin: str, *, counter: bool = True) -> None:
        self.form = registration_form(name)
        self.email: str = self.form["email"]
        self.device = SoftAuthenticator(origin=origin, counter=counter)

    async def begin_registration(
        self, client: httpx.AsyncClient, log: RequestLog
    ) -> tuple[SentRequest, dict[str, Any]]:
        """The request that was sent, and the body that completes the registration."""
        begun = await log.post(client, "/register/begin", self.form, self.email)
        if not begun.succeeded:
            return begun, {}
        credential = self.device.create(begun.answer["publicKey"])
        return begun, {"email": self.email, "credential": credential}

    async def register(self, client: httpx.AsyncClient, log: RequestLog) -> SentRequest:
        """Both steps; the last request that was sent."""
        begun, body = await self.begin_registration(client, log)
        if not begun.succeeded:
            return begun
        return await log.post(client, "/register/complete", body, self.email)

    async def begin(self, client: httpx.AsyncClient, log: RequestLog) -> SentRequest:
        return await log.post(client, "/login/begin", {"email": self.email}, self.email)

    def answer(self, begun: SentRequest, **how: Any) -> dict[str, Any]:
        """The body that completes a login; the passkey counts. `how` goes to the device."""
        assertion = self.device.get(begun.answer["publicKey"], **how)
        return {"email": self.email, "assertion": assertion}

    async def begin_login(self, client: httpx.AsyncClient, log: RequestLog) -> dict[str, Any]:
        """The body that completes a login which has begun."""
        return self.answer(await self.begin(client, log))

    async def log_in(self, client: httpx.AsyncClient, log: RequestLog) -> SentRequest:
        """Both steps; the last request that was sent."""
        begun = await self.begin(client, log)
        if not begun.succeeded:
            return begun
        body = self.answer(begun)
        count = self.device.passkeys[-1].sign_count
        return await log.post(client, "/login/complete", body, self.email, count)


def register_people(
    url: str, *names: str, origin: str | None = None, counter: bool = True
) -> list[Person]:
    """People who have registered; `origin` is `url` unless given."""
    people = [Person(name, origin or url, counter=counter) for name in names]

    async def register() -> None:
        async with connect(url) as client:
            for someone in people:
                done = await someone.register(client, RequestLog("register"))
                assert done.succeeded, (done.path, done.status, done.answer)

    asyncio.run(register())
    return people


Stop = Callable[[], Awaitable[None]]


async def under_load(
    url: str,
    people: Iterable[Person],
    log: RequestLog,
    fault: Callable[[httpx.AsyncClient, Stop], Awaitable[None]],
) -> None:
    """Run `fault` while everybody logs in again and again, whatever is answered.

    `fault` may stop the logins before it ends; it then waits for the last answers.
    """
    over = asyncio.Event()

    async def log_in_often(someone: Person) -> None:
        while not over.is_set():
            if not (await someone.log_in(client, log)).succeeded:
                await asyncio.sleep(0.02)

    async with connect(url) as client:
        load = asyncio.gather(*map(log_in_often, people))

        async def stop() -> None:
            over.set()
            await load

        try:
            await fault(client, stop)
        finally:
            await stop()


async def seconds_until_login(client: httpx.AsyncClient, someone: Person) -> float:
    """How long until a login succeeds again, tried every 50 ms, for a minute at most."""
    started = time.monotonic()
    while time.monotonic() - started < ANSWER_TIMEOUT_SECONDS:
        if (await someone.log_in(client, RequestLog("recovery"))).succeeded:
            return time.monotonic() - started
        await asyncio.sleep(0.05)
    raise AssertionError("no login succeeded within a minute after the fault")
