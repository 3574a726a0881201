"""The database, as two verbs: `await db.read(unit)` and `await db.write(unit)`.

A unit is a plain function of an open `Transaction`; it never commits. `write` answers only after
the commit, so what was answered with 2xx survives a power cut.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Executable, Insert, Update

from core.errors import Unavailable

logger = logging.getLogger("service.database")

T = TypeVar("T")
AfterCommit = Callable[[], None]
# Takes one audit row, by column.
Listener = Callable[[Mapping[str, Any]], None]
NO_VALUES: Mapping[str, Any] = {}


class DatabaseUnavailable(Unavailable):
    """The database gave no answer, or could not make the change durable."""


class Conflict(Exception):
    """A row breaks a constraint: its key, or a column that is unique, is taken."""


class Rows:
    """What a statement gave: rows as plain tuples, or the number of rows it changed."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows, self.rowcount = rows, rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        """Every row."""
        return self._rows

    def first(self) -> Any:
        """The first row; None if there is none."""
        return self._rows[0] if self._rows else None

    def scalar(self) -> Any:
        """The first value of the first row; None if there is none."""
        return self._rows[0][0] if self._rows else None


class Change(NamedTuple):
    """A statement that changes rows, with its values by name; not run yet."""

    statement: Update
    values: Mapping[str, Any]


class Transaction(Protocol):
    """An open transaction, as units see it."""

    # What waits for the commit: see `after_commit`.
    callbacks: list[AfterCommit]
    # Those of the database: see `Database.listeners`.
    listeners: Sequence[Listener]

    def execute(self, statement: Executable, values: Mapping[str, Any] = NO_VALUES) -> Rows:
        """Run a Core statement, a constant of its store, with values by name.

        Raises Conflict; DatabaseUnavailable for whatever else the database says.
        """
        ...

    def execute_if(self, change: Change, then: Insert, values: Mapping[str, Any]) -> bool:
        """Make `change`, and run `then` if it changed a row: both, or nothing. Whether it did.

        `then` inserts a SELECT of every column of its table, in their order. Raises as `execute`.
        """
        ...


Unit = Callable[[Transaction], T]


class Database(Protocol):
    """What the service asks of a database, whichever it is."""

    # `audit.record` has each of them called once its row is durable, on any thread. They must not
    # block.
    listeners: list[Listener]

    async def start(self) -> None:
        """Open it and bring the schema up to date."""
        ...

    async def stop(self) -> None:
        """Finish what was accepted, then close."""
        ...

    async def read(self, unit: Unit[T]) -> T:
        """Run `unit`, which changes nothing. Raises DatabaseUnavailable.

        Each of its statements sees what is committed when it runs.
        """
        ...

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` and commit; if it raises, nothing remains. Raises DatabaseUnavailable."""
        ...

    async def append(self, unit: Unit[T]) -> T:
        """As `write`, for a unit whose one change comes at its end: a row, or `execute_if`.

        That needs no transaction around it where a statement is one by itself.
        """
        ...

    def metrics(self) -> dict[str, int]:
        """Its present values, by the names in services/metrics.py."""
        ...


def after_commit(tx: Transaction, callback: AfterCommit) -> None:
    """Have `callback` called once the transaction `tx` is durable, and never if it is not."""
    tx.callbacks.append(callback)


def notify(callbacks: Iterable[AfterCommit]) -> None:
    """Call what waited for the commit. A failure is logged: the rows are durable all the same."""
    for callback in callbacks:
        try:
            callback()
        except Exception as error:
            logger.error("after-commit callback failed", exc_info=error)
