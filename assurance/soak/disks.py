"""E2: the disk is full, or only the log file cannot be written."""

from __future__ import annotations

import asyncio
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from assurance.soak.backends import Backend, Sqlite
from assurance.soak.clients import (
    RECOVERY_SECONDS,
    RequestLog,
    Stop,
    connect,
    register_people,
    seconds_until_login,
    under_load,
)
from assurance.soak.consistency import inconsistencies, unexpected_statuses
from assurance.soak.report import Report
from assurance.support.forked_servers import Server

# SQLite's write-ahead log takes 4 MiB before SQLite starts it again.
DISK_BYTES = 32 * 1024 * 1024
PEOPLE, ANSWERS = 8, 40


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of 32 MiB, or None where this user may not mount one."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


def _fill(disk: Path) -> Callable[[], None]:
    """Use up all space; returns the function that frees it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        # The write before the error may be a short one.
        while file.write(bytes(65536)):
            pass
    return ballast.unlink


def _forbid_growth(pid: int) -> Callable[[], None]:
    """Let no file of the process grow; returns the function that allows it again."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def allow() -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    return allow


def full_disk(report: Report, _: Backend, server: Server, *, rounds: int) -> None:
    """The disk with database and log fills up under load: 503 and no token. Then there is space
    again, and logins succeed."""
    with small_disk(server.folder) as disk:
        folder = disk or server.folder
        report.figures["how"] = "a full file system" if disk else "RLIMIT_FSIZE"
        backend = Sqlite(folder)
        server.kill()
        server.set(LOG_FILE=str(folder / "app.log"), **backend.settings)
        server.start_and_wait()
        people = register_people(server.url, *(f"full{number}" for number in range(PEOPLE)))

        async def fill(client: httpx.AsyncClient, stop: Stop) -> None:
            await log.wait_until_ended(ANSWERS)
            make_space = _fill(disk) if disk else _forbid_growth(server.pid)
            await log.wait_until_ended(ANSWERS)
            await stop()
            make_space()
            seconds = await seconds_until_login(client, people[0])
            report.seconds("recovery", seconds, RECOVERY_SECONDS)

        for number in range(rounds):
            log = RequestLog(f"full-{number}")
            asyncio.run(under_load(server.url, people, log, fill))
            report.count("rounds")
            report.count("logins let in", sum("access_token" in str(s.answer) for s in log.sent))
            report.count("answered with 503", log.statuses().get(503, 0))
            report.fail(unexpected_statuses(log, {200, 503}))
            report.fail(inconsistencies(backend, log))
        report.expect(bool(report.figures["answered with 503"]), "the disk was never full")
        integrity = backend.rows("PRAGMA integrity_check")
        report.expect(integrity == [("ok",)], f"the database is damaged: {integrity}")


def log_file(report: Report, backend: Backend, server: Server, *, logins: int) -> None:
    """With `LOG_FILE=/dev/full` every line is lost, no login is, and /readyz reports it."""
    (someone,) = register_people(server.url, "log")
    log = RequestLog("log")

    async def log_in() -> httpx.Response:
        async with connect(server.url) as client:
            for _ in range(logins):
                await someone.log_in(client, log)
            return await client.get("/readyz")

    ready = asyncio.run(log_in())
    report.figures["logins"] = logins
    report.figures["readyz"] = f"{ready.status_code} {ready.json()['parts']['log']}"
    report.expect(ready.status_code == 200, "a lost log line made the service unready")
    report.expect("lines lost" in ready.json()["parts"]["log"], "lost lines were not reported")
    report.fail(unexpected_statuses(log, {200}))
    report.fail(inconsistencies(backend, log))
