"""Makes mutants, sends them one after another, and judges each response."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from random import Random

from assurance.fuzz import mutators_cbor, mutators_http, mutators_json, mutators_signed
from assurance.fuzz.asgi_client import RawResponse
from assurance.fuzz.byte_mutations import pick
from assurance.fuzz.fixture import Service, World, local_service
from assurance.fuzz.mutators_http import CONTROL
from assurance.fuzz.reconcile import ExpectedRows, log_violations
from assurance.fuzz.recorded_seeds import all_seeds
from assurance.fuzz.report import Finding, Report
from assurance.fuzz.request_builder import RECORDED, Mutator
from assurance.fuzz.seeds import Maker
from assurance.fuzz.verdict import Mutant, Violation, judge, status_class, violations

CPU_LIMIT_SECONDS = 0.050
RETRIES = 3
BATCH = 250
MUTATORS: Sequence[Mutator] = (
    *mutators_json.MUTATORS,
    *mutators_signed.MUTATORS,
    *mutators_cbor.MUTATORS,
    *mutators_http.MUTATORS,
    *mutators_cbor.RECORDED_MUTATORS,
)


async def fuzz(service: Service, seed: int, indices: Iterable[int]) -> Report:
    """Register people with the service, then try these mutants on it."""
    runner = Runner(await World.populated(service), seed)
    return await runner.run(indices)


def fuzz_alone(seed: int, indices: Iterable[int]) -> Report:
    """Try these mutants on a service of this process."""

    async def run() -> Report:
        async with local_service() as service:
            return await fuzz(service, seed, indices)

    return asyncio.run(run())


class Runner:
    """One run with one seed. Mutant number `index` of a seed is the same in every run."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.seeds = all_seeds()
        self.report = Report(seed)
        self._rows = ExpectedRows()
        self._last_row = ""

    async def run(self, indices: Iterable[int]) -> Report:
        """Try these mutants; the report."""
        started, waiting = time.perf_counter(), list(indices)
        await self._new_rows()
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            for index in batch:
                await self._try(index)
            rows = await self._new_rows()
            self._find(batch[-1], "audit", self._rows.reconcile(rows))
        (found,) = await self.world.sql("SELECT count(*) AS rows FROM audit_logs")
        log = self.world.service.folder / "app.log"
        self._find(-1, "app.log", await asyncio.to_thread(list, log_violations(log, found["rows"])))
        self.report.seconds = time.perf_counter() - started
        self.report.audit_rows = self._rows.count
        return self.report

    def _find(self, index: int, where: str, whats: Iterable[str], request: str = "") -> None:
        self.report.findings += [Finding(index, where, what, request or what) for what in whats]

    async def _new_rows(self) -> list[dict[str, object]]:
        # The ids are in the order of writing, on every database.
        query = "SELECT * FROM audit_logs WHERE id > ? ORDER BY id"
        rows = await self.world.sql(query, self._last_row)
        self._last_row = str(rows[-1]["id"]) if rows else self._last_row
        return rows

    async def _try(self, index: int) -> None:
        async with self._mutant(index) as mutant:
            answer = await mutant.maker.exchange(mutant.request)
            cpu = await self._cheapest(index, answer)
            found = list(violations(mutant.request, answer))
            if cpu > CPU_LIMIT_SECONDS:
                found.append(f"{cpu * 1000:.0f} ms of CPU time")
            # The service may refuse a public vector as it stands.
            recorded = mutant.draft.expected.kind in RECORDED
            if answer.status >= 400 and mutant.mutator == CONTROL and not recorded:
                found.append("a genuine request was refused")
            response_class = status_class(answer)
            if answer.status < 400:
                try:
                    response_class = await judge(mutant, answer)
                except Violation as reason:
                    found.append(str(reason))
            self.report.add(mutant.mutator, response_class, cpu, index)
            request = f"{mutant.request}\n-> {answer.status} {answer.body[:2000]!r}"
            self._find(index, mutant.mutator, found, request)

    async def _cheapest(self, index: int, answer: RawResponse) -> float:
        """CPU seconds of the answer; if that is over the limit, of the cheapest of more tries."""
        cpu = answer.cpu_seconds
        for attempt in range(1, RETRIES + 1):
            if cpu <= CPU_LIMIT_SECONDS:
                break
            # The first try fills the cache of compiled patterns, which would hide its cost.
            re.purge()
            async with self._mutant(index, attempt) as mutant:
                again = await mutant.maker.exchange(mutant.request)
                cpu = min(cpu, again.cpu_seconds)
        return cpu

    @asynccontextmanager
    async def _mutant(self, index: int, attempt: int = 0) -> AsyncIterator[Mutant]:
        """One mutant. Afterwards, the audit rows of all its requests are expected."""
        mutant = await self.make_mutant(index, attempt)
        if mutant.draft.sent_before:
            await mutant.maker.exchange(mutant.request)
        yield mutant
        self.report.requests += len(mutant.maker.sent)
        for request, answer in mutant.maker.sent:
            self._rows.add(request, answer)

    async def make_mutant(self, index: int, attempt: int = 0) -> Mutant:
        """Mutant number `index`. `attempt` only makes its request ids differ."""
        self.world.serve_as()
        rng = Random(f"{self.seed}:{index}")
        seed = rng.choices(self.seeds, [each.weight for each in self.seeds])[0]
        mutator = pick(rng, [each for each in MUTATORS if seed.kind in each.kinds])
        maker = Maker(self.world, rng, f"{index}.{attempt}")
        draft = await seed.make(maker)
        mutator.change(rng, draft)
        return Mutant(mutator.name, draft, draft.build(), maker)
