"""Forwards audit rows to the sinks of AUDIT_SINK, after the commit that wrote them.

The table audit_logs is the outbox (stores/outbox.py): each sink gets every row after the last
one that it acknowledged, in order, at least once. No request waits for a sink or fails because of
a sink.

One process forwards to a sink at a time. The process holds a lease on the sink's row in
audit_sinks, measured by the database's clock, and renews the lease with each acknowledgement. It
sends nothing after its lease has ended by its own clock. When a lease ends, another process may
take it. A process that stops in the middle of a batch and wakes up late cannot move the cursor, so
a row may be sent twice then, and no row is lost.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from core.database.interface import Database
from core.errors import Unavailable
from core.ids import random_id
from core.settings import Settings, audit_sinks
from services.audit_forwarding.transports import Sink, open_sink
from stores import outbox
from stores.outbox import EventRow, Horizon, Outbox, PostgresOutbox, SqliteOutbox

logger = logging.getLogger("service.audit_forwarding")

T = TypeVar("T")
Cursor = tuple[int, str | None]


@dataclass(frozen=True)
class Schedule:
    """Intervals and limits of forwarding; all times in seconds."""

    lease: float = 10.0
    # Nothing is sent in this last part of a lease, because clocks and networks are not exact.
    lease_margin: float = 2.0
    poll: float = 1.0
    # The wait after a commit, so that events of one moment are sent together.
    gather: float = 0.05
    # The first wait while an open transaction may still add earlier rows (PostgreSQL).
    open_transaction_retry: float = 0.02
    first_retry: float = 0.5
    last_retry: float = 30.0
    batch: int = 500
    close_timeout: float = 3.0


class SinkWorker:
    """Forwards to one sink. `behind`: rows that wait; `last_error`: why it is away, or empty."""

    def __init__(
        self, name: str, sink: Sink, db: Database, outbox: Outbox, schedule: Schedule
    ) -> None:
        self.name, self.behind, self.last_error = name, 0, ""
        # Whether a transaction that was left open delays rows (PostgreSQL only).
        self.waits_for_transaction, self._newest = False, 0
        self._sink, self._db, self._outbox, self._schedule = sink, db, outbox, schedule
        self._holder_id, self._lease = "", timedelta(seconds=schedule.lease)
        self._new_rows, self._stopped, self._failures = asyncio.Event(), asyncio.Event(), 0

    def wake(self) -> None:
        """Tell the worker that rows may wait."""
        self._new_rows.set()

    async def run(self) -> None:
        """Forward until `stop` is called."""
        # Set here and not in __init__: forked server processes would share one id.
        self._holder_id = random_id()
        while not self._stopped.is_set():
            self._new_rows.clear()
            try:
                await self._forward()
            except Unavailable:
                # core/database logs the outages of the database.
                await self._sleep(self._schedule.poll)
            except Exception as error:
                self._failed(error)
                await self._sleep(self._retry_seconds())
            else:
                await self._wait_for_rows()

    def stop(self) -> None:
        """End after the batch under way."""
        self._stopped.set()
        self._new_rows.set()

    async def close(self) -> None:
        """Close the sink, and end the lease so that another process need not wait for it."""
        with suppress(Unavailable):
            await self._db.write(lambda tx: outbox.release(tx, self.name, self._holder_id))
        await in_thread(self._sink.close)

    async def _forward(self) -> None:
        """Forward the rows that wait, if no other process holds the lease."""
        seen = await self._db.read(lambda tx: outbox.status(tx, self._outbox, self.name))
        self.behind, self._newest = seen.behind, seen.newest
        if not seen.behind or not seen.is_free_for(self._holder_id):
            return
        began = time.monotonic()
        claimed = await self._db.write(
            lambda tx: outbox.claim(tx, self._outbox, self.name, self._holder_id, self._lease)
        )
        if claimed is not None:
            await self._send_batches(*claimed, began)

    async def _send_batches(self, last: Cursor, horizon: Horizon, began: float) -> None:
        """Send batches up to `horizon`. `began`: when the lease was last renewed."""
        while not self._stopped.is_set():
            rows = await self._rows_in_final_order(last, horizon, self._deadline(began))
            if not rows:
                return
            await in_thread(partial(self._sink.send, rows, self._deadline(began)))
            began = time.monotonic()
            if not await self._acknowledge(last, rows[-1]):
                return
            last = (rows[-1].position, rows[-1].id)
            self.behind = max(0, self._newest - rows[-1].position)
            self._recovered()

    async def _rows_in_final_order(
        self, last: Cursor, horizon: Horizon, deadline: float
    ) -> Sequence[EventRow]:
        pause, limit = self._schedule.open_transaction_retry, self._schedule.batch
        while time.monotonic() < deadline and not self._stopped.is_set():
            rows = await self._db.read(
                lambda tx: outbox.waiting(tx, self._outbox, last, horizon, limit)
            )
            self.waits_for_transaction = rows is None
            if rows is not None:
                return rows
            await self._sleep(pause)
            pause = min(2 * pause, self._schedule.poll)
        return ()

    async def _acknowledge(self, last: Cursor, row: EventRow) -> bool:
        return await self._db.write(
            lambda tx: outbox.acknowledge(
                tx, self._outbox, self.name, self._holder_id, last[0], row, self._lease
            )
        )

    def _deadline(self, began: float) -> float:
        return began + self._schedule.lease - self._schedule.lease_margin

    async def _wait_for_rows(self) -> None:
        """Wait for new rows or the next poll; then for the rows that come with them."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._new_rows.wait(), self._schedule.poll)
            await self._sleep(self._schedule.gather)

    async def _sleep(self, seconds: float) -> None:
        """Wait, whatever is committed meanwhile, unless stopped."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    def _retry_seconds(self) -> float:
        return min(
            self._schedule.last_retry,
            self._schedule.first_retry * 2.0 ** min(self._failures - 1, 16),
        )

    def _failed(self, error: Exception) -> None:
        """Log the first failure of an outage, and only that one."""
        self._failures += 1
        self.last_error = type(error).__name__
        if self._failures > 1:
            return
        unexpected = None if isinstance(error, OSError) else error
        words = "audit sink %s is away (%s: %s)"
        logger.warning(words, self.name, self.last_error, error, exc_info=unexpected)

    def _recovered(self) -> None:
        if self._failures:
            logger.warning("audit sink %s is back, %d rows wait", self.name, self.behind)
        self._failures, self.last_error = 0, ""


class AuditForwarding:
    """The sink workers of this process."""

    def __init__(self, settings: Settings, db: Database, schedule: Schedule | None = None) -> None:
        outbox: Outbox = SqliteOutbox() if settings.uses_sqlite else PostgresOutbox()
        self._db = db
        self._schedule = schedule or Schedule()
        self.workers = [
            SinkWorker(
                address.name,
                open_sink(address, settings.audit_sink_ca),
                db,
                outbox,
                self._schedule,
            )
            for address in map(audit_sinks.parse, settings.audit_sink)
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake_pending = False

    def start(self) -> None:
        """Start the workers. The database must be open."""
        if self.workers:
            self._loop = asyncio.get_running_loop()
            self._tasks = [asyncio.create_task(worker.run()) for worker in self.workers]
            self._db.listeners.append(self._on_commit)

    async def stop(self) -> None:
        """Stop the workers after their batches, or at the timeout of the schedule."""
        if not self._tasks:
            return
        self._db.listeners.remove(self._on_commit)
        for worker in self.workers:
            worker.stop()
        done, late = await asyncio.wait(self._tasks, timeout=self._schedule.close_timeout)
        for task in late:
            # The thread may still send, so the lease is kept until it expires.
            task.cancel()
        ended = (
            worker for worker, task in zip(self.workers, self._tasks, strict=True) if task in done
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(self._schedule.close_timeout):
                await asyncio.gather(*(worker.close() for worker in ended))

    def report(self) -> dict[str, str]:
        """The state of each sink for /readyz; no host names, because /readyz is public."""
        return {
            f"audit_sink_{number}": _state(worker) for number, worker in enumerate(self.workers, 1)
        }

    def _on_commit(self, _row: Mapping[str, Any]) -> None:
        """Wake the workers, at most once per loop turn. A database listener: runs on any thread."""
        if not self._wake_pending and self._loop is not None:
            self._wake_pending = True
            self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        self._wake_pending = False
        for worker in self.workers:
            worker.wake()


def _state(worker: SinkWorker) -> str:
    found = f"away ({worker.last_error})" if worker.last_error else "ok"
    if worker.waits_for_transaction:
        found = "waits for a transaction that is open"
    return f"{found}, {worker.behind} rows behind" if worker.behind else found


async def in_thread(work: Callable[[], T]) -> T:
    """The result of `work`, run in a daemon thread.

    The loop's own executor would delay the end of the process for as long as a sink stalls.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def resolve(value: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value: T | None = None
        failure: Exception | None = None
        try:
            value = work()
        except Exception as error:
            failure = error
        with suppress(RuntimeError):
            # The event loop may be closed by now.
            loop.call_soon_threadsafe(resolve, value, failure)

    threading.Thread(target=run, name="audit-sink", daemon=True).start()
    return await future
