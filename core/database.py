"""The database, as two verbs: `await db.read(unit)` and `await db.write(unit)`.

A unit is a plain function of an open transaction (a SQLAlchemy `Connection`); it never commits.
`write` answers only after the commit, so what was answered with 2xx survives a power cut.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from core.errors import Unavailable

logger = logging.getLogger("service.database")

T = TypeVar("T")
Unit = Callable[[Connection], T]
AfterCommit = Callable[[], None]

_AFTER_COMMIT = "after_commit"


class DatabaseUnavailable(Unavailable):
    """The database gave no answer, or could not make the change durable. Nothing was changed."""


class Database(Protocol):
    """What the service asks of a database, whichever it is."""

    async def start(self) -> None:
        """Open it and bring the schema up to date."""
        ...

    async def stop(self) -> None:
        """Finish what was accepted, then close."""
        ...

    async def read(self, unit: Unit[T]) -> T:
        """Run `unit` on one consistent snapshot. Raises DatabaseUnavailable."""
        ...

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` and commit; if it raises, nothing remains. Raises DatabaseUnavailable."""
        ...


def after_commit(tx: Connection, callback: AfterCommit) -> None:
    """Have `callback` called once the transaction `tx` is durable, and never if it is not."""
    tx.info.setdefault(_AFTER_COMMIT, []).append(callback)


def take_callbacks(tx: Connection) -> list[AfterCommit]:
    """The callbacks that the unit just run has left on `tx`, which is clean afterwards."""
    callbacks: list[AfterCommit] = tx.info.pop(_AFTER_COMMIT, [])
    return callbacks


def notify(callbacks: Iterable[AfterCommit]) -> None:
    """Call what waited for the commit. A failure is logged: the rows are durable all the same."""
    for callback in callbacks:
        try:
            callback()
        except Exception as error:
            logger.error("after-commit callback failed", exc_info=error)
