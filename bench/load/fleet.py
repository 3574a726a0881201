"""The client processes: they start each window at the same time, and their results are merged."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any
from uuid import uuid4

from bench.load.worker import Result, Target, Window, serve

LEAD_SECONDS = 0.1
# Keys are made before the window for so many registrations a second; more are made during it.
REGISTRATIONS = 1200


@dataclass
class WindowResult:
    """One window over all processes; `latencies` are in ms and sorted."""

    latencies: list[float]
    errors: Counter[str]
    seconds: float
    client_cpu: float

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """In ms; 0 where nothing succeeded."""
        if not self.latencies:
            return 0.0
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


@dataclass
class Fleet:
    """Client processes that live for all windows, with their people."""

    pipes: Sequence[Pipe]
    people: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def register_people(self, people: int) -> None:
        """Register `people`; each logs in and reads the profile once. This warms up the server."""
        for kind in ("register", "login", "profile"):
            result = self.run(kind, min(16, people), seconds=60, operations=people)
            if len(result.latencies) < people:
                raise RuntimeError(f"the warm-up failed: {dict(result.errors)}")
        self.people = people

    def run(self, kind: str, connections: int, seconds: float, operations: int) -> WindowResult:
        """Keep `connections` busy for `seconds`, or until `operations` are begun."""
        crew = self.pipes[: min(len(self.pipes), connections, operations)]
        if kind == "register":
            ahead = int(min(operations, seconds * REGISTRATIONS))
            _ask(crew, [("stock", part) for part in shares(ahead, len(crew))])
        start = time.monotonic() + LEAD_SECONDS
        windows = [
            Window(kind, lanes, seconds, count, start)
            for lanes, count in zip(
                shares(connections, len(crew)), shares(operations, len(crew)), strict=True
            )
        ]
        result = _together(_ask(crew, [("run", window) for window in windows]), start)
        self.errors += result.errors
        return result


def shares(total: int, parts: int) -> list[int]:
    """`total` in `parts` that differ by one at most."""
    return [total // parts + (number < total % parts) for number in range(parts)]


def _ask(crew: Sequence[Pipe], commands: Sequence[tuple[str, Any]]) -> list[Any]:
    for pipe, command in zip(crew, commands, strict=True):
        pipe.send(command)
    return [pipe.recv() for pipe in crew]


def _together(results: Sequence[Result], start: float) -> WindowResult:
    return WindowResult(
        latencies=sorted(latency for result in results for latency in result.latencies),
        errors=sum((result.errors for result in results), Counter()),
        seconds=max(result.end for result in results) - start,
        client_cpu=sum(result.cpu_seconds for result in results),
    )


@contextmanager
def fleet(target: Target, processes: int, cores: frozenset[int]) -> Iterator[Fleet]:
    """Client processes for one server; they end with the block."""
    spawn = multiprocessing.get_context("spawn")
    # A second run against one server brings new people.
    run = uuid4().hex[:6]
    started = []
    for number in range(processes):
        here, there = spawn.Pipe()
        arguments = (there, target, f"load-{run}-{number}", cores)
        process = spawn.Process(target=serve, args=arguments, daemon=True)
        process.start()
        there.close()
        started.append((process, here))
    try:
        yield Fleet([pipe for _, pipe in started])
    finally:
        for process, pipe in started:
            pipe.close()
            process.join(5)
            process.terminate()
