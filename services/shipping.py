"""Sends the audit trail on, after the commit: to syslog, to stdout, each sink at its own pace.

The table is the outbox (stores/outbox.py): a sink gets every row after the last one it
acknowledged, in order, at least once. No request waits for a sink or fails because of one.

One worker ships to a sink at a time. It holds the sink's row for LEASE, by the database's clock,
sends nothing after that by its own, and asks for more with each acknowledgement; when nothing has
been heard of it for so long, another takes over. A worker that was stopped in the middle of a
batch and wakes up late cannot move the cursor: duplicates are possible then, losses are not.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

import audit
from core import sink_address
from core.config import Settings
from core.database.interface import Database
from core.errors import Unavailable
from core.ids import random_id
from services.sinks.delivery import Sink, open_sink
from stores import outbox
from stores.outbox import EventRow, Horizon, Outbox, PostgresOutbox, SqliteOutbox

logger = logging.getLogger("service.shipping")

T = TypeVar("T")
Cursor = tuple[int, str | None]


@dataclass(frozen=True)
class Pace:
    """How often, how many, how long; in seconds."""

    lease: float = 10.0
    # Nothing is sent in the last part of a lease: clocks and networks are not exact.
    margin: float = 2.0
    poll: float = 1.0
    # Events of the same moment go out together.
    gather: float = 0.05
    unsettled: float = 0.02
    first_retry: float = 0.5
    last_retry: float = 30.0
    batch: int = 500
    goodbye: float = 3.0


class Lane:
    """One sink: what waits for it, and whether it takes it."""

    def __init__(self, name: str, sink: Sink, db: Database, outbox: Outbox, pace: Pace) -> None:
        self.name, self.behind, self.trouble = name, 0, ""
        # Whether a transaction that somebody left open keeps rows back: PostgreSQL only.
        self.held_up, self._newest = False, 0
        self._sink, self._db, self._outbox, self._pace = sink, db, outbox, pace
        self._me, self._lease = "", timedelta(seconds=pace.lease)
        self._news, self._end, self._failures = asyncio.Event(), asyncio.Event(), 0

    def wake(self) -> None:
        """There may be something to ship."""
        self._news.set()

    async def run(self) -> None:
        """Ship until told to stop."""
        # Not before: a server that forks its workers would give them all one name.
        self._me = random_id()
        while not self._end.is_set():
            self._news.clear()
            try:
                await self._ship()
            except Unavailable:
                # The database is away, which is said elsewhere.
                await self._sleep(self._pace.poll)
            except Exception as error:
                self._failed(error)
                await self._sleep(self._retry())
            else:
                await self._rest()

    def stop(self) -> None:
        """End after what is under way."""
        self._end.set()
        self._news.set()

    async def close(self) -> None:
        """Let go of the sink, so that another worker need not wait."""
        with suppress(Unavailable):
            await self._db.write(lambda tx: outbox.release(tx, self.name, self._me))
        await in_thread(self._sink.close)

    async def _ship(self) -> None:
        """Send what waits, if no other worker does."""
        seen = await self._db.read(lambda tx: outbox.status(tx, self._outbox, self.name))
        self.behind, self._newest = seen.behind, seen.newest
        if not seen.behind or not seen.is_free_for(self._me):
            return
        began = time.monotonic()
        claimed = await self._db.write(
            lambda tx: outbox.claim(tx, self._outbox, self.name, self._me, self._lease)
        )
        if claimed is not None:
            await self._drain(*claimed, began)

    async def _drain(self, last: Cursor, horizon: Horizon, began: float) -> None:
        """Batch after batch up to `horizon`; `began` is when the sink was last claimed."""
        while not self._end.is_set():
            rows = await self._settled_rows(last, horizon, self._deadline(began))
            if not rows:
                return
            await in_thread(partial(self._sink.send, rows, self._deadline(began)))
            began = time.monotonic()
            if not await self._acknowledge(last, rows[-1]):
                return
            last = (rows[-1].position, rows[-1].id)
            self.behind = max(0, self._newest - rows[-1].position)
            self._recovered()

    async def _settled_rows(
        self, last: Cursor, horizon: Horizon, deadline: float
    ) -> Sequence[EventRow]:
        pause = self._pace.unsettled
        while time.monotonic() < deadline and not self._end.is_set():
            rows = await self._db.read(
                lambda tx: outbox.waiting(tx, self._outbox, last, horizon, self._pace.batch)
            )
            self.held_up = rows is None
            if rows is not None:
                return rows
            await self._sleep(pause)
            pause = min(2 * pause, self._pace.poll)
        return ()

    async def _acknowledge(self, last: Cursor, row: EventRow) -> bool:
        return await self._db.write(
            lambda tx: outbox.acknowledge(
                tx, self._outbox, self.name, self._me, last[0], row, self._lease
            )
        )

    def _deadline(self, began: float) -> float:
        return began + self._pace.lease - self._pace.margin

    async def _rest(self) -> None:
        """Until there is news, or long enough; then a moment more, for what comes with it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), self._pace.poll)
            await self._sleep(self._pace.gather)

    async def _sleep(self, seconds: float) -> None:
        """Whatever the news, but for the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._end.wait(), seconds)

    def _retry(self) -> float:
        return min(
            self._pace.last_retry, self._pace.first_retry * 2.0 ** min(self._failures - 1, 16)
        )

    def _failed(self, error: Exception) -> None:
        """One line for each outage."""
        self._failures += 1
        self.trouble = type(error).__name__
        if self._failures > 1:
            return
        unexpected = None if isinstance(error, OSError) else error
        words = "audit sink %s is away (%s: %s)"
        logger.warning(words, self.name, self.trouble, error, exc_info=unexpected)

    def _recovered(self) -> None:
        if self._failures:
            logger.warning("audit sink %s is back, %d rows wait", self.name, self.behind)
        self._failures, self.trouble = 0, ""


class Shipping:
    """All sinks of one worker."""

    def __init__(self, settings: Settings, db: Database, pace: Pace | None = None) -> None:
        sqlite = settings.database_url.startswith("sqlite:")
        outbox: Outbox = SqliteOutbox() if sqlite else PostgresOutbox()
        self._pace = pace or Pace()
        self.lanes = [
            Lane(
                address.name,
                open_sink(address, settings.audit_sink_ca),
                db,
                outbox,
                self._pace,
            )
            for address in map(sink_address.parse, settings.audit_sink)
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = False

    def start(self) -> None:
        """Begin to ship; the database is open."""
        if self.lanes:
            self._loop = asyncio.get_running_loop()
            self._tasks = [asyncio.create_task(lane.run()) for lane in self.lanes]
            audit.bells.append(self._ring)

    async def stop(self) -> None:
        """End after the batch under way, or without it if that takes too long."""
        if not self._tasks:
            return
        audit.bells.remove(self._ring)
        for lane in self.lanes:
            lane.stop()
        done, late = await asyncio.wait(self._tasks, timeout=self._pace.goodbye)
        for task in late:
            # Its thread may still send: the sink stays claimed until the lease is over.
            task.cancel()
        ended = (lane for lane, task in zip(self.lanes, self._tasks, strict=True) if task in done)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.goodbye):
                await asyncio.gather(*(lane.close() for lane in ended))

    def report(self) -> dict[str, str]:
        """For people who look at /readyz: no names, for anyone may."""
        return {f"audit_sink_{number}": _state(lane) for number, lane in enumerate(self.lanes, 1)}

    def _ring(self) -> None:
        """Called with every commit, from whatever thread: tells the lanes once."""
        if not self._told and self._loop is not None:
            self._told = True
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._told = False
        for lane in self.lanes:
            lane.wake()


def _state(lane: Lane) -> str:
    found = f"away ({lane.trouble})" if lane.trouble else "ok"
    if lane.held_up:
        found = "waits for a transaction that is open"
    return f"{found}, {lane.behind} rows behind" if lane.behind else found


async def in_thread(work: Callable[[], T]) -> T:
    """The result of `work`, done in a thread that no end of this process waits for.

    The loop's own executor would be waited for, however long a sink stalls.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: Exception | None) -> None:
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
            # The loop may have ended meanwhile.
            loop.call_soon_threadsafe(settle, value, failure)

    threading.Thread(target=run, name="audit-sink", daemon=True).start()
    return await future
