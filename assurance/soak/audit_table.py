"""E2: the audit table cannot be written."""

from __future__ import annotations

import asyncio
import time

from assurance.soak.backends import Backend
from assurance.soak.clients import (
    RECOVERY_SECONDS,
    Person,
    RequestLog,
    connect,
    register_people,
    seconds_until_login,
)
from assurance.soak.consistency import inconsistencies, unexpected_statuses
from assurance.soak.report import Report
from assurance.support.forked_servers import Server

_STATE = "SELECT (SELECT count(*) FROM users), (SELECT sum(sign_count) FROM webauthn_credentials)"


def unwritable(report: Report, backend: Backend, server: Server, *, tries: int) -> None:
    """For each way to break the table: every request that must be on record is refused with 503
    and changes nothing."""
    for way, (break_table, repair_table) in backend.ways.items():
        names = [f"{way.replace(' ', '')}{number}" for number in range(tries)]
        people = register_people(server.url, *names)
        begun = asyncio.run(_begin_all(server.url, people))
        before = backend.rows(_STATE)
        backend.execute(break_table)
        try:
            log = asyncio.run(_try_everything(server.url, people, begun))
        finally:
            backend.execute(repair_table)
        report.figures[way] = log.statuses()
        report.fail(f"{way}: {failure}" for failure in unexpected_statuses(log, {503}))
        report.fail(f"{way}: {failure}" for failure in inconsistencies(backend, log))
        report.expect(backend.rows(_STATE) == before, f"{way}: accounts have changed")
        report.fail(asyncio.run(_after_repair(report, server.url, people, log)))


async def _begin_all(url: str, people: list[Person]) -> list[tuple[str, object]]:
    """Paths and bodies that would complete one login and one registration for each person."""
    log = RequestLog("begun")
    bodies: list[tuple[str, object]] = []
    async with connect(url) as client:
        for someone in people:
            bodies.append(("/login/complete", await someone.begin_login(client, log)))
            new = Person(f"new-{someone.email.partition('@')[0]}", url)
            bodies.append(("/register/complete", (await new.begin_registration(client, log))[1]))
    return bodies


async def _try_everything(
    url: str, people: list[Person], begun: list[tuple[str, object]]
) -> RequestLog:
    log = RequestLog(f"unwritable{time.monotonic_ns()}")
    async with connect(url) as client:
        for path, body in begun:
            await log.post(client, path, body, None)
        for someone in people:
            await someone.begin(client, log)
            await log.post(client, "/login/begin", {}, None)
            await log.post(client, "/login/begin", {"email": "nobody@example.com"}, None)
    return log


async def _after_repair(
    report: Report, url: str, people: list[Person], log: RequestLog
) -> list[str]:
    """Everybody can log in at once, and the challenges that were refused stay used."""
    later, replayed = RequestLog("later"), RequestLog("replayed")
    async with connect(url) as client:
        seconds = await seconds_until_login(client, people[0])
        report.seconds("recovery", seconds, RECOVERY_SECONDS)
        for someone in people:
            await someone.log_in(client, later)
        for sent in log.completed():
            await replayed.post(client, sent.path, sent.body, None)
    return unexpected_statuses(later, {200}) + unexpected_statuses(replayed, {400, 401})
