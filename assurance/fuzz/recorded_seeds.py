"""Public test vectors as seeds: ceremonies of real authenticators, which cannot be signed again.

Each vector meets the relying party, the challenge and the time that it was recorded for. The
vectors themselves are test data and stay in tests/vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from assurance.fuzz import oracle_cbor
from assurance.fuzz.byte_mutations import pick
from assurance.fuzz.fixture import World, next_challenge
from assurance.fuzz.oracle import public_key
from assurance.fuzz.request_builder import Draft, Expectation, Kind
from assurance.fuzz.seeds import SEEDS, Maker, Seed
from core.ids import random_id
from core.relying_party.ceremonies import RelyingParty
from tests.support.clock import HeldClock
from tests.vectors.ceremony import settings_of, stored_key, was_backup_eligible
from tests.vectors.source import Vector, octets, vectors

DELETE_OWNER = """DELETE FROM users WHERE id IN
    (SELECT user_id FROM webauthn_credentials WHERE credential_id = :credential_id)"""
ADD_USER = """INSERT INTO users (id, first_name, last_name, email, date_of_birth, job_title)
    VALUES (:user_id, 'Ann', 'Vector', :email, '1990-01-15', 'Vector')"""
ADD_PASSKEY = """INSERT INTO webauthn_credentials
    (id, user_id, credential_id, public_key, sign_count, backup_eligible)
    VALUES (:user_id, :user_id, :credential_id, :public_key, :sign_count, :backup_eligible)"""


@cache
def registrations() -> Sequence[Vector]:
    return tuple(vector for vector in vectors() if vector.is_registration)


@cache
def assertions() -> Sequence[Vector]:
    """The recorded assertions whose key this service could have stored."""
    return tuple(each for each in vectors() if not each.is_registration and stored_key(each))


class _Recorded:
    """Makes drafts of vectors; keeps the relying party of each vector for the next time."""

    def __init__(self) -> None:
        self._parties: dict[str, RelyingParty] = {}

    def serve(self, world: World, vector: Vector) -> None:
        if vector.name not in self._parties:
            folder = world.service.folder / f"roots-{len(self._parties)}"
            folder.mkdir()
            clock = HeldClock(vector.moment)
            self._parties[vector.name] = RelyingParty(settings_of(vector, folder), clock)
        world.serve_as(self._parties[vector.name])

    async def begin(self, maker: Maker, vector: Vector, path: str, body: Any) -> str:
        with next_challenge(str(vector.given["challenge_b64url"]).rstrip("=")):
            return str((await maker.options(path, body))["challenge"])

    async def registration(self, maker: Maker) -> Draft:
        """A recorded registration, for a new form."""
        vector, form = pick(maker.rng, registrations()), maker.form()
        self.serve(maker.world, vector)
        # An earlier mutant or an assertion's account may have this credential id.
        credential_id = octets(vector.credential.get("rawId", ""))
        await maker.world.write(DELETE_OWNER, credential_id=credential_id)
        expected = Expectation(
            Kind.VECTOR_REGISTER,
            email=form["email"],
            challenge=await self.begin(maker, vector, "/register/begin", form),
            rp_id=vector.given["rp_id"],
            origins=vector.origins,
            form=form,
            response=vector.credential["response"],
            attestation=vector.attestation,
        )
        body = {"email": form["email"], "credential": vector.credential}
        return maker.draft(expected, "/register/complete", lambda _: deepcopy(body))

    async def login(self, maker: Maker) -> Draft:
        """A recorded assertion, by an account that has only this passkey."""
        vector, email = pick(maker.rng, assertions()), maker.form()["email"]
        user_id, key = random_id(), stored_key(vector) or b""
        self.serve(maker.world, vector)
        expected = Expectation(
            Kind.VECTOR_LOGIN,
            email=email,
            rp_id=vector.given["rp_id"],
            origins=vector.origins,
            credential_id=octets(vector.credential["rawId"]),
            key=public_key(oracle_cbor.only_item(key)),
            backup_eligible=was_backup_eligible(vector),
            sign_count=vector.given.get("prior_sign_count") or 0,
            user_handle=user_id.encode(),
            user_id=user_id,
        )
        await maker.world.write(DELETE_OWNER, credential_id=expected.credential_id)
        await maker.world.write(ADD_USER, user_id=user_id, email=email)
        await maker.world.write(
            ADD_PASSKEY,
            user_id=user_id,
            credential_id=expected.credential_id,
            public_key=key,
            sign_count=expected.sign_count,
            backup_eligible=int(expected.backup_eligible),
        )
        expected.challenge = await self.begin(maker, vector, "/login/begin", {"email": email})
        body = {"email": email, "assertion": vector.credential}
        return maker.draft(expected, "/login/complete", lambda _: deepcopy(body))


def all_seeds() -> Sequence[Seed]:
    """Every seed: ceremonies of the software authenticator, and recorded ones."""
    recorded = _Recorded()
    return (
        *SEEDS,
        Seed(Kind.VECTOR_REGISTER, 8, recorded.registration),
        Seed(Kind.VECTOR_LOGIN, 6, recorded.login),
    )
