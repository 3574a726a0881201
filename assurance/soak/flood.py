"""E5: thousands of begun logins from 200 connections, and one person who wants to log in."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from assurance.soak.backends import Backend, Production
from assurance.soak.clients import Person, RequestLog, connect, register_people
from assurance.soak.consistency import unexpected_statuses
from assurance.soak.report import Report, percentile
from assurance.support.forked_servers import Server

CONNECTIONS = 200
GROWTH_MIB = 64
WANTED_MS = 250
ATTACKER, VISITOR = "203.0.113.7", "198.51.100.9"
# Slow enough for the rate limit of one email.
PAUSE_SECONDS = 0.25
# The attacker's process needs this long to start.
START_SECONDS = 1.5
WARM_UP_LOGINS = 50


def resident_mib(pid: int) -> float:
    """The resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def begins(
    report: Report, backend: Backend, server: Server, *, requests: int, limited: bool
) -> None:
    """A flood of begun logins, with rate limits, or without them: then only the size of the
    challenge store bounds what the service keeps."""
    someone, early = register_people(server.url, "patient", "early")
    old, logins = RequestLog("old"), RequestLog("legitimate")
    memory, log = asyncio.run(_flood(server, someone, early, old, logins, requests))
    _report_flood(report, log)
    report.figures["memory before, MiB"] = round(memory)
    report.at_most("growth, MiB", resident_mib(server.pid) - memory, GROWTH_MIB)
    _report_logins(report, logins)
    # On PostgreSQL requests beyond what the connection pool can serve in time are refused.
    busy = {503} if isinstance(backend, Production) else set()
    report.fail(unexpected_statuses(log, {200, *busy, *({429} if limited else ())}))
    report.fail(unexpected_statuses(logins, {200, *busy}))
    # The store in memory drops the oldest challenge; Redis has room, and limits prevent the flood.
    kept = limited or isinstance(backend, Production)
    late = RequestLog("", old.completed())
    report.figures["a login begun before the flood"] = late.sent[0].status
    report.fail(unexpected_statuses(late, {200 if kept else 401}))


async def _flood(
    server: Server,
    someone: Person,
    early: Person,
    old: RequestLog,
    logins: RequestLog,
    requests: int,
) -> tuple[float, RequestLog]:
    """Memory before the flood, and what the attacker sent. The attacker is a process of its own:
    in this process the person would wait behind the attacker's requests."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    async with connect(server.url) as client, connect(server.url, VISITOR) as visitor:
        # What the service loads at the first login is not growth.
        for _ in range(WARM_UP_LOGINS):
            await someone.log_in(client, RequestLog("warm"))
        memory = resident_mib(server.pid)
        waiting = await early.begin_login(client, old)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            attack = loop.run_in_executor(pool, attacker, server.url, requests)
            await asyncio.sleep(START_SECONDS)
            legitimate = asyncio.create_task(_log_in_until(over, visitor, someone, logins))
            log = await attack
            over.set()
            await legitimate
        await old.post(client, "/login/complete", waiting, early.email)
    return memory, log


async def _log_in_until(
    over: asyncio.Event, client: Any, someone: Person, logins: RequestLog
) -> None:
    while not over.is_set():
        await someone.log_in(client, logins)
        await asyncio.sleep(PAUSE_SECONDS)


def attacker(url: str, requests: int) -> RequestLog:
    """Every connection begins one login after the other, as fast as they are answered."""
    log, share = RequestLog("flood"), requests // CONNECTIONS

    async def attack(number: int) -> None:
        async with connect(url, ATTACKER) as client:
            for count in range(share):
                email = None if count % 2 else f"nobody{number}x{count}@example.com"
                await log.post(client, "/login/begin", {"email": email} if email else {}, email)

    async def all_of_them() -> None:
        await asyncio.gather(*map(attack, range(CONNECTIONS)))

    asyncio.run(all_of_them())
    return log


def _report_flood(report: Report, log: RequestLog) -> None:
    seconds = [sent.seconds for sent in log.sent]
    report.figures["begins, by answer"] = log.statuses()
    report.figures["connections"] = CONNECTIONS
    report.figures["begins a second"] = round(len(seconds) * CONNECTIONS / sum(seconds))
    report.figures["a begin, p50, ms"] = round(1000 * percentile(seconds, 0.5))


def _report_logins(report: Report, logins: RequestLog) -> None:
    """The time of a login is that of its two requests."""
    seconds, begun = [], 0.0
    for sent in logins.sent:
        if sent.path == "/login/complete":
            seconds.append(begun + sent.seconds)
        begun = sent.seconds
    report.figures["legitimate requests, by answer"] = logins.statuses()
    report.figures["legitimate logins meanwhile"] = len(seconds)
    for share in (0.5, 0.95):
        value = round(1000 * percentile(seconds, share))
        report.figures[f"a legitimate login, p{share * 100:.0f}, ms"] = value
    report.figures["wanted, p95, ms"] = WANTED_MS


def full_redis(report: Report, backend: Production, server: Server, *, requests: int) -> None:
    """Redis at its `maxmemory`: new challenges are refused with 503, stored ones stay usable."""
    (someone,) = register_people(server.url, "early")
    backend.redis.limit(str(backend.redis.used() + 64 * 1024))
    log, old = RequestLog("full"), RequestLog("old")

    async def fill() -> None:
        async with connect(server.url) as client:
            waiting = await someone.begin_login(client, old)
            for number in range(requests):
                email = f"nobody{number}@example.com"
                await log.post(client, "/login/begin", {"email": email}, email)
            await old.post(client, "/login/complete", waiting, someone.email)

    asyncio.run(fill())
    report.figures["answers"] = log.statuses()
    report.figures["a login begun before"] = old.completed()[0].status
    report.fail(unexpected_statuses(log, {200, 503}))
    report.fail(unexpected_statuses(old, {200}))
    report.expect(log.sent[-1].status == 503, "Redis was never full")
