"""E3: fifty people at once on one SQLite file, with an operator who writes to it, too."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from assurance.soak.backends import Backend
from assurance.soak.clients import Ledger, Person, Sent, connect, settle
from assurance.soak.report import Report, percentile
from assurance.soak.truth import lies, strangers
from assurance.support.forked_servers import Server

WRITERS = 50
OPERATOR_SECONDS = 0.1
LOCKED = "database is locked"


def many_writers(report: Report, backend: Backend, server: Server, *, logins: int) -> None:
    """Every answer is a success, and neither log has heard of a lock."""
    server.start()
    server.wait()
    people = asyncio.run(settle(server.url, server.url, [f"writer{n}" for n in range(WRITERS)]))
    ledger = Ledger("writers")
    begun = time.monotonic()
    written = asyncio.run(_write(server, people, ledger, logins))
    done = [sent for sent in ledger.sent if sent.path == "/login/complete"]
    report.figures["writers"] = WRITERS
    report.figures["logins"] = len(done)
    report.figures["logins a second"] = round(len(done) / (time.monotonic() - begun))
    report.figures["an operator's updates meanwhile"] = written
    _figures_of(report, done)
    report.fail(strangers(ledger, {200, 201}))
    report.fail(lies(backend, ledger))
    for file in ("server.out", "app.log"):
        said = (server.folder / file).read_text(encoding="utf-8", errors="replace")
        report.expect(LOCKED not in said, f"{file} says {LOCKED!r}")
    server.kill()


async def _write(server: Server, people: list[Person], ledger: Ledger, logins: int) -> int:
    async with connect(server.url) as client:

        async def live(someone: Person) -> None:
            for number in range(logins // WRITERS):
                await someone.log_in(client, ledger)
                if number % 10 == 0:
                    newcomer = Person(f"{number}of{someone.email.partition('@')[0]}", server.url)
                    await newcomer.register(client, ledger)

        stop = asyncio.Event()
        operator = asyncio.create_task(_operate(server.folder / "app.db", stop))
        await asyncio.gather(*map(live, people))
        stop.set()
        return await operator


async def _operate(file: Path, stop: asyncio.Event) -> int:
    """Short transactions from another process's connection; how many there were."""
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


def _figures_of(report: Report, sent: list[Sent]) -> None:
    """How fast the answers were, and the slowest."""
    seconds = [each.seconds for each in sent]
    report.figures["p95, ms"] = round(1000 * percentile(seconds, 0.95))
    report.figures["slowest, ms"] = round(1000 * max(seconds, default=0))
