"""E2: the audit table cannot be written."""

from __future__ import annotations

import asyncio
import time

from assurance.soak.backends import Backend
from assurance.soak.clients import (
    RECOVERY_SECONDS,
    Ledger,
    Person,
    connect,
    seconds_until_login,
    settle,
)
from assurance.soak.report import Report
from assurance.soak.truth import lies, strangers
from assurance.support.forked_servers import Server

_STATE = "SELECT (SELECT count(*) FROM users), (SELECT sum(sign_count) FROM webauthn_credentials)"


def audit_table(report: Report, backend: Backend, server: Server, *, tries: int) -> None:
    """In each way: everything that must be on record is refused with 503, and changes nothing."""
    server.start()
    server.wait()
    for way, (spoil, mend) in backend.ways.items():
        names = [f"{way.replace(' ', '')}{number}" for number in range(tries)]
        people = asyncio.run(settle(server.url, server.url, names))
        begun = asyncio.run(_begin_all(server.url, people))
        before = backend.rows(_STATE)
        backend.execute(spoil)
        try:
            ledger = asyncio.run(_try_everything(server.url, people, begun))
        finally:
            backend.execute(mend)
        report.figures[way] = ledger.statuses()
        report.fail(f"{way}: {failure}" for failure in strangers(ledger, {503}))
        report.fail(f"{way}: {lie}" for lie in lies(backend, ledger))
        report.expect(backend.rows(_STATE) == before, f"{way}: accounts have changed")
        report.fail(asyncio.run(_afterwards(report, server.url, people, ledger)))
    server.kill()


async def _begin_all(url: str, people: list[Person]) -> list[tuple[str, object]]:
    """Bodies that would complete a login or a registration of each."""
    ledger = Ledger("begun")
    bodies: list[tuple[str, object]] = []
    async with connect(url) as client:
        for someone in people:
            bodies.append(("/login/complete", someone.answer(await someone.begin(client, ledger))))
            new = Person(f"new-{someone.email.partition('@')[0]}", url)
            options = await ledger.post(client, "/register/begin", new.form, new.email)
            credential = new.device.create(options.answer["publicKey"])
            bodies.append(("/register/complete", {"email": new.email, "credential": credential}))
    return bodies


async def _try_everything(
    url: str, people: list[Person], begun: list[tuple[str, object]]
) -> Ledger:
    ledger = Ledger(f"unwritable{time.monotonic_ns()}")
    async with connect(url) as client:
        for path, body in begun:
            await ledger.post(client, path, body, None)
        for someone in people:
            await someone.begin(client, ledger)
            await ledger.post(client, "/login/begin", {}, None)
            await ledger.post(client, "/login/begin", {"email": "nobody@example.com"}, None)
    return ledger


async def _afterwards(report: Report, url: str, people: list[Person], ledger: Ledger) -> list[str]:
    """Once it is mended everybody logs in at once, and what was refused stays spent."""
    later = Ledger("later")
    async with connect(url) as client:
        seconds = await seconds_until_login(client, people[0])
        report.at_most("recovery, s", seconds, RECOVERY_SECONDS)
        for someone in people:
            await someone.log_in(client, later)
        failures = strangers(later, {200})
        replayed = Ledger("replayed")
        for sent in ledger.completed():
            await replayed.post(client, sent.path, sent.body, None)
    return failures + strangers(replayed, {400, 401})
