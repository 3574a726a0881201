"""E4: PostgreSQL restarted and crashed, Redis flushed, killed, all of it under load."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

import httpx

from assurance.soak.backends import Production
from assurance.soak.clients import (
    RECOVERY_SECONDS,
    Ledger,
    Person,
    connect,
    keep_logging_in,
    seconds_until_login,
    settle,
)
from assurance.soak.report import Report
from assurance.soak.truth import lies, strangers
from assurance.support.forked_servers import Server

PEOPLE = 8
LOAD_SECONDS = 0.3
# The pool's wait, the statement's own limit, and the way there and back.
ANSWER_SECONDS = 25
# Three of its own, and two until a silent connection is let go.
READY_SECONDS = 8


@dataclass(frozen=True)
class Outage:
    """Something that is taken away and given back, and what may be answered meanwhile."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]
    allowed: frozenset[int]
    seconds: float = 0.3


def _nothing() -> None:
    """A flush is over when it is done."""


def postgres_outages(backend: Production) -> Iterator[Outage]:
    """By turns an orderly restart and a crash."""
    clean = frozenset({200, 503})
    start = backend.postgres.start
    for mode in cycle(("fast", "immediate")):
        yield Outage(mode, lambda mode=mode: backend.postgres.stop(mode), start, clean)  # type: ignore[misc]


def redis_flushes(backend: Production) -> Iterator[Outage]:
    """A challenge that is forgotten is a refused ceremony."""
    while True:
        yield Outage("flush", backend.redis.flush, _nothing, frozenset({200, 401}), 0.1)


def redis_restarts(backend: Production) -> Iterator[Outage]:
    while True:
        begin, end = backend.redis.kill, backend.redis.start
        yield Outage("kill -9", begin, end, frozenset({200, 401, 503}))


def survive(
    report: Report,
    backend: Production,
    server: Server,
    outages: Iterator[Outage],
    *,
    rounds: int,
) -> None:
    """One service process lives through all of them."""
    server.start()
    server.wait()
    names = [f"outage{number}" for number in range(PEOPLE)]
    people = asyncio.run(settle(server.url, server.url, names, counter=False))
    for number, outage in zip(range(rounds), outages, strict=False):
        ledger = Ledger(f"{report.name}-{number}")
        asyncio.run(_under_load(report, server, people, ledger, outage))
        report.count(outage.name)
        for status, count in ledger.statuses().items():
            report.count(f"answered {status}", count)
        report.at_most("slowest answer, s", ledger.slowest(), ANSWER_SECONDS)
        report.fail(f"{outage.name}: {failure}" for failure in strangers(ledger, outage.allowed))
        report.fail(lies(backend, ledger))
    server.kill()


async def _under_load(
    report: Report, server: Server, people: list[Person], ledger: Ledger, outage: Outage
) -> None:
    stop = asyncio.Event()
    async with connect(server.url) as client:
        load = asyncio.create_task(keep_logging_in(client, people, ledger, stop))
        await asyncio.sleep(LOAD_SECONDS)
        await asyncio.to_thread(outage.begin)
        await asyncio.sleep(outage.seconds)
        await asyncio.to_thread(outage.end)
        recovery = await seconds_until_login(client, people[0])
        report.at_most("recovery, s", recovery, RECOVERY_SECONDS)
        stop.set()
        await load
        await _replay(report, client, ledger)


async def _replay(report: Report, client: httpx.AsyncClient, ledger: Ledger) -> None:
    """Never open: what has logged someone in logs nobody in again, whatever was forgotten."""
    again = Ledger("again")
    for sent in [sent for sent in ledger.completed() if sent.succeeded][-20:]:
        await again.post(client, sent.path, sent.body, sent.email)
    report.count("replays refused", again.statuses().get(401, 0))
    report.fail(f"replayed: {failure}" for failure in strangers(again, {401}))


def hang(
    report: Report,
    backend: Production,
    server: Server,
    *,
    rounds: int,
    who: str,
) -> None:
    """A server that is there and says nothing: 503 in bounded time, and on from there."""
    frozen = backend.postgres if who == "postgres" else backend.redis
    server.start()
    server.wait()
    names = [f"hang{number}" for number in range(PEOPLE)]
    people = asyncio.run(settle(server.url, server.url, names, counter=False))
    for number in range(rounds):
        ledger = Ledger(f"{report.name}-{number}")
        asyncio.run(_while_frozen(report, server, people, ledger, frozen.freeze, frozen.thaw))
        report.count("rounds")
        for status, count in ledger.statuses().items():
            report.count(f"answered {status}", count)
        report.at_most("slowest answer, s", ledger.slowest(), ANSWER_SECONDS)
        report.fail(strangers(ledger, {200, 401, 503}))
        report.fail(lies(backend, ledger))
    server.kill()


async def _while_frozen(
    report: Report,
    server: Server,
    people: list[Person],
    ledger: Ledger,
    freeze: Callable[[], None],
    thaw: Callable[[], None],
) -> None:
    stop = asyncio.Event()
    async with connect(server.url) as client:
        load = asyncio.create_task(keep_logging_in(client, people, ledger, stop))
        await asyncio.sleep(LOAD_SECONDS)
        await asyncio.to_thread(freeze)
        try:
            await asyncio.sleep(0.1)
            alive = await client.get("/livez")
            report.at_most("/livez, s", alive.elapsed.total_seconds(), 1)
            ready = await client.get("/readyz")
            report.at_most("/readyz, s", ready.elapsed.total_seconds(), READY_SECONDS)
            report.expect(ready.status_code == 503, f"/readyz says {ready.status_code}")
            # Everyone meets the silence at least once, and nobody waits for ever.
            stop.set()
            await load
        finally:
            await asyncio.to_thread(thaw)
        recovery = await seconds_until_login(client, people[0])
        report.at_most("recovery, s", recovery, RECOVERY_SECONDS)
