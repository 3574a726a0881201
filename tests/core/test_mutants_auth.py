"""The ceremonies over a store that is a list: every row, event and answer to the letter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

import pytest

import audit
from audit import Caller, Event, Party
from auth import LoggedIn, Passkeys
from core.config import Settings
from core.database import Change, Database, Transaction
from core.decoys import Decoys
from core.errors import ApiError, Unavailable
from core.relying_party import RelyingParty
from core.tokens import Tokens
from devtools.authenticator import Flaw, SoftAuthenticator
from devtools.encoding import b64url
from schemas import EmailAddress, RegisterBegin
from stores import credentials, users
from stores.challenges import MemoryChallenges
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
    """The tables as lists; a unit that raises leaves them as they were."""

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

    async def append(self, unit: Callable[[Transaction], T]) -> T:
        return await self.write(unit)

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

    def sample(self, tx: Transaction, count: int) -> list[tuple[tuple[int, str], ...]]:
        assert (tx, count) == (TX, 1000)
        return [((20, "usb"),)]


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
    monkeypatch.setattr(credentials, "sample_shapes", world.sample)
    return world


def ceremonies(world: World, *, reveal: bool = False) -> Passkeys:
    settings, clock = Settings(), HeldClock(AT)
    return Passkeys(
        db=cast(Database, world),
        challenges=MemoryChallenges(clock, 100),
        relying_party=RelyingParty(settings, clock),
        tokens=Tokens(settings, clock),
        decoys=Decoys(settings),
        danger_reveal_unknown_email=reveal,
    )


@pytest.fixture
def passkeys(world: World) -> Passkeys:
    return ceremonies(world)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def refused(work: Coroutine[Any, Any, Any]) -> tuple[int, str, str]:
    with pytest.raises(ApiError) as caught:
        run(work)
    return caught.value.status, caught.value.code, caught.value.detail


def register(passkeys: Passkeys, device: SoftAuthenticator, flaw: Flaw | None = None) -> UserRow:
    options = run(passkeys.register_begin(CALLER, FORM))
    credential = device.create(options, flaw=flaw or Flaw())
    return run(passkeys.register_complete(CALLER, JANE, credential))


def assertion(
    passkeys: Passkeys, device: SoftAuthenticator, email: EmailAddress | None, flaw: Flaw
) -> dict[str, Any]:
    return device.get(run(passkeys.login_begin(CALLER, email)), flaw=flaw)


def log_in(
    passkeys: Passkeys,
    device: SoftAuthenticator,
    email: EmailAddress | None = JANE,
    flaw: Flaw | None = None,
) -> LoggedIn:
    answer = assertion(passkeys, device, email, flaw or Flaw())
    return run(passkeys.login_complete(CALLER, email, answer))


def test_a_registration_is_begun_with_these_options(passkeys: Passkeys, world: World) -> None:
    options = run(passkeys.register_begin(CALLER, FORM))
    assert world.trail == [audit.RegistrationBegun(Party(None, "jane@example.com"))]
    user = options["user"]
    assert (user["name"], user["displayName"]) == ("jane@example.com", "Jane Doe")
    assert len(options["challenge"]) == 43
    assert world.people == []


def test_an_email_is_registered_once(passkeys: Passkeys, world: World) -> None:
    register(passkeys, SoftAuthenticator())
    world.trail.clear()
    answer = refused(passkeys.register_begin(CALLER, FORM))
    sentence = "This email cannot be registered"
    assert answer == (409, "registration_not_possible", sentence)
    party = Party(None, "jane@example.com")
    assert world.trail == [audit.RegistrationBeginRefused(party, reason="email_taken")]


def test_a_registration_writes_these_rows(passkeys: Passkeys, world: World) -> None:
    device = SoftAuthenticator(
        transports=("usb", "internal"), backup_eligible=True, backed_up=False
    )
    user = register(passkeys, device, Flaw(sign_count=3))
    assert UUID(user.id).version == 4
    assert user == UserRow(
        id=user.id,
        first_name="Jane",
        last_name="Doe",
        email="jane@example.com",
        email_typed="Jane@Example.com",
        date_of_birth=FORM.date_of_birth,
        job_title="Engineer",
        role="user",
        disabled=0,
        created_at=AT,
    )
    assert world.people == [user]
    (row,) = world.keys
    assert UUID(row.id).version == 4
    assert row.id != user.id
    assert row == CredentialRow(
        id=row.id,
        user_id=user.id,
        credential_id=device.passkeys[0].credential_id,
        public_key=row.public_key,
        sign_count=3,
        transports="internal,usb",
        aaguid="8d7a4a4e-5f0f-4b0c-9c2f-6d2b7a51c0de",
        backup_eligible=1,
        backed_up=0,
        user_verified=1,
        created_at=AT,
    )
    assert device.passkeys[0].user_handle == user.id.encode()
    done = audit.RegistrationCompleted(Party.of(user), aaguid=row.aaguid or "")
    assert world.trail[1:] == [done]


@pytest.mark.parametrize("backed_up", [True, False])
def test_backup_is_stored_as_numbers(passkeys: Passkeys, world: World, backed_up: bool) -> None:
    device = SoftAuthenticator(backup_eligible=backed_up, backed_up=backed_up)
    register(passkeys, device)
    (row,) = world.keys
    assert (row.backup_eligible, row.backed_up) == (int(backed_up), int(backed_up))
    assert type(row.backed_up) is type(row.backup_eligible) is type(row.user_verified) is int
    log_in(passkeys, device)
    assert world.used[0]["new_backed_up"] is int(backed_up)


def test_a_passkey_that_is_registered_shapes_the_decoys(passkeys: Passkeys, world: World) -> None:
    """D1: length and transports of the only one there is."""
    register(passkeys, SoftAuthenticator(transports=("usb",)), Flaw(credential_id=b"i" * 21))
    ((key, transports),) = passkeys.decoys.of("nobody@example.com")
    assert (len(key), transports) == (21, "usb")


def test_the_decoys_are_told_of_an_account_once(
    passkeys: Passkeys, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D1: with the passkeys it has, which is one."""
    added: list[Any] = []
    monkeypatch.setattr(Decoys, "add", lambda _, shape: added.append(shape))
    register(passkeys, SoftAuthenticator())
    assert added == [((32, "internal"),)]


def test_the_decoys_learn_from_the_passkeys_there_are(passkeys: Passkeys) -> None:
    run(passkeys.start())
    ((key, transports),) = passkeys.decoys.of("nobody@example.com")
    assert (len(key), transports) == (20, "usb")


REGISTRATION: dict[str, tuple[Flaw, str]] = {
    "a bad origin": (Flaw(origin="http://evil.example"), "origin"),
    "another challenge": (Flaw(challenge="A" * 43), "no_ceremony"),
    "no challenge": (Flaw(client_data_members={"challenge": 7}), "member_challenge"),
    "no user verified": (Flaw(uv=False), "user_not_verified"),
}


@pytest.mark.parametrize("name", REGISTRATION)
def test_a_registration_that_fails_is_one_row_and_one_answer(
    passkeys: Passkeys, world: World, name: str
) -> None:
    """A15: what failed stands in the trail only."""
    flaw, reason = REGISTRATION[name]
    options = run(passkeys.register_begin(CALLER, FORM))
    credential = SoftAuthenticator().create(options, flaw=flaw)
    assert refused(passkeys.register_complete(CALLER, JANE, credential)) == FAILED
    party = Party(None, "jane@example.com")
    assert world.trail[1:] == [audit.RegistrationRefused(party, reason=reason)]
    assert (world.people, world.keys) == ([], [])


def test_a_registration_is_completed_for_the_email_it_was_begun_for(
    passkeys: Passkeys, world: World
) -> None:
    """A3: nobody else's."""
    credential = SoftAuthenticator().create(run(passkeys.register_begin(CALLER, FORM)))
    assert refused(passkeys.register_complete(CALLER, BOB, credential)) == FAILED
    party = Party(None, "bob@example.com")
    assert world.trail[1:] == [audit.RegistrationRefused(party, reason="other_email")]


def test_a_challenge_of_a_login_registers_nobody(passkeys: Passkeys, world: World) -> None:
    """A3: and the other way round."""
    login = run(passkeys.login_begin(CALLER, None))
    flaw = Flaw(challenge=login["challenge"])
    options = run(passkeys.register_begin(CALLER, FORM))
    credential = SoftAuthenticator().create(options, flaw=flaw)
    assert refused(passkeys.register_complete(CALLER, JANE, credential)) == FAILED
    assert world.trail[-1].reason == "other_ceremony"


def test_a_challenge_of_a_registration_logs_nobody_in(passkeys: Passkeys, world: World) -> None:
    """A3: and the other way round."""
    device = SoftAuthenticator()
    register(passkeys, device)
    other = FORM.model_copy(update={"email": BOB})
    flaw = Flaw(challenge=run(passkeys.register_begin(CALLER, other))["challenge"])
    answer = assertion(passkeys, device, JANE, flaw)
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    assert world.trail[-1].reason == "other_ceremony"


def test_of_two_registrations_of_one_email_the_second_fails(
    passkeys: Passkeys, world: World
) -> None:
    credential = SoftAuthenticator().create(run(passkeys.register_begin(CALLER, FORM)))
    register(passkeys, SoftAuthenticator())
    assert refused(passkeys.register_complete(CALLER, JANE, credential)) == FAILED
    assert world.trail[-1].reason == "email_taken"
    assert (len(world.people), len(world.keys)) == (1, 1)


def test_a_credential_id_is_registered_once(passkeys: Passkeys, world: World) -> None:
    """A12: whoever has it."""
    register(passkeys, SoftAuthenticator(), Flaw(credential_id=b"i" * 16))
    other = FORM.model_copy(update={"email": BOB})
    options = run(passkeys.register_begin(CALLER, other))
    credential = SoftAuthenticator().create(options, flaw=Flaw(credential_id=b"i" * 16))
    assert refused(passkeys.register_complete(CALLER, BOB, credential)) == FAILED
    assert world.trail[-1].reason == "credential_taken"
    assert (len(world.people), len(world.keys)) == (1, 1)


def test_a_login_for_an_email_offers_its_passkeys(passkeys: Passkeys, world: World) -> None:
    user = register(passkeys, SoftAuthenticator(transports=("usb", "internal")))
    options = run(passkeys.login_begin(CALLER, JANE))
    key = b64url(world.keys[0].credential_id)
    offered = {"type": "public-key", "id": key, "transports": ["internal", "usb"]}
    assert options["allowCredentials"] == [offered]
    assert world.trail[-1] == audit.LoginBegun(Party(user.id, "jane@example.com"))


def test_a_passkey_without_transports_is_offered_without(passkeys: Passkeys, world: World) -> None:
    register(passkeys, SoftAuthenticator(transports=()))
    (offered,) = run(passkeys.login_begin(CALLER, JANE))["allowCredentials"]
    assert (world.keys[0].transports, "transports" in offered) == ("", False)


def test_a_login_for_an_unknown_email_offers_a_decoy(passkeys: Passkeys, world: World) -> None:
    """D1: the one of the canonical email."""
    options = run(passkeys.login_begin(CALLER, JANE))
    ((key, transports),) = passkeys.decoys.of("jane@example.com")
    shown = {"type": "public-key", "id": b64url(key), "transports": [transports]}
    assert options["allowCredentials"] == [shown]
    party = Party(None, "jane@example.com")
    assert world.trail == [audit.LoginBeginUnknown(party, reason="unknown_email")]


def test_an_account_without_a_passkey_gets_a_decoy_too(passkeys: Passkeys, world: World) -> None:
    register(passkeys, SoftAuthenticator())
    world.keys.clear()
    assert len(run(passkeys.login_begin(CALLER, JANE))["allowCredentials"]) == 1
    party = Party(None, "jane@example.com")
    assert world.trail[-1] == audit.LoginBeginUnknown(party, reason="no_passkey")


def test_unknown_emails_are_not_revealed_unless_it_is_said() -> None:
    """D1: whoever forgets to say so reveals nothing."""
    assert Passkeys.danger_reveal_unknown_email is False


def test_unknown_emails_are_revealed_on_request_only(world: World) -> None:
    """D1: and known ones are served all the same."""
    open_hearted = ceremonies(world, reveal=True)
    assert refused(open_hearted.login_begin(CALLER, JANE)) == INVALID
    register(open_hearted, SoftAuthenticator())
    assert run(open_hearted.login_begin(CALLER, JANE))["allowCredentials"]


def test_a_login_without_an_email_offers_nothing(passkeys: Passkeys, world: World) -> None:
    assert run(passkeys.login_begin(CALLER, None))["allowCredentials"] == []
    assert world.trail == [audit.LoginBegun()]


@pytest.mark.parametrize("email", [JANE, None], ids=["by email", "usernameless"])
def test_a_login_is_on_record_before_its_token(
    passkeys: Passkeys, world: World, email: EmailAddress | None
) -> None:
    device = SoftAuthenticator()
    user = register(passkeys, device)
    world.trail.clear()
    answer = log_in(passkeys, device, email)
    assert answer.user.id == user.id
    assert passkeys.tokens.verify(answer.access_token) == user.id
    assert world.trail[1:] == [audit.LoginCompleted(Party.of(user))]
    values = {"key": world.keys[0].id, "new_count": 1, "new_backed_up": 0, "moment": AT}
    assert world.used == [values]


def test_a_usernameless_login_may_name_its_email_at_the_end(passkeys: Passkeys) -> None:
    device = SoftAuthenticator()
    user = register(passkeys, device)
    answer = assertion(passkeys, device, None, Flaw())
    assert run(passkeys.login_complete(CALLER, JANE, answer)).user.id == user.id


LOGIN: dict[str, tuple[Flaw, str, bool]] = {
    # The flaw, the reason, and whether the account was found before it was noticed.
    "a bad signature": (Flaw(flip_signature_bit=True), "signature", True),
    "a bad origin": (Flaw(origin="http://evil.example"), "origin", True),
    "another user": (Flaw(user_handle=b"bob"), "user_handle", True),
    "an unknown passkey": (Flaw(credential_id=b"j" * 32), "unknown_credential", False),
    "another challenge": (Flaw(challenge="A" * 43), "no_ceremony", False),
    "no challenge": (Flaw(client_data_members={"challenge": 7}), "member_challenge", False),
    "no signature": (Flaw(response={"signature": None}), "member_signature", False),
}


@pytest.mark.parametrize("email", [JANE, None], ids=["by email", "usernameless"])
@pytest.mark.parametrize("name", LOGIN)
def test_a_login_that_fails_is_one_row_and_one_answer(
    passkeys: Passkeys, world: World, name: str, email: EmailAddress | None
) -> None:
    """A15: what failed stands in the trail only."""
    flaw, reason, found = LOGIN[name]
    device = SoftAuthenticator()
    user = register(passkeys, device)
    answer = assertion(passkeys, device, email, flaw)
    assert refused(passkeys.login_complete(CALLER, email, answer)) == INVALID
    claimed = Party(None, email.canonical if email else None)
    who = Party.of(user) if found else claimed
    assert world.trail[-1] == audit.LoginRefused(who, reason=reason)
    assert world.used == []


def test_a_login_is_completed_for_the_email_it_was_begun_for(
    passkeys: Passkeys, world: World
) -> None:
    """A3: neither for another nor for none."""
    device = SoftAuthenticator()
    register(passkeys, device)
    for email in (BOB, None):
        answer = assertion(passkeys, device, JANE, Flaw())
        assert refused(passkeys.login_complete(CALLER, email, answer)) == INVALID
        claimed = Party(None, email.canonical if email else None)
        assert world.trail[-1] == audit.LoginRefused(claimed, reason="other_email")


def test_a_passkey_of_another_account_does_not_do(passkeys: Passkeys, world: World) -> None:
    """A3: the email named at the end is the owner's."""
    device = SoftAuthenticator()
    user = register(passkeys, device)
    answer = assertion(passkeys, device, None, Flaw())
    assert refused(passkeys.login_complete(CALLER, BOB, answer)) == INVALID
    assert world.trail[-1] == audit.LoginRefused(Party.of(user), reason="other_email")


def test_a_passkey_that_was_not_offered_does_not_do(passkeys: Passkeys, world: World) -> None:
    """A5: not even one of the same account."""
    device = SoftAuthenticator()
    user = register(passkeys, device)
    (row,) = world.keys
    world.keys[0] = row._replace(credential_id=b"o" * 32)
    options = run(passkeys.login_begin(CALLER, JANE))
    world.keys[0] = row
    answer = device.get(options, flaw=Flaw(ignores_options=True))
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    refusal = audit.LoginRefused(Party.of(user), reason="credential_not_offered")
    assert world.trail[-1] == refusal


def test_a_disabled_user_does_not_get_in(passkeys: Passkeys, world: World) -> None:
    device = SoftAuthenticator()
    user = register(passkeys, device)
    world.people[0] = user._replace(disabled=1)
    answer = assertion(passkeys, device, None, Flaw())
    assert refused(passkeys.login_complete(CALLER, None, answer)) == INVALID
    assert world.trail[-1] == audit.LoginRefused(Party.of(user), reason="user_disabled")


def test_a_usernameless_login_needs_the_user_handle(passkeys: Passkeys, world: World) -> None:
    """A4: nothing else names the account; by email something does."""
    device = SoftAuthenticator()
    register(passkeys, device)
    absent = Flaw(response={"userHandle": None})
    assert log_in(passkeys, device, JANE, absent).access_token
    answer = assertion(passkeys, device, None, absent)
    assert refused(passkeys.login_complete(CALLER, None, answer)) == INVALID
    assert world.trail[-1].reason == "user_handle_missing"


def test_a_sign_count_seen_before_is_a_possible_clone(passkeys: Passkeys, world: World) -> None:
    """A10: by the look at the signature, and by the write that comes too late."""
    device = SoftAuthenticator()
    user = register(passkeys, device, Flaw(sign_count=7))
    answer = assertion(passkeys, device, JANE, Flaw(sign_count=7))
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    assert world.trail[-1] == audit.CloneSuspected(Party.of(user))
    assert world.used == []
    world.moves = False
    answer = assertion(passkeys, device, JANE, Flaw(sign_count=8))
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    assert world.trail[-1] == audit.CloneSuspected(Party.of(user))
    assert not any(isinstance(event, audit.LoginCompleted) for event in world.trail)


def test_a_synced_passkey_stays_one(passkeys: Passkeys, world: World) -> None:
    device = SoftAuthenticator(backup_eligible=True)
    register(passkeys, device)
    answer = assertion(passkeys, device, JANE, Flaw(be=False))
    assert refused(passkeys.login_complete(CALLER, JANE, answer)) == INVALID
    assert world.trail[-1].reason == "backup_eligibility_changed"


@pytest.mark.parametrize("credential", [{}, {"response": 7}], ids=repr)
def test_a_credential_that_is_none_fails_like_any(
    passkeys: Passkeys, world: World, credential: dict[str, Any]
) -> None:
    """A15: with no challenge in it, nothing is taken."""
    assert refused(passkeys.register_complete(CALLER, JANE, credential)) == FAILED
    assert refused(passkeys.login_complete(CALLER, None, credential)) == INVALID
    assert [event.reason for event in world.trail] == ["member_response"] * 2


def test_a_failed_try_spends_its_challenge(passkeys: Passkeys, world: World) -> None:
    """A1: whatever was wrong with it."""
    device = SoftAuthenticator()
    register(passkeys, device)
    options = run(passkeys.login_begin(CALLER, JANE))
    bad = device.get(options, flaw=Flaw(origin="http://evil.example"))
    assert refused(passkeys.login_complete(CALLER, JANE, bad)) == INVALID
    assert refused(passkeys.login_complete(CALLER, JANE, device.get(options))) == INVALID
    assert world.trail[-1].reason == "no_ceremony"


def test_a_disabled_user_is_offered_a_decoy_and_the_reason_is_on_record(
    passkeys: Passkeys, world: World
) -> None:
    device = SoftAuthenticator()
    register(passkeys, device)
    user = world.people[0]
    world.people[0] = user._replace(disabled=1)
    own = world.keys[0].credential_id
    options = run(passkeys.login_begin(CALLER, JANE))
    assert [key["id"] for key in options["allowCredentials"]] != [b64url(own)]
    assert world.trail[-1] == audit.LoginBeginUnknown(
        Party(None, user.email), reason="user_disabled"
    )


def test_decoys_are_learnt_again_until_they_are_settled(
    passkeys: Passkeys, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other workers register people, too; a database that is away is asked again."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            monkeypatch.setattr(world, "read", away)
        if len(slept) == 3:
            monkeypatch.setattr(type(passkeys.decoys), "settled", True)

    async def away(_unit: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(asyncio, "sleep", sleep)
    run(passkeys.keep_learning())
    assert slept == [30, 30, 30]
