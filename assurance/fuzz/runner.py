"""Runs mutants one after another, and judges each answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from assurance.fuzz.aftermath import Violation, judge
from assurance.fuzz.invariants import answer_class, violations
from assurance.fuzz.mutants import Mutant, grow, is_recorded
from assurance.fuzz.mutators_http import CONTROL
from assurance.fuzz.reconcile import Ledger, log_violations
from assurance.fuzz.report import Finding, Report
from assurance.fuzz.seeds import Seed
from assurance.fuzz.vectors import all_seeds
from assurance.fuzz.wire import Answer
from assurance.fuzz.world import World

CPU_LIMIT_SECONDS = 0.050
MEASURED_AGAIN = 3
BATCH = 250


class Runner:
    """One run under one seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.seeds: Sequence[Seed] = all_seeds(world)
        self.report = Report(seed)
        self._ledger = Ledger()
        # The people of this world have moved in already.
        self._audited = self._last_row()

    def run(self, indices: Iterable[int]) -> Report:
        """Try these mutants; the report."""
        started = time.perf_counter()
        waiting = list(indices)
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            self.world.service.run(self._batch(batch))
            self._reconcile(batch[-1])
        self._compare_log()
        self.report.seconds = time.perf_counter() - started
        self.report.audit_rows = self._ledger.rows
        return self.report

    async def _batch(self, indices: Sequence[int]) -> None:
        for index in indices:
            await self._try(index)

    async def _try(self, index: int) -> None:
        async with self._grown(index) as mutant:
            answer = await mutant.maker.exchange(mutant.request)
            cpu = await self._cheapest(index, answer)
            found = list(violations(mutant.request, answer))
            if cpu > CPU_LIMIT_SECONDS:
                found.append(f"{cpu * 1000:.0f} ms of CPU time")
            if answer.status >= 400 and mutant.mutator == CONTROL and not is_recorded(mutant):
                found.append("a genuine request was refused")
            verdict = answer_class(answer)
            if answer.status < 400:
                try:
                    verdict = await judge(mutant, answer)
                except Violation as reason:
                    found.append(str(reason))
            self.report.add(mutant.mutator, verdict, cpu, index)
            request = f"{mutant.request}\n-> {answer.status} {answer.body[:2000]!r}"
            self.report.findings += [
                Finding(index, mutant.mutator, what, request) for what in found
            ]

    async def _cheapest(self, index: int, answer: Answer) -> float:
        """CPU seconds of the answer; of the cheapest of some more tries if that is too much."""
        cpu = answer.cpu_seconds
        for attempt in range(1, MEASURED_AGAIN + 1):
            if cpu <= CPU_LIMIT_SECONDS:
                break
            # What a first try has left in a cache would hide what it costs.
            re.purge()
            async with self._grown(index, attempt) as mutant:
                again = await mutant.maker.exchange(mutant.request)
                cpu = min(cpu, again.cpu_seconds)
        return cpu

    @asynccontextmanager
    async def _grown(self, index: int, attempt: int = 0) -> AsyncIterator[Mutant]:
        """A mutant; whatever was sent on its behalf goes into the books."""
        mutant = await grow(self.world, self.seeds, self.seed, index, attempt)
        if mutant.draft.sent_before:
            await mutant.maker.exchange(mutant.request)
        yield mutant
        self.report.requests += len(mutant.maker.sent)
        for request, answer in mutant.maker.sent:
            self._ledger.enter(request, answer)

    def _compare_log(self) -> None:
        service = self.world.service
        (found,) = service.rows("SELECT count(*) AS rows FROM audit_logs")
        self.report.findings += [
            Finding(-1, "app.log", what, what)
            for what in log_violations(service.folder / "app.log", found["rows"])
        ]

    def _last_row(self) -> str:
        # The ids are in the order of writing, on every database.
        found = self.world.service.rows("SELECT max(id) AS last FROM audit_logs")
        return str(found[0]["last"] or "")

    def _reconcile(self, index: int) -> None:
        rows = self.world.service.rows("SELECT * FROM audit_logs WHERE id > ?", self._audited)
        self._audited = max((row["id"] for row in rows), default=self._audited)
        self.report.findings += [
            Finding(index, "audit", what, json.dumps(what)) for what in self._ledger.settle(rows)
        ]
