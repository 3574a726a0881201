"""Public test vectors as seeds: ceremonies of real authenticators, which cannot be signed again.

Each is played against the relying party it was made for, with the challenge it was made with, at
the time its certificates were checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from functools import cache
from typing import Any
from unittest.mock import patch

from assurance.fuzz import oracle_cbor
from assurance.fuzz.draft import Draft, Genuine, Kind
from assurance.fuzz.noise import pick
from assurance.fuzz.oracle_registration import public_key
from assurance.fuzz.seeds import SEEDS, Maker, Seed
from assurance.fuzz.world import World
from core.ids import random_id
from core.relying_party import RelyingParty
from tests.support.clock import HeldClock
from tests.vectors.ceremony import settings_of, stored_key, was_backup_eligible
from tests.vectors.source import Vector, octets, vectors

FORGET = """DELETE FROM users WHERE id IN
    (SELECT user_id FROM webauthn_credentials WHERE credential_id = :credential_id)"""
SETTLE = """INSERT INTO users (id, first_name, last_name, email, date_of_birth, job_title)
    VALUES (:user_id, 'Ann', 'Vector', :email, '1990-01-15', 'Vector')"""
ENROL = """INSERT INTO webauthn_credentials
    (id, user_id, credential_id, public_key, sign_count, backup_eligible)
    VALUES (:user_id, :user_id, :credential_id, :public_key, :sign_count, :backup_eligible)"""


@cache
def registrations() -> Sequence[Vector]:
    """Every recorded registration."""
    return tuple(vector for vector in vectors() if vector.is_registration)


@cache
def assertions() -> Sequence[Vector]:
    """The recorded assertions with a key this service could have stored."""
    return tuple(each for each in vectors() if not each.is_registration and stored_key(each))


class Parties:
    """The relying parties of the vectors, each made when it is first needed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, RelyingParty] = {}

    def answer_for(self, vector: Vector) -> None:
        """Serve the relying party of `vector` from now on."""
        if vector.name not in self._made:
            folder = self._world.service.folder / f"roots-{len(self._made)}"
            folder.mkdir()
            settings = settings_of(vector, folder)
            self._made[vector.name] = RelyingParty(settings, HeldClock(vector.moment))
        self._world.answer_as(self._made[vector.name])


def _challenge_of(vector: Vector) -> AbstractContextManager[Any]:
    """The next challenge that is given out is the one the vector was made with."""
    text = str(vector.given["challenge_b64url"]).rstrip("=")
    return patch("stores.challenges.new_challenge", return_value=text)


async def _registration(parties: Parties, maker: Maker) -> Draft:
    """A recorded registration, for a form of ours."""
    vector, form = pick(maker.rng, registrations()), maker.form()
    parties.answer_for(vector)
    # It may have been registered by an earlier mutant, or belong to an assertion's account.
    credential_id = octets(vector.credential.get("rawId", ""))
    await maker.world.write(FORGET, credential_id=credential_id)
    with _challenge_of(vector):
        options = await maker.options("/register/begin", form)
    genuine = Genuine(
        Kind.VECTOR_REGISTER,
        email=form["email"],
        challenge=options["challenge"],
        rp_id=vector.given["rp_id"],
        origins=vector.origins,
        form=form,
        response=vector.credential["response"],
    )
    body = {"email": form["email"], "credential": vector.credential}
    return Draft(genuine, maker.post("/register/complete"), lambda _: deepcopy(body))


async def _login(parties: Parties, maker: Maker) -> Draft:
    """A recorded assertion, by an account that has just this passkey."""
    vector, email, user_id = pick(maker.rng, assertions()), maker.form()["email"], random_id()
    parties.answer_for(vector)
    key = stored_key(vector) or b""
    genuine = Genuine(
        Kind.VECTOR_LOGIN,
        email=email,
        rp_id=vector.given["rp_id"],
        origins=vector.origins,
        credential_id=octets(vector.credential["rawId"]),
        key=public_key(oracle_cbor.whole(key)),
        backup_eligible=was_backup_eligible(vector),
        sign_count=vector.given.get("prior_sign_count") or 0,
        user_handle=user_id.encode(),
        user_id=user_id,
    )
    await maker.world.write(FORGET, credential_id=genuine.credential_id)
    await maker.world.write(SETTLE, user_id=user_id, email=email)
    await maker.world.write(
        ENROL,
        user_id=user_id,
        credential_id=genuine.credential_id,
        public_key=key,
        sign_count=genuine.sign_count,
        backup_eligible=int(genuine.backup_eligible),
    )
    with _challenge_of(vector):
        genuine.challenge = (await maker.options("/login/begin", {"email": email}))["challenge"]
    body = {"email": email, "assertion": vector.credential}
    return Draft(genuine, maker.post("/login/complete"), lambda _: deepcopy(body))


def all_seeds(world: World) -> Sequence[Seed]:
    """Every seed there is: our own ceremonies, and the recorded ones."""
    parties = Parties(world)
    recorded = (
        Seed(Kind.VECTOR_REGISTER, 8, lambda maker: _registration(parties, maker)),
        Seed(Kind.VECTOR_LOGIN, 6, lambda maker: _login(parties, maker)),
    )
    return (*SEEDS, *recorded)
