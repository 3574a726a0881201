"""The audit trail as an outbox: what a sink has not acknowledged yet, in an order that holds.

Why nothing is skipped. A sink's cursor only moves forward, so when a row is handed out, no row
before it may appear later.

SQLite: rows are numbered (`rowid`) under the one write lock, so the order of numbers is the order
of commits, and what can be seen is final. VACUUM may number rows anew, in the same order, and
numbers of deleted last rows are used again. The cursor therefore also keeps the id of its row, and
finds the row's present number by the id. If that row was deleted, forwarding starts again with the
first row that is left.

PostgreSQL: `position` comes from a sequence without a cache, and transactions commit in any order.
Its default (migration 0002) gives the transaction its id *before* it draws the position. Let P be
a position that is visible, and Y the id of a transaction that got its id after P was seen. Every
transaction with a position below P drew it before P was drawn, and got its id even earlier; so its
id is below Y. When the xmin of a snapshot has reached Y, all these transactions have ended, and the
snapshot sees what they committed: no row can appear up to P any more. (P, Y) is a `Horizon`.
Neither a row's own xmin nor a snapshot's xmax can take the place of Y: a transaction may have a
lower position and a higher id than a row that is visible already. An open transaction that writes,
anywhere on the server, delays forwarding; no row is lost.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    bindparam,
    cast,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles

from core.database.compiled_statements import Statement
from core.database.interface import Transaction
from models import AuditLog, AuditSink

# Greater than every position.
MAX_POSITION = 2**62


class Position(ColumnElement[int]):
    """The SQL expression of a row's place in the order of forwarding."""

    inherit_cache = True
    type = BigInteger()


@compiles(Position)
def _position(_element: Position, _compiler: Any, **_kw: Any) -> str:
    return "audit_logs.position"


@compiles(Position, "sqlite")
def _rowid(_element: Position, _compiler: Any, **_kw: Any) -> str:
    return "audit_logs.rowid"


class EventRow(NamedTuple):
    """One row of `audit_logs` with its position, as sinks and exports get it."""

    position: int
    id: str
    event_type: str
    user_email: str | None
    user_id: str | None
    subject_email: str | None
    subject_id: str | None
    ip_address: str | None
    user_agent: str | None
    success: int
    reason: str | None
    details: str | None
    request_id: str | None
    created_at: datetime


class SinkStatus(NamedTuple):
    """The state of a sink at the moment `now`.

    `position` and `row_id`: the last row that it acknowledged; `start`: that row's position today.
    `holder`: the worker that forwards to it, until `held_until`. `newest`: the highest position.
    """

    position: int
    row_id: str | None
    holder: str | None
    held_until: datetime | None
    now: datetime
    start: int
    newest: int

    @property
    def behind(self) -> int:
        """About how many rows wait: positions have gaps."""
        return max(0, self.newest - self.start)

    def is_free_for(self, holder: str) -> bool:
        """Whether the worker `holder` may forward: no other worker's lease is still running."""
        return (
            self.holder in (None, holder) or self.held_until is None or self.held_until < self.now
        )


class Horizon(NamedTuple):
    """Up to `position` no row can appear once every transaction before `xmin_barrier` has ended."""

    position: int = MAX_POSITION
    xmin_barrier: int = 0


_ORDER = Position()
COLUMNS = [_ORDER, *(getattr(AuditLog, name) for name in EventRow._fields[1:])]
_SINK = Statement(
    select(AuditSink.position, AuditSink.row_id, AuditSink.holder, AuditSink.held_until).where(
        AuditSink.sink == bindparam("sink")
    )
)
_NEWEST = Statement(select(func.coalesce(func.max(_ORDER), 0)).select_from(AuditLog))
_PLACE = Statement(select(_ORDER).where(AuditLog.id == bindparam("row_id")))
_CLAIM = Statement(
    update(AuditSink)
    .where(
        AuditSink.sink == bindparam("of_sink"),
        or_(
            AuditSink.holder.is_(None),
            AuditSink.holder == bindparam("me"),
            AuditSink.held_until.is_(None),
            AuditSink.held_until < bindparam("moment"),
        ),
    )
    .values(holder=bindparam("me"), held_until=bindparam("until"))
)
_ROWS = Statement(
    select(*COLUMNS)
    .where(
        _ORDER.between(bindparam("first", type_=BigInteger), bindparam("up_to", type_=BigInteger))
    )
    .order_by(_ORDER)
    .limit(bindparam("rows"))
)
# Only the holder of a sink moves its cursor, and only from the position that it read.
_ACKNOWLEDGE = Statement(
    update(AuditSink)
    .where(
        AuditSink.sink == bindparam("of_sink"),
        AuditSink.holder == bindparam("me"),
        AuditSink.position == bindparam("before"),
    )
    .values(
        position=bindparam("reached"),
        row_id=bindparam("reached_id"),
        held_until=bindparam("until"),
        updated_at=bindparam("moment"),
    )
)
_RELEASE = Statement(
    update(AuditSink)
    .where(AuditSink.sink == bindparam("of_sink"), AuditSink.holder == bindparam("me"))
    .values(holder=None, held_until=None)
)
_OWN_ID = Statement(select(cast(func.pg_current_xact_id_if_assigned(), Text)))
_NOW = Statement(select(func.clock_timestamp()))
_XMIN_BARRIER = Statement(select(cast(cast(func.pg_current_xact_id(), Text), BigInteger)))
_OLDEST = Statement(
    select(cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger))
)


class Outbox(Protocol):
    """The parts of forwarding that differ between the databases."""

    register: Statement

    def now(self, tx: Transaction) -> datetime:
        """The current time, by a clock that all workers share."""
        ...

    def newest(self, tx: Transaction) -> int:
        """The highest visible position; 0 if there is no row."""
        ...

    def start(self, tx: Transaction, position: int, row_id: str | None) -> int:
        """The position today of the row that was acknowledged at `position`."""
        ...

    def horizon(self, tx: Transaction, newest: int) -> Horizon:
        """How far forwarding may go once `is_settled`. `newest` was read before, in `tx`."""
        ...

    def is_settled(self, tx: Transaction, horizon: Horizon) -> bool:
        """Whether no further row can appear up to `horizon`."""
        ...


class SqliteOutbox:
    """SQLite has one writer at a time, so every visible row is final."""

    register = Statement(
        sqlite.insert(AuditSink).values(sink=bindparam("sink")).on_conflict_do_nothing()
    )

    def now(self, _tx: Transaction) -> datetime:
        return datetime.now(UTC)

    def newest(self, tx: Transaction) -> int:
        return _number(tx, _NEWEST)

    def start(self, tx: Transaction, _position: int, row_id: str | None) -> int:
        place: int | None = tx.execute(_PLACE, {"row_id": row_id}).scalar()
        return place or 0

    def horizon(self, _tx: Transaction, _newest: int) -> Horizon:
        return Horizon()

    def is_settled(self, _tx: Transaction, _horizon: Horizon) -> bool:
        return True


class PostgresOutbox:
    """PostgreSQL has many writers: this module's docstring says why nothing is skipped."""

    register = Statement(
        postgresql.insert(AuditSink).values(sink=bindparam("sink")).on_conflict_do_nothing()
    )

    def now(self, tx: Transaction) -> datetime:
        moment: datetime | None = tx.execute(_NOW, {}).scalar()
        return moment or datetime.now(UTC)

    def newest(self, tx: Transaction) -> int:
        # The barrier would be this transaction's id, which is older than the rows it sees.
        if tx.execute(_OWN_ID, {}).scalar() is not None:
            raise RuntimeError("a transaction that looks at the outbox has written before")
        return _number(tx, _NEWEST)

    def start(self, _tx: Transaction, position: int, _row_id: str | None) -> int:
        return position

    def horizon(self, tx: Transaction, newest: int) -> Horizon:
        return Horizon(newest, _number(tx, _XMIN_BARRIER))

    def is_settled(self, tx: Transaction, horizon: Horizon) -> bool:
        return _number(tx, _OLDEST) >= horizon.xmin_barrier


def _number(tx: Transaction, statement: Statement) -> int:
    """The number that `statement` selects; 0 for NULL."""
    return int(tx.execute(statement, {}).scalar() or 0)


def status(tx: Transaction, outbox: Outbox, sink: str) -> SinkStatus:
    """The state of `sink`. An unknown sink has acknowledged nothing."""
    newest = outbox.newest(tx)
    found = tx.execute(_SINK, {"sink": sink}).first()
    position, row_id, holder, held_until = found or (0, None, None, None)
    start = outbox.start(tx, position, row_id)
    return SinkStatus(position, row_id, holder, held_until, outbox.now(tx), start, newest)


def claim(
    tx: Transaction, outbox: Outbox, sink: str, me: str, lease: timedelta
) -> tuple[tuple[int, str | None], Horizon] | None:
    """Make the worker `me` the holder of `sink` for `lease`.

    Returns the last acknowledged row, and how far to forward from there. None if another worker
    holds the sink or no row waits. Nothing may be written before it in its transaction.
    """
    seen = status(tx, outbox, sink)
    if not seen.behind or not seen.is_free_for(me):
        return None
    tx.execute(outbox.register, {"sink": sink})
    values = {"of_sink": sink, "me": me, "moment": seen.now, "until": seen.now + lease}
    if tx.execute(_CLAIM, values).rowcount == 0:
        return None
    # Read again: the former holder may have acknowledged rows since the first read.
    found = tx.execute(_SINK, {"sink": sink}).first()
    last = (found[0], found[1]) if found else (0, None)
    return last, outbox.horizon(tx, seen.newest)


def waiting(
    tx: Transaction, outbox: Outbox, last: tuple[int, str | None], horizon: Horizon, limit: int
) -> list[EventRow] | None:
    """At most `limit` rows after `last`, in their order. None while `horizon` is not settled."""
    if not outbox.is_settled(tx, horizon):
        return None
    after = outbox.start(tx, *last)
    found = tx.execute(_ROWS, {"first": after + 1, "up_to": horizon.position, "rows": limit})
    return [EventRow(*row) for row in found.all()]


def acknowledge(
    tx: Transaction,
    outbox: Outbox,
    sink: str,
    me: str,
    before: int,
    row: EventRow,
    lease: timedelta,
) -> bool:
    """Record that `sink` has every row up to `row`, and hold the sink for another `lease`.

    Returns False and changes nothing if `me` does not hold the sink any more, or if the sink's
    position is not `before`.
    """
    now = outbox.now(tx)
    values = {
        "of_sink": sink,
        "me": me,
        "before": before,
        "reached": row.position,
        "reached_id": row.id,
        "until": now + lease,
        "moment": now,
    }
    return bool(tx.execute(_ACKNOWLEDGE, values).rowcount)


def release(tx: Transaction, sink: str, me: str) -> None:
    """Let another worker take `sink` at once, if the worker `me` holds it."""
    tx.execute(_RELEASE, {"of_sink": sink, "me": me})
