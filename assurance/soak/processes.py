"""A1, A2 and A11 across four workers in two processes, behind one proxy."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from assurance.soak.backends import Production
from assurance.soak.clients import Person, RequestLog, SentRequest, connect, register_people
from assurance.soak.consistency import inconsistencies, unexpected_statuses
from assurance.soak.report import Report
from assurance.support.forked_servers import Server
from assurance.support.server_process import ROOT, free_port
from devtools.authenticator import Flaw

ORIGIN = "http://localhost:8000"
PROCESSES, WORKERS = 2, 2
START_TIMEOUT_SECONDS = 120
CADDY = Path(sys.executable).parent / "caddy"
TAKERS = 32


@contextmanager
def _one(folder: Path, settings: dict[str, str]) -> Iterator[int]:
    """The port of a uvicorn with its workers; all of them end with the block."""
    port = free_port()
    folder.mkdir()
    command = [sys.executable, "-m", "uvicorn", "main:app", "--app-dir", str(ROOT)]
    with (folder / "server.out").open("wb") as out:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--workers", str(WORKERS), "--no-access-log"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "ORIGIN": ORIGIN, **settings},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield port
    finally:
        server.terminate()
        server.wait(60)


@contextmanager
def _proxy(folder: Path, ports: list[int]) -> Iterator[str]:
    """The URL of a proxy that sends requests to the ports by turns."""
    port = free_port()
    upstreams = " ".join(f"127.0.0.1:{each}" for each in ports)
    file = folder / "Caddyfile"
    file.write_text(
        "{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n}\n"
        f"http://127.0.0.1:{port} {{\n\tbind 127.0.0.1\n"
        f"\treverse_proxy {upstreams} {{\n\t\tlb_policy round_robin\n\t}}\n}}\n"
    )
    with (folder / "caddy.out").open("wb") as out:
        proxy = subprocess.Popen(
            [str(CADDY), "run", "--config", str(file), "--adapter", "caddyfile"],
            env={"PATH": os.defpath, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
            stdout=out,
            stderr=out,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        proxy.send_signal(signal.SIGTERM)
        proxy.wait(60)


@contextmanager
def behind_a_proxy(folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """The URL of the proxy, once every process answers."""
    with ExitStack() as stack:
        ports = [
            stack.enter_context(_one(folder / f"process{n}", settings)) for n in range(PROCESSES)
        ]
        url = stack.enter_context(_proxy(folder, ports))
        for address in (*(f"http://127.0.0.1:{port}" for port in ports), url):
            _wait_for(address)
        yield url


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not get ready in time")


def races(report: Report, backend: Production, server: Server, *, rounds: int) -> None:
    """Of 32 requests at once exactly one succeeds; of two in turn, the first."""
    settings = {**backend.settings, "DANGER_RATE_LIMITS_OFF": "true"}
    with behind_a_proxy(server.folder, settings) as url:
        # The count of a synced passkey stays 0: only its challenge stops a second login.
        (synced,) = register_people(url, "synced", origin=ORIGIN, counter=False)
        (counting,) = register_people(url, "counting", origin=ORIGIN)
        for number in range(rounds):
            log = RequestLog(f"race-{number}")
            asyncio.run(_round(report, url, synced, counting, log, number))
            report.count("rounds")
            report.fail(unexpected_statuses(log, {200, 201, 400, 401}))
            if number % 25 == 0:
                report.fail(inconsistencies(backend, log))
    report.figures["processes x workers"] = f"{PROCESSES} x {WORKERS}"
    report.figures["takers"] = TAKERS
    logs = sorted(server.folder.glob("process*/app.log"))
    lines = {log.parent.name: log.read_bytes().count(b"\n") for log in logs}
    report.figures["audit lines of each process"] = lines
    took_part = len(lines) == PROCESSES and min(lines.values()) > 0
    report.expect(took_part, "a process had no work")


async def _round(
    report: Report, url: str, synced: Person, counting: Person, log: RequestLog, number: int
) -> None:
    async with connect(url) as client:
        complete = "/login/complete"
        body = await synced.begin_login(client, log)
        replayed = [await log.post(client, complete, body, synced.email) for _ in range(2)]
        _expect_one(report, "A1 replayed", replayed)

        begun = await synced.begin(client, log)
        bad = synced.answer(begun, flaw=Flaw(flip_signature_bit=True))
        await log.post(client, complete, bad, synced.email)
        late = await log.post(client, complete, synced.answer(begun), synced.email)
        report.count("A1 failed, then right: attempts")
        report.expect(late.status == 401, f"A1: the right body after a bad one: {late.status}")

        body = await synced.begin_login(client, log)
        same = (log.post(client, complete, body, synced.email) for _ in range(TAKERS))
        await _race(report, "A2 logins", same)

        newcomer = Person(f"newcomer{number}", ORIGIN)
        _, form = await newcomer.begin_registration(client, log)
        path = "/register/complete"
        same = (log.post(client, path, form, newcomer.email) for _ in range(TAKERS))
        await _race(report, "A2 registrations", same)

        begins = await asyncio.gather(*(counting.begin(client, log) for _ in range(TAKERS)))
        passkey = counting.device.passkeys[-1]
        count = passkey.sign_count = passkey.sign_count + TAKERS + 1
        bodies = [counting.answer(each, flaw=Flaw(sign_count=count)) for each in begins]
        one_count = (log.post(client, complete, it, counting.email, count) for it in bodies)
        await _race(report, "A11 one counter", one_count)


async def _race(
    report: Report, name: str, requests: Iterable[Coroutine[Any, Any, SentRequest]]
) -> None:
    _expect_one(report, name, await asyncio.gather(*requests))


def _expect_one(report: Report, race: str, sent: list[SentRequest]) -> None:
    successes = sum(each.succeeded for each in sent)
    report.count(f"{race}: attempts", len(sent))
    report.count(f"{race}: successes", successes)
    report.expect(successes == 1, f"{race}: {successes} successes, {sent[0].request_id}")
