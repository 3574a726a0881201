"""One vector through the real service: its own RP ID, origin, challenge, roots and time.

What the vector's relying party remembered is put where this service remembers it: the challenge
through the challenge store, the account and its passkey through the stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from pydantic import SecretStr, ValidationError

import stores.challenges.memory
import stores.challenges.redis
import tests.support.service
from core.relying_party import cose_key as cose
from core.settings import Settings
from stores import credentials, users
from stores.challenges.interface import Pending, PendingUser
from stores.credentials import CredentialRow
from stores.users import UserRow
from tests.support.clock import HeldClock
from tests.support.service import Service
from tests.vectors.source import Vector, octets, pem_bundle

EMAIL = "jane@example.com"
BORN = datetime(1990, 1, 15, tzinfo=UTC)
FLAGS, BACKUP_ELIGIBLE = 32, 0x08


@dataclass(frozen=True)
class Outcome:
    """What the service answered, and the word that its audit row has for it."""

    status: int
    reason: str | None

    @property
    def accepted(self) -> bool:
        return self.status in (200, 201)


def hold(vector: Vector, attestation: str | None = None) -> Outcome:
    """The ceremony's second half over HTTP, under the policy that permits it or another one."""
    with TemporaryDirectory() as folder, _service(vector, Path(folder), attestation) as service:
        if vector.is_registration:
            _remember_challenge(service, vector, Pending("registration", EMAIL, owner(vector)))
            answer = service.complete_registration(EMAIL, vector.credential)
            event = service.last_audit("registration_complete")
        else:
            _remember_passkey(service, vector)
            offered = frozenset((octets(vector.credential["rawId"]),))
            _remember_challenge(service, vector, Pending("login", EMAIL, offered=offered))
            answer = service.complete_login(EMAIL, vector.credential)
            event = service.last_audit("login_complete")
    return Outcome(answer.status_code, event["reason"])


def settings_of(
    vector: Vector, folder: Path, attestation: str | None = None, **backend: Any
) -> Settings:
    """The vector's relying party as settings, though `Settings` would refuse some of them."""
    values: dict[str, Any] = {
        "rp_id": vector.given["rp_id"],
        "origin": _origins(vector),
        "jwt_secret": SecretStr("a secret of the tests, long enough to be one"),
        "database_url": f"sqlite:///{folder}/app.db",
        "log_file": folder / "app.log",
        **backend,
        "attestation": attestation or vector.attestation,
    }
    if values["attestation"] == "direct":
        values["attestation_roots"] = folder
        (folder / "roots.pem").write_bytes(pem_bundle(vector.roots))
    try:
        return Settings(**values)
    except ValidationError:
        # An origin that is not under the RP ID.
        return Settings.model_construct(**values)


def _origins(vector: Vector) -> tuple[str, ...]:
    """The vector's own; behind an Android app also a page, which is the address of the service."""
    apps_only = all(origin.startswith("android:") for origin in vector.origins)
    page = (f"https://{vector.given['rp_id']}",) if apps_only else ()
    return (*vector.origins, *page)


def owner(vector: Vector) -> PendingUser:
    """Jane, under the user handle that the vector has, if it has one."""
    handle = vector.credential["response"].get("userHandle")
    user_id = octets(handle).decode() if handle else "00000000-0000-4000-8000-000000000001"
    return PendingUser(user_id, "Jane", "Doe", EMAIL, EMAIL, BORN, "Engineer")


def stored_key(vector: Vector) -> bytes | None:
    """The vector's key as it would be kept, unless no account here could have such a key."""
    try:
        return cose.canonical(octets(vector.given["credential_public_key_b64url"]))
    except cose.BadKey:
        return None


def was_backup_eligible(vector: Vector) -> bool:
    """As the registration had it; where the source does not say, as the assertion has it."""
    said = vector.given.get("registered_be")
    data = octets(vector.credential["response"]["authenticatorData"])
    return any(flags & BACKUP_ELIGIBLE for flags in data[FLAGS:][:1]) if said is None else said


@contextmanager
def _service(vector: Vector, folder: Path, attestation: str | None) -> Iterator[Service]:
    made = partial(settings_of, vector, folder, attestation)
    with patch.object(tests.support.service, "Settings", made):
        service = Service(folder, clock=HeldClock(vector.moment))
    with service:
        yield service


def _remember_challenge(service: Service, vector: Vector, pending: Pending) -> None:
    challenge = vector.given["challenge_b64url"]
    with (
        patch.object(stores.challenges.memory, "new_challenge", return_value=challenge),
        patch.object(stores.challenges.redis, "new_challenge", return_value=challenge),
    ):
        assert service.run(service.parts.challenges.put(pending)) == challenge


def _remember_passkey(service: Service, vector: Vector) -> None:
    """The account and its passkey, if it could have been registered."""
    public_key, now = stored_key(vector), service.parts.clock.now()
    if public_key is None:
        return
    user = UserRow(**vars(owner(vector)), role="user", disabled=0, created_at=now)
    passkey = CredentialRow(
        id="passkey",
        user_id=user.id,
        credential_id=octets(vector.credential["rawId"]),
        public_key=public_key,
        sign_count=vector.given["prior_sign_count"],
        transports="",
        aaguid=None,
        backup_eligible=int(was_backup_eligible(vector)),
        backed_up=0,
        user_verified=1,
        created_at=now,
    )

    def unit(tx: Any) -> None:
        users.add(tx, user)
        credentials.add(tx, passkey)

    service.run(service.parts.db.write(unit))
