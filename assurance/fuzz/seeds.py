"""Makes genuine requests, each with a fresh and unused challenge where it needs one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, NamedTuple

from assurance.fuzz.byte_mutations import MARKER, pick
from assurance.fuzz.fixture import STORED_COUNT, Client, World
from assurance.fuzz.request_builder import Draft, Expectation, Kind, get, post
from assurance.support.people import registration_form
from devtools.flaws import Flaw


class Maker(Client):
    """The client of one mutant, with the mutant's random numbers."""

    def __init__(self, world: World, rng: Random, name: str) -> None:
        super().__init__(world.service, name)
        self.world, self.rng = world, rng

    def form(self) -> dict[str, Any]:
        """A registration form whose email is unused."""
        return registration_form(
            f"{MARKER}.{self.name}", first_name=f"Ann {MARKER}", last_name=MARKER, job_title=MARKER
        )

    def draft(self, expected: Expectation, path: str, body: Callable[[Flaw], Any]) -> Draft:
        """A POST request to `path`."""
        return Draft(expected, post(path, self.name), body)


class Seed(NamedTuple):
    """Makes one kind of genuine request; `weight` is its share among the seeds."""

    kind: Kind
    weight: int
    make: Callable[[Maker], Coroutine[Any, Any, Draft]]


async def registration(maker: Maker) -> Draft:
    """/register/complete of a new person."""
    form = maker.form()
    device, alg = maker.world.new_device(maker.rng)
    options = await maker.options("/register/begin", form)
    expected = Expectation(
        Kind.REGISTER,
        email=form["email"],
        challenge=options["challenge"],
        backup_eligible=device.backup_eligible,
        form=form,
        device=device,
    )

    def body(flaw: Flaw) -> dict[str, Any]:
        credential = device.create(options, alg=alg, flaw=flaw)
        expected.key = device.passkeys[-1].public_key
        return {"email": form["email"], "credential": credential}

    return maker.draft(expected, "/register/complete", body)


async def login(maker: Maker, *, usernameless: bool = False) -> Draft:
    """/login/complete, begun with an email or without one."""
    who = pick(maker.rng, maker.world.people)
    named = {} if usernameless else {"email": who.email}
    options = await maker.options("/login/begin", named)
    passkey = who.passkey
    expected = Expectation(
        Kind.USERNAMELESS if usernameless else Kind.LOGIN,
        email=named.get("email"),
        challenge=options["challenge"],
        credential_id=passkey.credential_id,
        key=passkey.public_key,
        backup_eligible=passkey.backup_eligible,
        # The verdict sets the stored count back after each accepted login.
        sign_count=STORED_COUNT if who.device.counter else 0,
        user_handle=passkey.user_handle,
        user_id=who.user_id,
        device=who.device,
    )

    def body(flaw: Flaw) -> dict[str, Any]:
        return {**named, "assertion": who.device.get(options, passkey=passkey, flaw=flaw)}

    return maker.draft(expected, "/login/complete", body)


async def register_begin(maker: Maker) -> Draft:
    """The form of a new person."""
    form = maker.form()
    expected = Expectation(Kind.REGISTER_BEGIN, email=form["email"], form=form)
    return maker.draft(expected, "/register/begin", lambda _: dict(form))


async def login_begin(maker: Maker) -> Draft:
    """The beginning of a login: of a known, an unknown or a disabled account, or without email."""
    emails = [who.email for who in (*maker.world.people, maker.world.disabled)]
    email = pick(maker.rng, [*emails, f"{MARKER}.nobody@example.com", None])
    body = {} if email is None else {"email": email}
    expected = Expectation(Kind.LOGIN_BEGIN, email=email)
    return maker.draft(expected, "/login/begin", lambda _: dict(body))


async def profile(maker: Maker) -> Draft:
    """A profile, read by its owner or by the administrator."""
    who = pick(maker.rng, maker.world.people)
    reader = pick(maker.rng, (who, who, maker.world.admin))
    expected = Expectation(Kind.PROFILE, user_id=who.user_id, token=reader.token, form=who.profile)
    return Draft(expected, get(f"/users/{who.user_id}", maker.name, reader.token))


SEEDS: Sequence[Seed] = (
    Seed(Kind.REGISTER, 26, registration),
    Seed(Kind.LOGIN, 24, login),
    Seed(Kind.USERNAMELESS, 8, lambda maker: login(maker, usernameless=True)),
    Seed(Kind.REGISTER_BEGIN, 12, register_begin),
    Seed(Kind.LOGIN_BEGIN, 6, login_begin),
    Seed(Kind.PROFILE, 10, profile),
)
