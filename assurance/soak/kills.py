"""E1: `kill -9` after a random number of answers, again and again, on one database."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from assurance.soak.backends import Backend
from assurance.soak.clients import (
    BROKEN,
    Person,
    RequestLog,
    SentRequest,
    connect,
    register_people,
)
from assurance.soak.consistency import audited_events, inconsistencies, unexpected_statuses
from assurance.soak.report import Report
from assurance.support.forked_servers import Server

PEOPLE = 6
# The kill comes after so many answers, and a moment later, so that it meets any stage of a request.
ANSWERS, MOMENT_SECONDS = (0, 100), (0.0, 0.005)
Life = Callable[[httpx.AsyncClient, RequestLog], Coroutine[Any, Any, None]]


def during_logins(report: Report, backend: Backend, server: Server, *, kills: int) -> None:
    """Half of the passkeys are synced: their count stays 0, so only the used challenge stops a
    replay."""
    names = [f"login{number}" for number in range(PEOPLE)]
    people = register_people(server.url, *names[::2])
    people += register_people(server.url, *names[1::2], counter=False)

    def life_of(someone: Person) -> Life:
        async def life(client: httpx.AsyncClient, log: RequestLog) -> None:
            while (await someone.log_in(client, log)).status != BROKEN:
                pass

        return life

    _kill_often(report, backend, server, list(map(life_of, people)), kills)


def during_registrations(report: Report, backend: Backend, server: Server, *, kills: int) -> None:
    """Each person registers once, and the next new person follows."""
    numbers = itertools.count()

    async def life(client: httpx.AsyncClient, log: RequestLog) -> None:
        status = -1
        while status != BROKEN:
            status = (await Person(f"new{next(numbers)}", server.url).register(client, log)).status

    _kill_often(report, backend, server, [life] * PEOPLE, kills)


def _kill_often(
    report: Report, backend: Backend, server: Server, lives: list[Life], kills: int
) -> None:
    dice = random.Random(report.name)
    for number in range(kills):
        log = RequestLog(f"{report.name}-{number}")
        asyncio.run(_live_until_killed(server, lives, log, dice))
        report.count("kills")
        report.count("answered with 2xx", sum(sent.succeeded for sent in log.sent))
        report.count("cut off", sum(sent.status == BROKEN for sent in log.sent))
        report.fail(unexpected_statuses(log, {200, 201, BROKEN}))
        report.fail(inconsistencies(backend, log))
        server.start_and_wait()
        _replay(report, backend, server, log)


async def _live_until_killed(
    server: Server, lives: list[Life], log: RequestLog, dice: random.Random
) -> None:
    async with connect(server.url) as client:
        tasks = [asyncio.create_task(life(client, log)) for life in lives]
        await log.wait_until_ended(dice.randint(*ANSWERS))
        await asyncio.sleep(dice.uniform(*MOMENT_SECONDS))
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*tasks)


def _replay(report: Report, backend: Backend, server: Server, log: RequestLog) -> None:
    """A completion that is on record as a success is refused. One that was cut off before the
    verdict succeeds once at most."""
    events = audited_events(backend, log)
    for sent in log.completed():
        recorded = any(success for _, success in events[sent.request_id])
        if sent.succeeded or sent.status == BROKEN:
            again = asyncio.run(_send_twice(server.url, sent, log.prefix))
            successes = sum(answer.succeeded for answer in again.sent)
            report.count("replays refused", 2 - successes)
            report.count("cut off before the verdict, finished later", successes)
            report.expect(
                successes <= int(sent.status == BROKEN and not recorded),
                f"{sent.path} {sent.request_id} ({sent.status}) was replayed {successes} times",
            )
            report.fail(unexpected_statuses(again, {200, 201, 400, 401}))


async def _send_twice(url: str, sent: SentRequest, prefix: str) -> RequestLog:
    log = RequestLog(f"again-{prefix}-{sent.request_id}")
    async with connect(url) as client:
        for _ in range(2):
            await log.post(client, sent.path, sent.body, sent.email)
    return log
