"""Genuine requests, each with a fresh live ceremony where it needs one."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, NamedTuple

from assurance.fuzz.draft import Draft, Genuine, Kind, get, post
from assurance.fuzz.noise import MARKER, pick
from assurance.fuzz.wire import Answer, Request, send
from assurance.fuzz.world import STORED_COUNT, Person, World
from devtools.flaws import Flaw
from tests.support.service import person


class Seed(NamedTuple):
    """Makes one kind of genuine request; `weight` is its share among the seeds."""

    kind: Kind
    weight: int
    make: Callable[[Maker], Coroutine[Any, Any, Draft]]


class Maker:
    """Makes the drafts of one mutant. `sent` keeps what the way there has cost the audit trail."""

    def __init__(self, world: World, rng: Random, name: str) -> None:
        self.world, self.rng, self.name = world, rng, name
        self.sent: list[tuple[Request, Answer]] = []

    async def exchange(self, request: Request) -> Answer:
        """Send an honest request of the way to the mutant, or from it."""
        answer = await send(self.world.service.app, request)
        self.sent.append((request, answer))
        return answer

    async def call(self, path: str, body: Any) -> Answer:
        request = post(path, f"{self.name}.{len(self.sent)}")
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.exchange(Request("POST", path, request.headers, raw))

    async def options(self, path: str, body: Any) -> dict[str, Any]:
        """What a begin call answers."""
        answer = await self.call(path, body)
        options: dict[str, Any] = json.loads(answer.body)["publicKey"]
        return options

    def form(self) -> dict[str, Any]:
        """A registration form nobody has sent before."""
        return person(
            f"{MARKER}.{self.name}", first_name=f"Ann {MARKER}", last_name=MARKER, job_title=MARKER
        )

    def post(self, path: str) -> Request:
        return post(path, self.name)


async def registration(maker: Maker) -> Draft:
    """A newcomer's `/register/complete`."""
    form = maker.form()
    device, alg = maker.world.newcomer(maker.rng)
    options = await maker.options("/register/begin", form)
    genuine = Genuine(
        Kind.REGISTER,
        email=form["email"],
        challenge=options["challenge"],
        backup_eligible=device.backup_eligible,
        form=form,
        device=device,
    )

    def body(flaw: Flaw) -> dict[str, Any]:
        credential = device.create(options, alg=alg, flaw=flaw)
        genuine.key = device.passkeys[-1].public_key
        return {"email": form["email"], "credential": credential}

    return Draft(genuine, maker.post("/register/complete"), body)


async def login(maker: Maker) -> Draft:
    """The `/login/complete` of someone who named their email."""
    who = pick(maker.rng, maker.world.people)
    options = await maker.options("/login/begin", {"email": who.email})
    return _assertion(maker, Kind.LOGIN, who, options, {"email": who.email})


async def usernameless(maker: Maker) -> Draft:
    """The `/login/complete` of someone who did not."""
    who = pick(maker.rng, maker.world.people)
    options = await maker.options("/login/begin", {})
    return _assertion(maker, Kind.USERNAMELESS, who, options, {})


def _assertion(
    maker: Maker, kind: Kind, who: Person, options: dict[str, Any], named: dict[str, Any]
) -> Draft:
    passkey = who.passkey
    genuine = Genuine(
        kind,
        email=named.get("email"),
        challenge=options["challenge"],
        credential_id=passkey.credential_id,
        key=passkey.public_key,
        backup_eligible=passkey.backup_eligible,
        # The device counts on; here every accepted count is taken back.
        sign_count=STORED_COUNT if who.device.counter else 0,
        user_handle=passkey.user_handle,
        user_id=who.user_id,
        device=who.device,
    )

    def body(flaw: Flaw) -> dict[str, Any]:
        return {**named, "assertion": who.device.get(options, passkey=passkey, flaw=flaw)}

    return Draft(genuine, maker.post("/login/complete"), body)


async def register_begin(maker: Maker) -> Draft:
    """A newcomer's form."""
    form = maker.form()
    genuine = Genuine(Kind.REGISTER_BEGIN, email=form["email"], form=form)
    return Draft(genuine, maker.post("/register/begin"), lambda _: dict(form))


async def login_begin(maker: Maker) -> Draft:
    """Someone's wish to log in: known, unknown, disabled, or not saying."""
    world = maker.world
    emails = [who.email for who in (*world.people, world.disabled)]
    email = pick(maker.rng, [*emails, f"{MARKER}.nobody@example.com", None])
    body = {} if email is None else {"email": email}
    return Draft(
        Genuine(Kind.LOGIN_BEGIN, email=email), maker.post("/login/begin"), lambda _: dict(body)
    )


async def profile(maker: Maker) -> Draft:
    """Someone reads their profile, or an admin does."""
    world = maker.world
    who = pick(maker.rng, world.people)
    reader = pick(maker.rng, (who, who, world.admin))
    genuine = Genuine(Kind.PROFILE, user_id=who.user_id, token=reader.token, form=who.profile)
    return Draft(genuine, get(f"/users/{who.user_id}", maker.name, reader.token))


SEEDS: Sequence[Seed] = (
    Seed(Kind.REGISTER, 26, registration),
    Seed(Kind.LOGIN, 24, login),
    Seed(Kind.USERNAMELESS, 8, usernameless),
    Seed(Kind.REGISTER_BEGIN, 12, register_begin),
    Seed(Kind.LOGIN_BEGIN, 6, login_begin),
    Seed(Kind.PROFILE, 10, profile),
)
