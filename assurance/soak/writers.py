"""E3: fifty people at once on one SQLite file, which an operator's process writes to as well."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from assurance.soak.backends import Backend
from assurance.soak.clients import Person, RequestLog, connect, register_people
from assurance.soak.consistency import inconsistencies, unexpected_statuses
from assurance.soak.report import Report, percentile
from assurance.support.forked_servers import Server

WRITERS = 50
OPERATOR_SECONDS = 0.1
LOCKED = "database is locked"


def many_writers(report: Report, backend: Backend, server: Server, *, logins: int) -> None:
    """Every answer is a success, and no log says that the database is locked."""
    people = register_people(server.url, *(f"writer{number}" for number in range(WRITERS)))
    log, started = RequestLog("writers"), time.monotonic()
    report.figures["an operator's updates meanwhile"] = asyncio.run(
        _write(server, people, log, logins)
    )
    seconds = [sent.seconds for sent in log.sent if sent.path == "/login/complete"]
    report.figures["writers"] = WRITERS
    report.figures["logins"] = len(seconds)
    report.figures["logins a second"] = round(len(seconds) / (time.monotonic() - started))
    report.figures["p95, ms"] = round(1000 * percentile(seconds, 0.95))
    report.figures["slowest, ms"] = round(1000 * max(seconds, default=0))
    report.fail(unexpected_statuses(log, {200, 201}))
    report.fail(inconsistencies(backend, log))
    for file in ("server.out", "app.log"):
        text = (server.folder / file).read_text(encoding="utf-8", errors="replace")
        report.expect(LOCKED not in text, f"{file} says {LOCKED!r}")


async def _write(server: Server, people: list[Person], log: RequestLog, logins: int) -> int:
    """Everybody logs in and some register; how many updates the operator made meanwhile."""
    stop = asyncio.Event()
    async with connect(server.url) as client:

        async def live(someone: Person) -> None:
            for number in range(logins // WRITERS):
                await someone.log_in(client, log)
                if number % 10 == 0:
                    newcomer = Person(f"{number}of{someone.email.partition('@')[0]}", server.url)
                    await newcomer.register(client, log)

        operator = asyncio.create_task(_operate(server.folder / "app.db", stop))
        await asyncio.gather(*map(live, people))
        stop.set()
        return await operator


async def _operate(file: Path, stop: asyncio.Event) -> int:
    written = 0
    while not stop.is_set():
        await asyncio.to_thread(_update, file)
        written += 1
        await asyncio.sleep(OPERATOR_SECONDS)
    return written


def _update(file: Path) -> None:
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE users SET job_title = 'Writer'")
        connection.execute("COMMIT")
