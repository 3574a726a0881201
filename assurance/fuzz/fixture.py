"""The service under test with people in it. Only this module knows internals of the service."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, closing, redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Protocol
from unittest.mock import patch

from sqlalchemy import text

from assurance.fuzz.asgi_client import RawRequest, RawResponse, send
from assurance.fuzz.byte_mutations import MARKER, pick
from assurance.fuzz.request_builder import post
from assurance.support.people import registration_form
from assurance.support.server_process import temporary_folder
from core.relying_party.ceremonies import RelyingParty
from core.relying_party.options import MAX_OFFERED_ID
from core.settings import Settings
from core.settings.checks import DEVELOPMENT_SECRET
from devtools.authenticator import SoftAuthenticator
from devtools.cose import EDDSA, ES256, RS256
from devtools.soft_passkey import SoftPasskey
from main import create_app
from routes.edge.application import Application
from routes.parts import Parts

TOKEN_SECRET = DEVELOPMENT_SECRET
# Everyone has logged in once.
STORED_COUNT = 1


class Service(Protocol):
    """A service that runs in this event loop, with its folder, and SQL from another connection."""

    app: Application
    folder: Path
    parts: Parts

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]: ...


@dataclass
class LocalService:
    """A service on SQLite."""

    app: Application
    folder: Path

    @property
    def parts(self) -> Parts:
        """The parts that endpoints use."""
        parts: Parts = self.app.api.state.parts
        return parts

    @parts.setter
    def parts(self, parts: Parts) -> None:
        self.app.api.state.parts = parts

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.folder / "app.db", timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            found = [dict(row) for row in connection.execute(query, values)]
            connection.commit()
            return found


@asynccontextmanager
async def local_service() -> AsyncIterator[LocalService]:
    """A service in a temporary folder, without rate limits."""
    # The service prints a banner to stderr.
    with temporary_folder() as folder, redirect_stderr(io.StringIO()):
        database, log = f"sqlite:///{folder}/app.db", folder / "app.log"
        settings = Settings(database_url=database, log_file=log, danger_rate_limits_off=True)
        app = create_app(settings)
        async with app.lifespan(app):
            yield LocalService(app, folder)


def next_challenge(challenge: str) -> AbstractContextManager[Any]:
    """In the block the service gives out this challenge."""
    return patch("stores.challenges.memory.new_challenge", return_value=challenge)


@dataclass(frozen=True)
class Person:
    """Someone with an account, and the device that holds the passkey."""

    email: str
    user_id: str
    device: SoftAuthenticator
    token: str
    profile: dict[str, Any]

    @property
    def passkey(self) -> SoftPasskey:
        return self.device.passkeys[0]


class Client:
    """Sends honest requests before and after a mutant; `sent` keeps them for the audit check."""

    def __init__(self, service: Service, name: str) -> None:
        self.service, self.name = service, name
        self.sent: list[tuple[RawRequest, RawResponse]] = []

    async def exchange(self, request: RawRequest) -> RawResponse:
        answer = await send(self.service.app, request)
        self.sent.append((request, answer))
        return answer

    async def call(self, path: str, body: Any) -> RawResponse:
        """POST `body` as JSON, under a request id of its own."""
        request = post(path, f"{self.name}.{len(self.sent)}")
        return await self.exchange(replace(request, body=json.dumps(body).encode()))

    async def options(self, path: str, body: Any) -> dict[str, Any]:
        """The WebAuthn options that a begin call answers."""
        options: dict[str, Any] = json.loads((await self.call(path, body)).body)["publicKey"]
        return options

    async def register(
        self, form: dict[str, Any], device: SoftAuthenticator, alg: int
    ) -> RawResponse:
        options = await self.options("/register/begin", form)
        body = {"email": form["email"], "credential": device.create(options, alg=alg)}
        return await self.call("/register/complete", body)

    async def log_in(
        self, email: str, device: SoftAuthenticator, passkey: SoftPasskey
    ) -> RawResponse:
        # A longer id is never offered: its passkey logs in without an email.
        is_offered = len(passkey.credential_id) <= MAX_OFFERED_ID
        named = {"email": email} if is_offered else {}
        options = await self.options("/login/begin", named)
        assertion = device.get(options, passkey=passkey)
        return await self.call("/login/complete", {**named, "assertion": assertion})


class World:
    """One service, the people registered with it, and keys for new devices."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.people: list[Person] = []
        self.admin: Person
        self.disabled: Person
        self._passkeys = service.parts.passkeys

    @classmethod
    async def populated(cls, service: Service) -> World:
        """A world with four people, an administrator and a disabled account."""
        world = cls(service)
        world.people = [
            await world._register("es256", ES256),
            await world._register("eddsa", EDDSA, backup_eligible=True, backed_up=True),
            await world._register("rs256", RS256),
            await world._register("synced", ES256, counter=False, backup_eligible=True),
        ]
        world.admin = await world._register("admin", ES256)
        await world.sql("UPDATE users SET role = 'admin' WHERE id = ?", world.admin.user_id)
        world.disabled = await world._register("disabled", ES256)
        await world.sql("UPDATE users SET disabled = 1 WHERE id = ?", world.disabled.user_id)
        return world

    async def _register(self, name: str, alg: int, **settings: Any) -> Person:
        device, client = SoftAuthenticator(**settings), Client(self.service, f"fixture.{name}")
        form = registration_form(f"{MARKER}.{name}", last_name=MARKER, job_title=MARKER)
        profile = json.loads((await client.register(form, device, alg)).body)
        answer = await client.log_in(form["email"], device, device.passkeys[0])
        token = json.loads(answer.body)["access_token"]
        return Person(form["email"], profile["id"], device, token, profile)

    def serve_as(self, relying_party: RelyingParty | None = None) -> None:
        """Serve another relying party from now on; None restores the one of the settings."""
        party = relying_party or self._passkeys.relying_party
        passkeys = replace(self._passkeys, relying_party=party)
        self.service.parts = replace(self.service.parts, passkeys=passkeys)

    async def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Run SQL on another connection. In a thread: the caller is in the service's event loop."""
        return await asyncio.to_thread(self.service.rows, query, *values)

    async def write(self, statement: str, **values: Any) -> None:
        """Run SQL on the service's own connection, where foreign keys cascade."""
        query = text(statement).bindparams(**values)
        await self.service.parts.db.write(lambda tx: tx.query(query))

    def new_device(self, rng: Random) -> tuple[SoftAuthenticator, int]:
        """A device without a passkey, and the algorithm for its first one.

        Its passkeys reuse the private key of a registered person: an RSA key takes 0.1 s to make.
        """
        model, eligible = pick(rng, self.people).passkey, pick(rng, (False, True))
        backed_up = eligible and pick(rng, (False, True))
        device = _DeviceWithKey(model, backup_eligible=eligible, backed_up=backed_up)
        return device, model.alg


class _DeviceWithKey(SoftAuthenticator):
    def __init__(self, model: SoftPasskey, **settings: Any) -> None:
        super().__init__(**settings)
        self._model = model

    def _new_passkey(self, public_key: Any, alg: int, flaw: Any) -> SoftPasskey:
        made = super()._new_passkey(public_key, EDDSA, flaw)
        made.private_key, made.alg = self._model.private_key, alg
        return made
