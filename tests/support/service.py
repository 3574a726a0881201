"""The real application, in this process, with its lifespan, database and log: no part is faked.

Tests talk HTTP to it through ASGI; `together` sends many requests at once.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx

from core.clock import Clock
from core.settings import Settings
from devtools.authenticator import SoftAuthenticator
from main import create_app
from routes.edge.application import Application
from routes.parts import Parts
from stores.challenges.memory import MemoryChallenges
from tests.support import production
from tests.support.clock import HeldClock

if TYPE_CHECKING:
    from routes.edge.tracing_spans import Tracing

T = TypeVar("T")

JANE: dict[str, Any] = {
    "first_name": "Jane",
    "last_name": "Doe",
    "email": "jane@example.com",
    "date_of_birth": "1990-01-15",
    "job_title": "Engineer",
}


def person(name: str, **fields: Any) -> dict[str, Any]:
    """Another valid registration form, for `name`@example.com."""
    return {**JANE, "first_name": name.title(), "email": f"{name}@example.com", **fields}


class Service:
    """One running service in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock | None = None,
        tracing: Tracing | None = None,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self._database = production.take_database() if production.is_chosen() else None
        self.settings = Settings(**{**self._backend(), "log_file": folder / "app.log", **settings})
        self.app: Application = create_app(self.settings, clock, tracing)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready: threading.Event = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Service:
        self._thread.start()
        self._ready.wait(30)
        if self._failure:
            self._thread.join()
            raise self._failure
        return self

    def _backend(self) -> dict[str, Any]:
        if self._database is None:
            return {"database_url": f"sqlite:///{self.folder}/app.db"}
        production.flush_redis()
        url = f"{production.SERVER}/{self._database}"
        return {"database_url": url, "database_pool_size": 5, "redis_url": production.REDIS}

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        if self._database is not None:
            production.give_back(self._database)
        if self._failure:
            raise self._failure

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _live(self) -> None:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with (
            self.app.lifespan(self.app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client,
        ):
            self.client = client
            self._ready.set()
            await self._stop.wait()

    @property
    def parts(self) -> Parts:
        """The parts that endpoints use. A test may set others, made by `dataclasses.replace`."""
        parts: Parts = self.app.api.state.parts
        return parts

    @parts.setter
    def parts(self, parts: Parts) -> None:
        self.app.api.state.parts = parts

    def run(self, work: Coroutine[Any, Any, T], seconds: float = 60) -> T:
        """The result of `work`, done in the service's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.run(self.client.request(method, path, **options))

    def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return self.request("POST", path, json=json, **options)

    def get(self, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.request(
            "GET", path, headers={**headers, **options.pop("headers", {})}, **options
        )

    def together(
        self, work: Iterable[Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]]
    ) -> list[httpx.Response]:
        """The answers to many requests that are under way at the same time."""

        async def all_of_them() -> list[httpx.Response]:
            return list(await asyncio.gather(*(start(self.client) for start in work)))

        return self.run(all_of_them())

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What `sqlite3 app.db` (or psql) would print, as dictionaries."""
        if self._database is not None:
            return production.rows(self._database, query, values)
        connection = sqlite3.connect(self.folder / "app.db", timeout=10)
        try:
            connection.row_factory = sqlite3.Row
            found = [dict(row) for row in connection.execute(query, values)]
            connection.commit()
            return found
        finally:
            connection.close()

    def audit(self, event_type: str | None = None) -> list[dict[str, Any]]:
        """The audit rows, oldest first; of one type if it is given."""
        rows = self.rows("SELECT * FROM audit_logs ORDER BY id")
        return [row for row in rows if event_type in (None, row["event_type"])]

    def last_audit(self, event_type: str) -> dict[str, Any]:
        return self.audit(event_type)[-1]

    def let_pass(self, seconds: float) -> None:
        """Let time pass on the clock in the test's hand, and for challenges, on Redis's own."""
        cast(HeldClock, self.parts.clock).advance(seconds)
        if self.settings.redis_url:
            production.age_challenges(seconds)

    def waiting(self) -> int:
        """How many begun ceremonies are kept."""
        if self.settings.redis_url:
            return production.count_challenges()
        return len(cast(MemoryChallenges, self.parts.challenges))

    # -- the ceremonies, as a browser would go through them --

    def begin_registration(self, form: dict[str, Any] = JANE) -> dict[str, Any]:
        answer = self.post("/register/begin", form)
        assert answer.status_code == 200, answer.text
        options: dict[str, Any] = answer.json()["publicKey"]
        return options

    def complete_registration(self, email: str, credential: Any) -> httpx.Response:
        return self.post("/register/complete", {"email": email, "credential": credential})

    def register(
        self, device: SoftAuthenticator, form: dict[str, Any] = JANE, **how: Any
    ) -> dict[str, Any]:
        """Register `form` on `device`; the user object. `how` goes to `device.create`."""
        credential = device.create(self.begin_registration(form), **how)
        answer = self.complete_registration(form["email"], credential)
        assert answer.status_code == 201, answer.text
        user: dict[str, Any] = answer.json()
        return user

    def begin_login(self, email: str | None = JANE["email"]) -> dict[str, Any]:
        answer = self.post("/login/begin", {} if email is None else {"email": email})
        assert answer.status_code == 200, answer.text
        options: dict[str, Any] = answer.json()["publicKey"]
        return options

    def complete_login(self, email: str | None, assertion: Any) -> httpx.Response:
        named = {} if email is None else {"email": email}
        return self.post("/login/complete", {**named, "assertion": assertion})

    def try_login(
        self, device: SoftAuthenticator, email: str | None = JANE["email"], **how: Any
    ) -> httpx.Response:
        """Begin and complete a login; the last answer. `how` goes to `device.get`."""
        return self.complete_login(email, device.get(self.begin_login(email), **how))

    def login(self, device: SoftAuthenticator, email: str | None = JANE["email"]) -> str:
        """Log in; the access token."""
        answer = self.try_login(device, email)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token
