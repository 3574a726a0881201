"""E1: `kill -9` at a random moment, again and again, on one database."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from assurance.soak.backends import Backend
from assurance.soak.clients import BROKEN, Ledger, Person, Sent, connect, settle
from assurance.soak.report import Report
from assurance.soak.truth import lies, on_record, strangers
from assurance.support.forked_servers import Server

PEOPLE = 6
SECONDS = (0.0, 0.4)
Life = Callable[[httpx.AsyncClient, Ledger], Coroutine[Any, Any, None]]


def during_logins(report: Report, backend: Backend, server: Server, *, kills: int) -> None:
    """Synced passkeys, whose count stays 0: only the spent challenge stops a replay."""
    server.start()
    server.wait()
    names = [f"login{number}" for number in range(PEOPLE)]
    people = asyncio.run(settle(server.url, server.url, names[::2]))
    people += asyncio.run(settle(server.url, server.url, names[1::2], counter=False))

    def life_of(someone: Person) -> Life:
        async def life(client: httpx.AsyncClient, ledger: Ledger) -> None:
            while (await someone.log_in(client, ledger)).status != BROKEN:
                pass

        return life

    _kill_often(report, backend, server, list(map(life_of, people)), kills)


def during_registrations(report: Report, backend: Backend, server: Server, *, kills: int) -> None:
    numbers = itertools.count()

    async def life(client: httpx.AsyncClient, ledger: Ledger) -> None:
        newcomer = Person(f"new{next(numbers)}", server.url)
        while (await newcomer.register(client, ledger)).status != BROKEN:
            newcomer = Person(f"new{next(numbers)}", server.url)

    server.start()
    server.wait()
    _kill_often(report, backend, server, [life] * PEOPLE, kills)


def _kill_often(
    report: Report, backend: Backend, server: Server, lives: list[Life], kills: int
) -> None:
    odd = random.Random(report.name)
    for number in range(kills):
        ledger = Ledger(f"{report.name}-{number}")
        asyncio.run(_live_until_killed(server, lives, ledger, odd.uniform(*SECONDS)))
        report.count("kills")
        report.count("answered with 2xx", sum(sent.succeeded for sent in ledger.sent))
        report.count("cut off", sum(sent.status == BROKEN for sent in ledger.sent))
        report.fail(strangers(ledger, {200, 201, BROKEN}))
        report.fail(lies(backend, ledger))
        server.start()
        server.wait()
        _replay(report, backend, server, ledger)
    server.kill()


async def _live_until_killed(
    server: Server, lives: list[Life], ledger: Ledger, seconds: float
) -> None:
    async with connect(server.url) as client:
        tasks = [asyncio.create_task(life(client, ledger)) for life in lives]
        await asyncio.sleep(seconds)
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*tasks)


def _replay(report: Report, backend: Backend, server: Server, ledger: Ledger) -> None:
    """What is on record as a success is refused; what was cut off before succeeds once at most."""
    kept = on_record(backend, ledger)
    for sent in ledger.completed():
        recorded = any(success for _, success in kept[sent.request_id])
        if sent.succeeded or sent.status == BROKEN:
            again = asyncio.run(_send_twice(server.url, sent, ledger.prefix))
            report.count("replays refused", sum(not answer.succeeded for answer in again))
            successes = sum(answer.succeeded for answer in again)
            report.count("cut off before it was judged, finished later", successes)
            report.expect(
                successes <= int(sent.status == BROKEN and not recorded),
                f"{sent.path} {sent.request_id} ({sent.status}) was replayed {successes} times",
            )
            report.fail(strangers(Ledger("", again), {200, 201, 400, 401}))


async def _send_twice(url: str, sent: Sent, prefix: str) -> list[Sent]:
    ledger = Ledger(f"again-{prefix}-{sent.request_id}")
    async with connect(url) as client:
        for _ in range(2):
            await ledger.post(client, sent.path, sent.body, sent.email)
    return ledger.sent
