"""E4: PostgreSQL restarted and crashed, Redis flushed and killed, both frozen; all under load."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle

import httpx

from assurance.soak.backends import Production
from assurance.soak.clients import (
    RECOVERY_SECONDS,
    Person,
    RequestLog,
    Stop,
    register_people,
    seconds_until_login,
    under_load,
)
from assurance.soak.consistency import inconsistencies, unexpected_statuses
from assurance.soak.report import Report
from assurance.support.forked_servers import Server

PEOPLE, ANSWERS, REPLAYS = 8, 24, 20
# The wait for a pooled connection, the statement's own timeout, and the time on the wire.
ANSWER_SECONDS = 25
# Three of the check itself, and two until a silent connection is closed.
READY_SECONDS = 8


@dataclass(frozen=True)
class Outage:
    """What is taken away and given back, and the statuses that may be answered meanwhile."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]
    allowed: Collection[int]


def _nothing() -> None:
    """A flush needs no end."""


def postgres_restarts(backend: Production) -> Iterator[Outage]:
    """By turns an orderly restart (`fast`) and a crash (`immediate`)."""
    for mode in cycle(("fast", "immediate")):
        stop = partial(backend.postgres.stop, mode)
        yield Outage(mode, stop, backend.postgres.start, {200, 503})


def redis_flushes(backend: Production) -> Iterator[Outage]:
    """A ceremony whose challenge is lost is refused with 401."""
    while True:
        yield Outage("flush", backend.redis.flush, _nothing, {200, 401})


def redis_restarts(backend: Production) -> Iterator[Outage]:
    while True:
        yield Outage("kill -9", backend.redis.kill, backend.redis.start, {200, 401, 503})


def survive(
    report: Report,
    backend: Production,
    server: Server,
    *,
    outages: Callable[[Production], Iterator[Outage]],
    rounds: int,
) -> None:
    """One service process survives all outages."""
    people = _people(server)

    async def fail(client: httpx.AsyncClient, _stop: Stop) -> None:
        await log.wait_until_ended(ANSWERS)
        await asyncio.to_thread(outage.begin)
        await log.wait_until_ended(ANSWERS)
        await asyncio.to_thread(outage.end)
        seconds = await seconds_until_login(client, people[0])
        report.seconds("recovery", seconds, RECOVERY_SECONDS)
        await _replay(report, client, log)

    for number, outage in zip(range(rounds), outages(backend), strict=False):
        log = RequestLog(f"{report.name}-{number}")
        asyncio.run(under_load(server.url, people, log, fail))
        report.count(outage.name)
        _judge(report, backend, log, outage.allowed)


def _people(server: Server) -> list[Person]:
    return register_people(server.url, *(f"person{n}" for n in range(PEOPLE)), counter=False)


def _judge(report: Report, backend: Production, log: RequestLog, allowed: Collection[int]) -> None:
    for status, count in log.statuses().items():
        report.count(f"answered {status}", count)
    report.seconds("slowest answer", log.slowest(), ANSWER_SECONDS)
    report.fail(unexpected_statuses(log, allowed))
    report.fail(inconsistencies(backend, log))


async def _replay(report: Report, client: httpx.AsyncClient, log: RequestLog) -> None:
    """An assertion that logged someone in logs in no second time, whatever the outage has lost."""
    again = RequestLog("again")
    for sent in [sent for sent in log.completed() if sent.succeeded][-REPLAYS:]:
        await again.post(client, sent.path, sent.body, sent.email)
    report.count("replays refused", again.statuses().get(401, 0))
    report.fail(f"replayed: {failure}" for failure in unexpected_statuses(again, {401}))


def hang(report: Report, backend: Production, server: Server, *, rounds: int, frozen: str) -> None:
    """PostgreSQL or Redis accepts connections and answers nothing: requests are refused with 503
    in bounded time, and succeed again afterwards."""
    people = _people(server)
    silent = backend.postgres if frozen == "postgres" else backend.redis

    async def freeze(client: httpx.AsyncClient, stop: Stop) -> None:
        await log.wait_until_ended(ANSWERS)
        await asyncio.to_thread(silent.freeze)
        try:
            alive = await client.get("/livez")
            report.seconds("/livez", alive.elapsed.total_seconds(), 1)
            ready = await client.get("/readyz")
            report.seconds("/readyz", ready.elapsed.total_seconds(), READY_SECONDS)
            report.expect(alive.status_code == 200, f"/livez answers {alive.status_code}")
            report.expect(ready.status_code == 503, f"/readyz answers {ready.status_code}")
            # Each person meets the silent server at least once, and no request waits without end.
            await stop()
        finally:
            await asyncio.to_thread(silent.thaw)
        seconds = await seconds_until_login(client, people[0])
        report.seconds("recovery", seconds, RECOVERY_SECONDS)

    for number in range(rounds):
        log = RequestLog(f"{report.name}-{number}")
        asyncio.run(under_load(server.url, people, log, freeze))
        report.count("rounds")
        _judge(report, backend, log, {200, 401, 503})
