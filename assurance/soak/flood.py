"""E5: ten thousand begins from two hundred connections, and one person who wants to log in."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx

from assurance.soak.backends import Backend, Production
from assurance.soak.clients import Ledger, Person, connect, settle
from assurance.soak.report import Report, percentile
from assurance.soak.truth import strangers
from assurance.support.forked_servers import Server

CONNECTIONS = 200
GROWTH_MIB = 64
WANTED_MS = 250
ATTACKER, VISITOR = "203.0.113.7", "198.51.100.9"
# Few enough for the limit of one email.
PAUSE_SECONDS = 0.25
# The attacker's process has to start.
START_SECONDS = 1.5


def resident_mib(pid: int) -> float:
    """What a process has in memory now."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def begins(
    report: Report, backend: Backend, server: Server, *, requests: int, limited: bool
) -> None:
    """With rate limits, or without any: then the store alone bounds what is kept."""
    server.start()
    server.wait()
    someone, early = asyncio.run(settle(server.url, server.url, ["patient", "early"]))
    asyncio.run(_warm_up(server.url, someone))
    before = resident_mib(server.pid)
    old, logins = Ledger("old"), Ledger("legitimate")
    waiting = asyncio.run(_begin_early(server.url, early, old))
    ledger = asyncio.run(_flood(server.url, someone, logins, requests))
    asyncio.run(_finish_late(server.url, early, old, waiting))
    _figures_of_flood(report, ledger)
    report.figures["memory before, MiB"] = round(before)
    report.at_most("growth, MiB", resident_mib(server.pid) - before, GROWTH_MIB)
    _figures_of_logins(report, logins)
    # More than the pool of connections can serve in its time is refused, whoever asks.
    busy = {503} if isinstance(backend, Production) else set()
    report.fail(strangers(ledger, {200, *busy, *({429} if limited else ())}))
    report.fail(strangers(logins, {200, *busy}))
    report.figures["legitimate requests, by answer"] = logins.statuses()
    # In memory the oldest goes; Redis keeps what it has room for, and limits let nothing pile up.
    kept = limited or isinstance(backend, Production)
    report.figures["a login begun before the flood"] = old.completed()[0].status
    report.fail(strangers(Ledger("", old.completed()), {200 if kept else 401}))
    server.kill()


def _figures_of_flood(report: Report, ledger: Ledger) -> None:
    report.figures["begins, by answer"] = ledger.statuses()
    report.figures["connections"] = CONNECTIONS
    seconds = sum(sent.seconds for sent in ledger.sent) / CONNECTIONS
    report.figures["begins a second"] = round(len(ledger.sent) / seconds)
    median = percentile([sent.seconds for sent in ledger.sent], 0.5)
    report.figures["a begin, p50, ms"] = round(1000 * median)


def _figures_of_logins(report: Report, logins: Ledger) -> None:
    """A login is its two requests."""
    seconds, begun = [], 0.0
    for sent in logins.sent:
        if sent.path == "/login/complete":
            seconds.append(begun + sent.seconds)
        begun = sent.seconds
    report.figures["legitimate logins meanwhile"] = len(seconds)
    for share in (0.5, 0.95):
        value = round(1000 * percentile(seconds, share))
        report.figures[f"a legitimate login, p{share * 100:.0f}, ms"] = value
    report.figures["wanted, p95, ms"] = WANTED_MS


async def _warm_up(url: str, someone: Person) -> None:
    """What is loaded at the first use is no growth."""
    async with connect(url) as client:
        for _ in range(50):
            await someone.log_in(client, Ledger("warm"))


async def _begin_early(url: str, early: Person, old: Ledger) -> dict[str, Any]:
    async with connect(url) as client:
        return early.answer(await early.begin(client, old))


async def _finish_late(url: str, early: Person, old: Ledger, waiting: dict[str, Any]) -> None:
    async with connect(url) as client:
        await old.post(client, "/login/complete", waiting, early.email)


async def _flood(url: str, someone: Person, logins: Ledger, requests: int) -> Ledger:
    """The attacker is a process of its own, or the person would queue behind it here."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        attack = loop.run_in_executor(pool, attacker, url, requests)
        await asyncio.sleep(START_SECONDS)
        async with connect(url) as client:
            client.headers["X-Forwarded-For"] = VISITOR
            legitimate = asyncio.create_task(_log_in_until(over, client, someone, logins))
            ledger = await attack
            over.set()
            await legitimate
    return ledger


def attacker(url: str, requests: int) -> Ledger:
    """Every connection sends one begin after the other, as fast as they are answered."""
    ledger, share = Ledger("flood"), requests // CONNECTIONS

    async def attack(number: int) -> None:
        async with connect(url) as client:
            client.headers["X-Forwarded-For"] = ATTACKER
            for count in range(share):
                email = None if count % 2 else f"nobody{number}x{count}@example.com"
                await ledger.post(client, "/login/begin", {"email": email} if email else {}, email)

    async def all_of_them() -> None:
        await asyncio.gather(*map(attack, range(CONNECTIONS)))

    asyncio.run(all_of_them())
    return ledger


async def _log_in_until(
    over: asyncio.Event, client: httpx.AsyncClient, someone: Person, logins: Ledger
) -> None:
    while not over.is_set():
        await someone.log_in(client, logins)
        await asyncio.sleep(PAUSE_SECONDS)


def full_redis(report: Report, backend: Production, server: Server, *, requests: int) -> None:
    """Redis at its `maxmemory`: the newest is refused with 503, what waits may still complete."""
    server.start()
    server.wait()
    (someone,) = asyncio.run(settle(server.url, server.url, ["early"]))
    backend.redis.limit(str(backend.redis.used() + 64 * 1024))
    ledger, old = Ledger("full"), Ledger("old")

    async def fill() -> None:
        async with connect(server.url) as client:
            waiting = someone.answer(await someone.begin(client, old))
            for number in range(requests):
                email = f"nobody{number}@example.com"
                await ledger.post(client, "/login/begin", {"email": email}, email)
            await old.post(client, "/login/complete", waiting, someone.email)

    begun = time.monotonic()
    asyncio.run(fill())
    report.figures["answers"] = ledger.statuses()
    report.figures["a login begun before"] = old.completed()[0].status
    report.figures["seconds"] = round(time.monotonic() - begun)
    report.fail(strangers(ledger, {200, 503}))
    report.fail(strangers(old, {200}))
    report.expect(ledger.sent[-1].status == 503, "Redis was never full")
    server.kill()
