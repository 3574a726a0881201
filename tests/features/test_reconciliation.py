"""Ten thousand requests, and a row for each: what the client did is what the trail says."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from devtools.authenticator import Flaw, SoftAuthenticator
from tests.conftest import StartService
from tests.support.service import person

ATTEMPTS = 10_000
PEOPLE = 40
# What the trail must say of a request: type, success, and whose email stands there as the actor.
Expected = tuple[str, int, str | None]


@dataclass
class Person:
    """Someone with a passkey, who does one thing at a time."""

    email: str
    form: dict[str, Any]
    device: SoftAuthenticator = field(default_factory=lambda: SoftAuthenticator(counter=False))
    user_id: str = ""
    token: str = ""


class Ledger:
    """Sends requests, and keeps by request id what each of them must have left."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.expected: dict[str, Expected] = {}

    async def send(
        self, expected: Expected, status: int, method: str, path: str, **options: Any
    ) -> Any:
        request_id = f"attempt-{len(self.expected)}"
        self.expected[request_id] = expected
        headers = {"X-Request-ID": request_id, **options.pop("headers", {})}
        answer = await self._client.request(method, path, headers=headers, **options)
        assert answer.status_code == status, (path, answer.text)
        return answer.json()

    async def post(self, expected: Expected, status: int, path: str, body: Any) -> Any:
        return await self.send(expected, status, "POST", path, json=body)

    async def register(self, who: Person) -> None:
        begun: Expected = ("registration_begin", 1, who.email)
        options = await self.post(begun, 200, "/register/begin", who.form)
        body = {"email": who.email, "credential": who.device.create(options["publicKey"])}
        done: Expected = ("registration_complete", 1, who.email)
        who.user_id = (await self.post(done, 201, "/register/complete", body))["id"]
        refused: Expected = ("registration_complete", 0, who.email)
        await self.post(refused, 400, "/register/complete", body)

    async def begin_login(self, who: Person) -> Any:
        begun: Expected = ("login_begin", 1, who.email)
        return (await self.post(begun, 200, "/login/begin", {"email": who.email}))["publicKey"]

    async def log_in(self, who: Person, _draw: random.Random) -> None:
        assertion = who.device.get(await self.begin_login(who))
        body = {"email": who.email, "assertion": assertion}
        done: Expected = ("login_complete", 1, who.email)
        who.token = (await self.post(done, 200, "/login/complete", body))["access_token"]
        replayed: Expected = ("login_complete", 0, who.email)
        await self.post(replayed, 401, "/login/complete", body)

    async def fail(self, who: Person, draw: random.Random) -> None:
        flaws = [Flaw(origin="http://evil.example"), Flaw(flip_signature_bit=True), Flaw(uv=False)]
        assertion = who.device.get(await self.begin_login(who), flaw=draw.choice(flaws))
        refused: Expected = ("login_complete", 0, who.email)
        body = {"email": who.email, "assertion": assertion}
        await self.post(refused, 401, "/login/complete", body)

    async def knock(self, _who: Person, draw: random.Random) -> None:
        email = f"nobody{draw.randrange(1000)}@example.com"
        await self.post(("login_begin", 0, email), 200, "/login/begin", {"email": email})

    async def register_twice(self, who: Person, _draw: random.Random) -> None:
        refused: Expected = ("registration_begin", 0, who.email)
        await self.post(refused, 409, "/register/begin", who.form)

    async def read(self, who: Person, draw: random.Random) -> None:
        own = draw.random() < 0.7
        path = f"/users/{who.user_id if own else 'someone-else'}"
        bearer = {"Authorization": f"Bearer {who.token}"}
        expected: Expected = ("user_access", int(own), who.email)
        await self.send(expected, 200 if own else 403, "GET", path, headers=bearer)

    async def forge(self, who: Person, _draw: random.Random) -> None:
        bearer = {"Authorization": f"Bearer {who.token}x"}
        expected: Expected = ("token_rejected", 0, None)
        await self.send(expected, 401, "GET", f"/users/{who.user_id}", headers=bearer)


Deed = Callable[[Person, random.Random], Awaitable[None]]


def test_ten_thousand_attempts_reconcile_with_the_trail_one_to_one(
    start_service: StartService,
) -> None:
    """E6: no row is missing, none is double, and each says what happened."""
    service = start_service(danger_rate_limits_off=True)
    people = [Person(f"p{n}@example.com", person(f"p{n}")) for n in range(PEOPLE)]

    async def live(ledger: Ledger, who: Person, draw: random.Random) -> None:
        await ledger.register(who)
        await ledger.log_in(who, draw)
        deeds: list[Deed] = [
            ledger.log_in,
            ledger.fail,
            ledger.knock,
            ledger.register_twice,
            ledger.read,
            ledger.forge,
        ]
        while len(ledger.expected) < ATTEMPTS:
            await draw.choice(deeds)(who, draw)

    async def all_of_them() -> Ledger:
        ledger = Ledger(service.client)
        lives = (live(ledger, who, random.Random(who.email)) for who in people)
        await asyncio.gather(*lives)
        return ledger

    ledger = service.run(all_of_them(), seconds=300)
    rows = service.audit()
    kept = {row["request_id"]: row for row in rows}
    assert len(rows) == len(kept) == len(ledger.expected) >= ATTEMPTS
    told = {
        key: (row["event_type"], row["success"], row["user_email"]) for key, row in kept.items()
    }
    assert told == ledger.expected
    assert min(Counter(kind for kind, _, _ in told.values()).values()) > PEOPLE
