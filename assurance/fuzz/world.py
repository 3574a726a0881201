"""The service under test, with people in it."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text

from assurance.fuzz.noise import MARKER, pick
from core.relying_party import RelyingParty
from devtools.authenticator import SoftAuthenticator
from devtools.cose import EDDSA, ES256, RS256
from devtools.soft_passkey import SoftPasskey
from tests.support.service import Service, person

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 (a fresh folder is made in it)
# Everyone has logged in once.
STORED_COUNT = 1
ROOM_NEEDED = 400 << 20


@dataclass(frozen=True)
class Person:
    """Someone with an account, and the device it was made on."""

    email: str
    user_id: str
    device: SoftAuthenticator
    token: str
    profile: dict[str, Any]

    @property
    def passkey(self) -> SoftPasskey:
        return self.device.passkeys[0]


class World:
    """One service, everyone registered with it, and keys for those who come."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.state = service.app.state
        self._passkeys = self.state.passkeys
        self.people = [
            self._settle("es256", ES256),
            self._settle("eddsa", EDDSA, backup_eligible=True, backed_up=True),
            self._settle("rs256", RS256),
            self._settle("synced", ES256, counter=False, backup_eligible=True),
        ]
        self.admin = self._settle("admin", ES256)
        service.rows("UPDATE users SET role = 'admin' WHERE id = ?", self.admin.user_id)
        self.disabled = self._settle("disabled", ES256)
        service.rows("UPDATE users SET disabled = 1 WHERE id = ?", self.disabled.user_id)
        # An RSA key takes a tenth of a second to make: newcomers choose among those made once.
        self._keys = [person.passkey for person in self.people]

    def _settle(self, name: str, alg: int, **device: Any) -> Person:
        laptop = SoftAuthenticator(**device)
        form = person(f"{MARKER}.{name}", last_name=MARKER, job_title=MARKER)
        profile = self.service.register(laptop, form, alg=alg)
        token = self.service.login(laptop, form["email"])
        return Person(form["email"], profile["id"], laptop, token, profile)

    def answer_as(self, relying_party: RelyingParty | None = None) -> None:
        """Serve another relying party from now on, or again the one of the settings."""
        party = relying_party or self._passkeys.relying_party
        self.state.passkeys = replace(self._passkeys, relying_party=party)

    async def write(self, statement: str, **values: Any) -> None:
        """Run SQL on the service's own connection, where foreign keys cascade."""
        await self.state.db.write(lambda tx: tx.execute(text(statement), values))

    def newcomer(self, rng: Random) -> tuple[SoftAuthenticator, int]:
        """A device that makes passkeys without delay, and the algorithm to ask it for."""
        model = pick(rng, self._keys)
        eligible = pick(rng, (False, True))
        device = Newcomer(
            model, backup_eligible=eligible, backed_up=eligible and pick(rng, (False, True))
        )
        return device, model.alg


class Newcomer(SoftAuthenticator):
    """A device whose new passkeys share the key of another, under ids of their own."""

    def __init__(self, model: SoftPasskey, **settings: Any) -> None:
        super().__init__(**settings)
        self._model = model

    def _new_passkey(self, public_key: Any, alg: int, flaw: Any) -> SoftPasskey:
        made = super()._new_passkey(public_key, EDDSA, flaw)
        made.private_key, made.alg = self._model.private_key, alg
        return made


def memory_disk() -> Path | None:
    """Where a temporary folder costs no time, if there is room; disks are not the subject here."""
    roomy = MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free > ROOM_NEEDED
    return MEMORY_DISK if roomy else None


@contextmanager
def started() -> Iterator[Service]:
    """A service in a temporary folder."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=memory_disk()))
        # The banner is for operators.
        with redirect_stderr(io.StringIO()):
            service = stack.enter_context(Service(Path(folder), danger_rate_limits_off=True))
        yield service
