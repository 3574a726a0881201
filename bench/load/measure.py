"""Measures one system: every kind of operation at every number of connections."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.load.fleet import Fleet, WindowResult, fleet
from bench.load.pinning import Cores, share_cores
from bench.load.processes import Memory, cpu_seconds, watched
from bench.load.storage import PostgresStorage, Storage, can_trace, traced
from bench.load.systems import Served, System
from bench.load.worker import Target

MIN_PEOPLE = 128
TRACED_OPERATIONS = 300
TRACED_CONNECTIONS = 16


@dataclass(frozen=True)
class Plan:
    """What is measured, for how long."""

    connections: Sequence[int] = (1, 16, 64)
    kinds: Sequence[str] = ("register", "login", "usernameless", "profile")
    seconds: float = 3.0
    operations: int = 1_000_000
    processes: int = 2
    trace: bool = True

    @property
    def people(self) -> int:
        return max(MIN_PEOPLE, 2 * max(self.connections))


@dataclass(frozen=True)
class Cell:
    """One kind of operation at one number of connections; times in ms, CPU in ms an operation."""

    kind: str
    connections: int
    operations: int
    errors: int
    per_second: float
    p50: float
    p95: float
    p99: float
    server_cpu: float
    client_cpu: float
    commits: float | None
    database_bytes: float | None
    log_bytes: float | None


@dataclass
class Figures:
    """All that was measured of one system."""

    name: str
    cores: str
    cells: list[Cell] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    memory_peak: int = 0
    memory_growth: int = 0
    syncs_per_commit: float | None = None
    syncs_per_login: float | None = None
    syncs_how: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Subject:
    """A running system with its clients, ready to measure."""

    def __init__(self, served: Served, crew: Fleet, trace: bool) -> None:
        self.served, self.crew, self._trace = served, crew, trace

    def measure(self, kind: str, connections: int, seconds: float, operations: int) -> Cell:
        """One window, with the server's CPU and storage read before and after."""
        before, cpu = _disk(self.served.storage), cpu_seconds(self.served.pid)
        seen = self.crew.run(kind, connections, seconds, operations)
        cpu = cpu_seconds(self.served.pid) - cpu
        return _cell(kind, connections, seen, cpu, before, _disk(self.served.storage))

    def syncs(self) -> tuple[float, float, str] | None:
        """Syncs for each commit and each login, and how they were counted, in an own window."""
        storage = self.served.storage
        if isinstance(storage, PostgresStorage):
            counted = self._postgres_syncs(storage)
            return (*counted, "told by PostgreSQL, for all its users")
        if storage is None or not self._trace or not can_trace():
            return None
        before = storage.commits()
        with traced(self.served.pid) as seen:
            done = self.crew.run("login", TRACED_CONNECTIONS, 30, TRACED_OPERATIONS)
        commits = storage.commits() - before
        return (*_ratios(seen.syncs, commits, len(done.latencies)), "traced")

    def _postgres_syncs(self, storage: PostgresStorage) -> tuple[float, float]:
        storage.reported()
        syncs, commits = storage.syncs(), storage.commits()
        done = self.crew.run("login", TRACED_CONNECTIONS, 30, TRACED_OPERATIONS)
        storage.wait_until_idle()
        return _ratios(storage.syncs() - syncs, storage.commits() - commits, len(done.latencies))


def _ratios(syncs: int, commits: int, logins: int) -> tuple[float, float]:
    return syncs / max(1, commits), syncs / max(1, logins)


def _disk(storage: Storage | None) -> tuple[int, int, int] | None:
    if storage is None:
        return None
    storage.wait_until_idle()
    return storage.commits(), storage.database_bytes(), storage.log_bytes()


def _cell(
    kind: str,
    connections: int,
    seen: WindowResult,
    cpu: float,
    before: tuple[int, int, int] | None,
    after: tuple[int, int, int] | None,
) -> Cell:
    # Errors cost CPU as well: without them a system that fails would look cheap.
    count = max(1, len(seen.latencies) + seen.errors.total())
    disk: list[float | None] = [None, None, None]
    if before and after:
        disk = [(late - early) / count for early, late in zip(before, after, strict=True)]
    return Cell(
        kind=kind,
        connections=connections,
        operations=len(seen.latencies),
        errors=seen.errors.total(),
        per_second=seen.per_second,
        p50=seen.percentile(0.5),
        p95=seen.percentile(0.95),
        p99=seen.percentile(0.99),
        server_cpu=cpu * 1000 / count,
        client_cpu=seen.client_cpu * 1000 / count,
        commits=disk[0],
        database_bytes=disk[1],
        log_bytes=disk[2],
    )


@contextmanager
def subject(system: System, plan: Plan) -> Iterator[tuple[Subject, Cores]]:
    """A system in a new folder with registered people; it ends with the block."""
    cores = share_cores(system.workers)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        system.serving(Path(folder), cores.server) as served,
        against(served, system, plan, cores) as ready,
    ):
        yield ready, cores


@contextmanager
def against(served: Served, system: System, plan: Plan, cores: Cores) -> Iterator[Subject]:
    """Clients for a server that runs already."""
    target = Target(served.url, served.origin, system.api)
    with fleet(target, plan.processes, cores.clients) as crew:
        crew.register_people(plan.people)
        yield Subject(served, crew, plan.trace)


def examine(ready: Subject, name: str, cores: Cores, plan: Plan) -> Figures:
    """Every cell of the plan, in order."""
    figures = Figures(name, str(cores))
    with watched(ready.served.pid) as memory:
        for kind in plan.kinds:
            for connections in plan.connections:
                cell = ready.measure(kind, connections, plan.seconds, plan.operations)
                figures.cells.append(cell)
    _conclude(figures, ready, memory)
    return figures


def _conclude(figures: Figures, ready: Subject, memory: Memory) -> None:
    figures.memory_peak, figures.memory_growth = memory.peak, memory.growth
    if found := ready.syncs():
        figures.syncs_per_commit, figures.syncs_per_login, figures.syncs_how = found
    figures.errors = dict(ready.crew.errors)
