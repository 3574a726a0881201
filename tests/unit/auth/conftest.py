"""The ceremonies of auth.py over tables that are lists: each row and event can be compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import pytest

import audit
from audit import Caller, Event
from auth import LoggedIn, PasskeyCeremonies
from core.database.interface import Change, Database, Transaction
from core.email_address import EmailAddress
from core.errors import ApiError
from core.relying_party.ceremonies import RelyingParty
from core.relying_party.decoys import Decoys
from core.settings import Settings
from core.tokens import Tokens
from devtools.authenticator import Flaw, SoftAuthenticator
from schemas import RegisterBegin
from stores import credentials, users
from stores.challenges.memory import MemoryChallenges
from stores.credentials import Account, CredentialRow, CredentialTaken
from stores.users import EmailTaken, UserRow
from tests.support.clock import HeldClock

T = TypeVar("T")
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CALLER = Caller("192.0.2.7", "curl/8", "r-1", AT)
TX = cast(Transaction, object())
JANE, BOB = EmailAddress("Jane@Example.com"), EmailAddress("bob@example.com")
FORM = RegisterBegin.model_validate(
    {
        "first_name": "Jane",
        "last_name": "Doe",
        "email": "Jane@Example.com",
        "date_of_birth": "1990-01-15",
        "job_title": "Engineer",
    }
)
INVALID = (401, "invalid_credentials", "Invalid credentials")
FAILED = (400, "registration_failed", "Registration failed")


@dataclass
class World:
    """A database whose tables are lists; a unit that raises leaves them as they were."""

    people: list[UserRow] = field(default_factory=list)
    keys: list[CredentialRow] = field(default_factory=list)
    trail: list[Event] = field(default_factory=list)
    used: list[dict[str, Any]] = field(default_factory=list)
    moves: bool = True

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        kept = list(self.people), list(self.keys), list(self.trail), list(self.used)
        try:
            return unit(TX)
        except BaseException:
            self.people, self.keys, self.trail, self.used = kept
            raise

    autocommit = decide = write

    async def read(self, unit: Callable[[Transaction], T]) -> T:
        return unit(TX)

    def record(self, tx: Transaction, caller: Caller, event: Event) -> None:
        assert (tx, caller) == (TX, CALLER)
        self.trail.append(event)

    def id_of(self, tx: Transaction, email: str) -> str | None:
        assert tx is TX
        return next((row.id for row in self.people if row.email == email), None)

    def add_user(self, tx: Transaction, user: UserRow) -> None:
        assert tx is TX
        if self.id_of(tx, user.email):
            raise EmailTaken
        self.people.append(user)

    def add_key(self, tx: Transaction, row: CredentialRow) -> None:
        assert tx is TX
        if any(known.credential_id == row.credential_id for known in self.keys):
            raise CredentialTaken
        self.keys.append(row)

    def account_of(self, tx: Transaction, email: str) -> Account | None:
        assert tx is TX
        user_id = self.id_of(tx, email)
        mine = [row for row in self.keys if row.user_id == user_id]
        shown = tuple((row.credential_id, row.transports) for row in mine)
        off = any(row.id == user_id and row.disabled for row in self.people)
        return Account(user_id, off, shown) if user_id else None

    def with_owner(self, tx: Transaction, key: bytes) -> tuple[CredentialRow, UserRow] | None:
        assert tx is TX
        owners = {user.id: user for user in self.people}
        return next(
            ((row, owners[row.user_id]) for row in self.keys if row.credential_id == key), None
        )

    def record_if(self, tx: Transaction, caller: Caller, event: Event, change: Change) -> bool:
        self.used.append(dict(change.values))
        if self.moves:
            self.record(tx, caller, event)
        return self.moves


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(audit, "record", world.record)
    monkeypatch.setattr(users, "id_of", world.id_of)
    monkeypatch.setattr(users, "add", world.add_user)
    monkeypatch.setattr(credentials, "add", world.add_key)
    monkeypatch.setattr(credentials, "account_of", world.account_of)
    monkeypatch.setattr(credentials, "with_owner", world.with_owner)
    monkeypatch.setattr(audit, "record_if", world.record_if)
    return world


def ceremonies(world: World, *, offers: bool = True, reveal: bool = False) -> PasskeyCeremonies:
    settings, clock = Settings(), HeldClock(AT)
    return PasskeyCeremonies(
        db=cast(Database, world),
        challenges=MemoryChallenges(clock, 100),
        relying_party=RelyingParty(settings, clock),
        tokens=Tokens(settings, clock),
        decoys=Decoys(settings),
        offers_credentials=offers,
        danger_reveal_unknown_email=reveal,
    )


@pytest.fixture
def passkeys(world: World) -> PasskeyCeremonies:
    return ceremonies(world)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def refused(work: Coroutine[Any, Any, Any]) -> tuple[int, str, str]:
    with pytest.raises(ApiError) as caught:
        run(work)
    return caught.value.status, caught.value.code, caught.value.detail


def register(
    passkeys: PasskeyCeremonies, device: SoftAuthenticator, flaw: Flaw | None = None
) -> UserRow:
    options = run(passkeys.register_begin(CALLER, FORM))
    credential = device.create(options, flaw=flaw or Flaw())
    return run(passkeys.register_complete(CALLER, JANE, credential))


def assertion(
    passkeys: PasskeyCeremonies, device: SoftAuthenticator, email: EmailAddress | None, flaw: Flaw
) -> dict[str, Any]:
    return device.get(run(passkeys.login_begin(CALLER, email)), flaw=flaw)


def log_in(
    passkeys: PasskeyCeremonies,
    device: SoftAuthenticator,
    email: EmailAddress | None = JANE,
    flaw: Flaw | None = None,
) -> LoggedIn:
    answer = assertion(passkeys, device, email, flaw or Flaw())
    return run(passkeys.login_complete(CALLER, email, answer))
