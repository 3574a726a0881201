"""The parts of the service whose work is a span of its own, inside the span of a request.

Each wrapper calls the wrapped method by its name, so mypy notices when that method is renamed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from core.client_data import AuthenticationResponse, RegistrationResponse
from core.clock import Clock
from core.config import Settings
from core.database import Database, Unit
from core.relying_party import NewPasskey, RelyingParty, StoredPasskey, VerifiedLogin

T = TypeVar("T")
# A child span of this name, inside a request that has a span; nothing outside of one.
ChildSpan = Callable[[str], AbstractContextManager[None]]


class TracedDatabase:
    """A Database whose reads and writes are spans."""

    def __init__(self, db: Database, child_span: ChildSpan) -> None:
        self._db, self._child_span = db, child_span

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

    async def append(self, unit: Unit[T]) -> T:
        """As Database.append."""
        with self._child_span("database write"):
            return await self._db.append(unit)

    def figures(self) -> dict[str, int]:
        """As Database.figures."""
        return self._db.figures()


class TracedRelyingParty(RelyingParty):
    """A RelyingParty whose verifications are spans."""

    def __init__(self, settings: Settings, clock: Clock, child_span: ChildSpan) -> None:
        super().__init__(settings, clock)
        self._child_span = child_span

    def verify_registration(
        self, response: RegistrationResponse, *, expected_challenge: str
    ) -> NewPasskey:
        """As RelyingParty.verify_registration."""
        with self._child_span("verify registration"):
            return super().verify_registration(response, expected_challenge=expected_challenge)

    def verify_authentication(
        self,
        response: AuthenticationResponse,
        *,
        expected_challenge: str,
        stored: StoredPasskey,
        require_user_handle: bool,
    ) -> VerifiedLogin:
        """As RelyingParty.verify_authentication."""
        with self._child_span("verify login"):
            return super().verify_authentication(
                response,
                expected_challenge=expected_challenge,
                stored=stored,
                require_user_handle=require_user_handle,
            )
