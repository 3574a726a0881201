"""E2: the disk is full, or only the log file fails."""

from __future__ import annotations

import asyncio
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from assurance.soak.backends import Backend
from assurance.soak.clients import (
    RECOVERY_SECONDS,
    Ledger,
    Person,
    connect,
    keep_logging_in,
    seconds_until_login,
    settle,
)
from assurance.soak.report import Report
from assurance.soak.truth import lies, strangers
from assurance.support.forked_servers import Server

# The write-ahead log alone takes 4 MiB before it is begun anew.
DISK_BYTES = 32 * 1024 * 1024


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of 32 MiB, where this user may mount one."""
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
    """Take all the room there is; gives what makes room again."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        # A short write comes before the error.
        while file.write(bytes(65536)):
            pass
    return ballast.unlink


def _forbid_growth(pid: int) -> Callable[[], None]:
    """No file of the process may grow; gives what allows it again."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def allow() -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    return allow


def full_disk(
    report: Report, backend: Backend, server: Server, *, rounds: int, disk: Path | None
) -> None:
    """Under load, the disk fills and empties: 503 and no token, then logins as ever."""
    report.figures["how"] = "a full file system" if disk else "RLIMIT_FSIZE"
    server.start()
    server.wait()
    people = asyncio.run(settle(server.url, server.url, [f"full{n}" for n in range(8)]))
    for number in range(rounds):
        ledger = Ledger(f"full-{number}")
        asyncio.run(_fill_under_load(report, server, people, ledger, disk))
        report.count("rounds")
        report.count("logins let in", sum("access_token" in str(s.answer) for s in ledger.sent))
        report.count("answered with 503", ledger.statuses().get(503, 0))
        report.fail(strangers(ledger, {200, 503}))
        report.fail(lies(backend, ledger))
    report.expect(bool(report.figures["answered with 503"]), "the disk was never full")
    integrity = backend.rows("PRAGMA integrity_check")
    report.expect(integrity == [("ok",)], f"the database is damaged: {integrity}")
    server.kill()


async def _fill_under_load(
    report: Report, server: Server, people: list[Person], ledger: Ledger, disk: Path | None
) -> None:
    stop = asyncio.Event()
    async with connect(server.url) as client:
        load = asyncio.create_task(keep_logging_in(client, people, ledger, stop))
        await asyncio.sleep(0.3)
        empty = _fill(disk) if disk else _forbid_growth(server.pid)
        await asyncio.sleep(1)
        stop.set()
        await load
        empty()
        seconds = await seconds_until_login(client, people[0])
        report.at_most("recovery, s", seconds, RECOVERY_SECONDS)


def log_file(report: Report, backend: Backend, server: Server, *, logins: int) -> None:
    """`LOG_FILE=/dev/full`: every line is lost, no login is, and /readyz says so."""
    server.start()
    server.wait()
    people = asyncio.run(settle(server.url, server.url, ["log"]))
    ledger = Ledger("log")

    async def log_in() -> httpx.Response:
        async with connect(server.url) as client:
            for _ in range(logins):
                await people[0].log_in(client, ledger)
            return await client.get("/readyz")

    ready = asyncio.run(log_in())
    report.figures["logins"] = logins
    report.figures["readyz"] = f"{ready.status_code} {ready.json()['parts']['log']}"
    report.expect(ready.status_code == 200, "a lost log line made the service unready")
    report.expect("lines lost" in ready.json()["parts"]["log"], "lost lines were not said")
    report.fail(strangers(ledger, {200}))
    report.fail(lies(backend, ledger))
    server.kill()
