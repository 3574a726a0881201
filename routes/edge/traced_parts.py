"""The parts of the service whose work is a span of its own, inside the span of a request.

Each wrapper calls the wrapped method by its name, so mypy notices when that method is renamed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from core.clock import Clock
from core.database.interface import REPORT_SECONDS, Database, Unit
from core.relying_party.ceremonies import RelyingParty
from core.relying_party.credential_record import (
    CredentialRecord,
    NewCredentialRecord,
    VerifiedLogin,
)
from core.relying_party.response_json import AuthenticationResponse, RegistrationResponse
from core.settings import Settings

T = TypeVar("T")
# A child span of this name, inside a request that has a span; nothing outside of one.
ChildSpan = Callable[[str], AbstractContextManager[None]]


class TracedDatabase:
    """A Database whose reads and writes are spans."""

    def __init__(self, db: Database, child_span: ChildSpan) -> None:
        self._db, self._child_span = db, child_span
        self.listeners = db.listeners

    async def start(self) -> None:
        """As Database.start."""
        await self._db.start()

    async def stop(self) -> None:
        """As Database.stop."""
        await self._db.stop()

    async def read(self, unit: Unit[T]) -> T:
        """As Database.read."""
        with self._child_span("database read"):
            return await self._db.read(unit)

    async def write(self, unit: Unit[T]) -> T:
        """As Database.write."""
        with self._child_span("database write"):
            return await self._db.write(unit)

    async def autocommit(self, unit: Unit[T]) -> T:
        """As Database.autocommit."""
        with self._child_span("database write"):
            return await self._db.autocommit(unit)

    async def decide(self, unit: Unit[T]) -> T:
        """As Database.decide."""
        with self._child_span("database write"):
            return await self._db.decide(unit)

    async def report(self, unit: Unit[T], seconds: float = REPORT_SECONDS) -> T:
        """As Database.report."""
        with self._child_span("database read"):
            return await self._db.report(unit, seconds)

    def metrics(self) -> dict[str, int]:
        """As Database.metrics."""
        return self._db.metrics()


class TracedRelyingParty(RelyingParty):
    """A RelyingParty whose verifications are spans."""

    def __init__(self, settings: Settings, clock: Clock, child_span: ChildSpan) -> None:
        super().__init__(settings, clock)
        self._child_span = child_span

    def verify_registration(
        self, response: RegistrationResponse, *, expected_challenge: str
    ) -> NewCredentialRecord:
        """As RelyingParty.verify_registration."""
        with self._child_span("verify registration"):
            return super().verify_registration(response, expected_challenge=expected_challenge)

    def verify_authentication(
        self,
        response: AuthenticationResponse,
        *,
        expected_challenge: str,
        credential_record: CredentialRecord,
        require_user_handle: bool,
    ) -> VerifiedLogin:
        """As RelyingParty.verify_authentication."""
        with self._child_span("verify login"):
            return super().verify_authentication(
                response,
                expected_challenge=expected_challenge,
                credential_record=credential_record,
                require_user_handle=require_user_handle,
            )
