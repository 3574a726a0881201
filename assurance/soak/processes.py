"""A1, A2 and A11 across four workers in two processes, behind one proxy."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx

from assurance.soak.backends import Production
from assurance.soak.clients import Ledger, Person, Sent, connect, settle
from assurance.soak.fleet import ORIGIN, PROCESSES, WORKERS, behind_a_proxy
from assurance.soak.report import Report
from assurance.soak.truth import lies, strangers
from devtools.authenticator import Flaw

TAKERS = 32


def races(report: Report, backend: Production, folder: Path, *, rounds: int) -> None:
    """Of 32 at once, exactly one; of two in turn, the first."""
    settings = {**backend.settings, "DANGER_RATE_LIMITS_OFF": "true"}
    with behind_a_proxy(folder, settings) as url:
        # A synced passkey does not count: nothing but its challenge stops a second login.
        (synced,) = asyncio.run(settle(url, ORIGIN, ["synced"], counter=False))
        (counting,) = asyncio.run(settle(url, ORIGIN, ["counting"]))
        for number in range(rounds):
            ledger = Ledger(f"race-{number}")
            asyncio.run(_round(report, url, (synced, counting), ledger, number))
            report.count("rounds")
            report.fail(strangers(ledger, {200, 201, 400, 401}))
            if number % 25 == 0:
                report.fail(lies(backend, ledger))
    report.figures["processes x workers"] = f"{PROCESSES} x {WORKERS}"
    report.figures["takers"] = TAKERS
    _who_answered(report, folder)


async def _round(
    report: Report, url: str, people: tuple[Person, Person], ledger: Ledger, number: int
) -> None:
    synced, counting = people
    async with connect(url) as client:
        await _replay(report, client, synced, ledger)
        await _parallel_logins(report, client, synced, ledger)
        await _parallel_registrations(report, client, ledger, number)
        await _one_counter(report, client, counting, ledger)


def _expect_one(report: Report, race: str, sent: list[Sent]) -> None:
    successes = sum(each.succeeded for each in sent)
    report.count(f"{race}: attempts", len(sent))
    report.count(f"{race}: successes", successes)
    report.expect(successes == 1, f"{race}: {successes} successes, {sent[0].request_id}")


async def _replay(
    report: Report, client: httpx.AsyncClient, someone: Person, ledger: Ledger
) -> None:
    """A1: a finished body again; and the right one after a bad one."""
    body = someone.answer(await someone.begin(client, ledger))
    sent = [await ledger.post(client, "/login/complete", body, someone.email) for _ in range(2)]
    _expect_one(report, "A1 replayed", sent)
    begun = await someone.begin(client, ledger)
    options = begun.answer["publicKey"]
    flaw = Flaw(flip_signature_bit=True)
    bad = {"email": someone.email, "assertion": someone.device.get(options, flaw=flaw)}
    await ledger.post(client, "/login/complete", bad, someone.email)
    late = await ledger.post(client, "/login/complete", someone.answer(begun), someone.email)
    report.count("A1 failed, then right: attempts")
    report.expect(late.status == 401, f"A1: the right body after a bad one: {late.status}")


async def _parallel_logins(
    report: Report, client: httpx.AsyncClient, someone: Person, ledger: Ledger
) -> None:
    """A2: one challenge, many takers."""
    body = someone.answer(await someone.begin(client, ledger))
    tasks = (ledger.post(client, "/login/complete", body, someone.email) for _ in range(TAKERS))
    _expect_one(report, "A2 logins", await asyncio.gather(*tasks))


async def _parallel_registrations(
    report: Report, client: httpx.AsyncClient, ledger: Ledger, number: int
) -> None:
    """A2: the same for a registration."""
    newcomer = Person(f"newcomer{number}", ORIGIN)
    begun = await ledger.post(client, "/register/begin", newcomer.form, newcomer.email)
    credential = newcomer.device.create(begun.answer["publicKey"])
    body = {"email": newcomer.email, "credential": credential}
    tasks = (ledger.post(client, "/register/complete", body, newcomer.email) for _ in range(TAKERS))
    _expect_one(report, "A2 registrations", await asyncio.gather(*tasks))


async def _one_counter(
    report: Report, client: httpx.AsyncClient, someone: Person, ledger: Ledger
) -> None:
    """A11: many challenges, one sign count."""
    begun = await asyncio.gather(*(someone.begin(client, ledger) for _ in range(TAKERS)))
    passkey = someone.device.passkeys[-1]
    passkey.sign_count += TAKERS + 1
    count = passkey.sign_count
    flaw = Flaw(sign_count=count)
    bodies = [
        {
            "email": someone.email,
            "assertion": someone.device.get(each.answer["publicKey"], flaw=flaw),
        }
        for each in begun
    ]
    tasks = (ledger.post(client, "/login/complete", body, someone.email, count) for body in bodies)
    _expect_one(report, "A11 one counter", await asyncio.gather(*tasks))


def _who_answered(report: Report, folder: Path) -> None:
    """Lines that each process has written: all of them took part."""
    lines = Counter(
        {
            log.parent.name: log.read_bytes().count(b"\n")
            for log in sorted(folder.glob("process*/app.log"))
        }
    )
    report.figures["audit lines of each process"] = dict(lines)
    report.expect(
        len(lines) == PROCESSES and min(lines.values(), default=0) > 0, "a process had no work"
    )
