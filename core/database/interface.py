"""The database as the service sees it: five operations on a `Database`, each takes a unit.

A unit is a plain function of an open `Transaction`. It never commits, and it may be called more
than once: a database runs it again after a conflict with another transaction or unit. It therefore
only runs statements and registers callbacks with `after_commit`.

| operation | changes allowed | guarantee |
|---|---|---|
| `read` | 0 | each statement sees what is committed when it runs |
| `autocommit` | 1 | the change is committed with nothing else; reads before it are not protected |
| `decide` | 1 | the reads and the change are one transaction over one snapshot |
| `write` | any number | all changes are committed, or none |
| `report` | 0 | long reads over one snapshot, outside of the event loop, with a time limit |

A change is an INSERT, UPDATE or DELETE, or one `execute_if`. A change too many raises
`TooManyChanges` before the statement runs. Every operation answers after the commit, so what the
service answers with 2xx survives a power cut. docs/architecture.md says what each operation does on
SQLite and on PostgreSQL.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Executable

from core.database.compiled_statements import Statement
from core.errors import Unavailable

logger = logging.getLogger("service.database")

T = TypeVar("T")
AfterCommit = Callable[[], None]
# Takes one audit row, by column.
Listener = Callable[[Mapping[str, Any]], None]
NO_VALUES: Mapping[str, Any] = {}
# How many changes a unit may make, by operation.
NO_CHANGES, ONE_CHANGE, ANY_CHANGES = 0, 1, math.inf
# The default time limit of a report, in seconds.
REPORT_SECONDS = 30.0
# How many reports run at once in one process; further ones wait.
MAX_REPORTS = 2


class DatabaseUnavailable(Unavailable):
    """The database gave no answer, or could not make the change durable."""


class ReportTimeout(DatabaseUnavailable):
    """A report waited or ran longer than its time limit."""


class Conflict(Exception):
    """A row breaks a constraint: a primary key or a unique column is taken, for example."""


class TooManyChanges(RuntimeError):
    """A unit made a change that its operation does not allow. The mistake is in the caller's code.

    The refused statement was not run. SQLite also undoes the change before it. On PostgreSQL a
    change before it stays in an `autocommit` unit, and is undone in all other units.
    """


class Result:
    """The outcome of a statement: its rows as plain tuples, and how many rows it changed."""

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

    def one(self) -> Any:
        """The only row. Raises LookupError if there are none or several."""
        if len(self._rows) != 1:
            raise LookupError(f"expected one row, found {len(self._rows)}")
        return self._rows[0]

    def scalar(self) -> Any:
        """The first value of the first row; None if there is none."""
        return self._rows[0][0] if self._rows else None


class Change(NamedTuple):
    """An UPDATE that was not run yet, with its values by name."""

    statement: Statement
    values: Mapping[str, Any]


class Transaction(Protocol):
    """An open transaction, as units see it."""

    # Called after the commit: see `after_commit`.
    callbacks: list[AfterCommit]
    # The listeners of the database: see `Database.listeners`.
    listeners: Sequence[Listener]

    def execute(self, statement: Statement, values: Mapping[str, Any] = NO_VALUES) -> Result:
        """Run a constant of a store, with its values by name.

        Raises Conflict, TooManyChanges, and DatabaseUnavailable for every other database error.
        """
        ...

    def query(self, statement: Executable) -> Result:
        """Run a statement that was built for this call, with the values that it holds.

        This is the door for optional filters, IN lists and keyset paging. It is slower than
        `execute`. Of `text()` it returns no rows, unless `.columns()` declares them. Raises as
        `execute`.
        """
        ...

    def execute_if(self, change: Change, then: Statement, values: Mapping[str, Any]) -> bool:
        """Make `change`, and run `then` if it changed a row. Returns whether it did.

        Both are made or none is; together they count as one change. `then` is an INSERT from a
        SELECT of every column of its table, in their order. Raises as `execute`.
        """
        ...


Unit = Callable[[Transaction], T]


class Database(Protocol):
    """What the service asks of a database. All operations raise DatabaseUnavailable."""

    # `audit.record` has each listener called once its row is durable, on any thread. A listener
    # must not block.
    listeners: list[Listener]

    async def start(self) -> None:
        """Open the database; SQLite also migrates the schema."""
        ...

    async def stop(self) -> None:
        """Finish the units that were accepted, then close."""
        ...

    async def read(self, unit: Unit[T]) -> T:
        """Run `unit`, which makes no change. For short reads only: see `report`."""
        ...

    async def autocommit(self, unit: Unit[T]) -> T:
        """Run `unit`, whose one change is one statement or one `execute_if`.

        The cheapest way to record something. What `unit` read before the change may be out of date
        when the change is made: use `decide` where the change depends on it.
        """
        ...

    async def decide(self, unit: Unit[T]) -> T:
        """Run `unit`, which reads, decides, and records its decision with one change.

        Every other transaction comes as a whole before the reads or as a whole after the change.
        """
        ...

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` and commit its changes; if it raises, none of them remains."""
        ...

    async def report(self, unit: Unit[T], seconds: float = REPORT_SECONDS) -> T:
        """Run `unit`, a long read: an admin's search, an export. Raises ReportTimeout.

        Everything it reads is of one moment. `seconds` limits the wait for a free place, all
        statements and the time between them.
        """
        ...

    def metrics(self) -> dict[str, int]:
        """Present values, by the names in services/metrics.py."""
        ...


def after_commit(tx: Transaction, callback: AfterCommit) -> None:
    """Have `callback` called once the transaction `tx` is durable, and never if it is not."""
    tx.callbacks.append(callback)


def notify(callbacks: Iterable[AfterCommit]) -> None:
    """Call the callbacks of a committed transaction. A failing one is logged, and changes nothing:
    the rows are durable.
    """
    for callback in callbacks:
        try:
            callback()
        except Exception as error:
            logger.error("after-commit callback failed", exc_info=error)


def too_many_changes(allowed: float) -> TooManyChanges:
    """The error for a unit that was allowed so many changes and tries one more."""
    if allowed == NO_CHANGES:
        return TooManyChanges("this unit may only read: use autocommit, decide or write")
    return TooManyChanges("this unit may make one change: use write for several")
