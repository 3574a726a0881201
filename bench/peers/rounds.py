"""Measures all systems by turns, and takes the median of each system's turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from bench.load.measure import Cell, Plan, Subject, subject
from bench.load.systems import System

KINDS = ("login", "register", "profile")


@dataclass(frozen=True)
class Rounds:
    """How often, how long, and with how many connections."""

    count: int = 3
    seconds: float = 3.0
    connections: int = 64

    @property
    def plan(self) -> Plan:
        return Plan(connections=(self.connections,), processes=2)


@dataclass
class Standing:
    """A system's medians: CPU in ms for each operation, operations in a second."""

    name: str
    syncs_per_commit: float | None = None
    syncs_per_login: float | None = None
    cpu: dict[str, float] = field(default_factory=dict)
    per_second: dict[str, float] = field(default_factory=dict)
    commits: dict[str, float | None] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def durable(self) -> str:
        """Whether an answer waits for a sync of the disk, as counted by a tracer."""
        if self.syncs_per_commit is None:
            return "not traced"
        return "yes" if self.syncs_per_commit >= 0.9 else "no"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "durable": self.durable}


def compare(systems: Sequence[System], rounds: Rounds) -> list[Standing]:
    """Start all systems and measure them by turns; another one begins each round."""
    cells: dict[str, list[Cell]] = defaultdict(list)
    with ExitStack() as running:
        subjects = {
            system.name: running.enter_context(subject(system, rounds.plan))[0]
            for system in systems
        }
        for name, kind in turns(list(subjects), rounds.count):
            cell = subjects[name].measure(kind, rounds.connections, rounds.seconds, 1_000_000)
            cells[name].append(cell)
        return [_standing(name, ready, cells[name]) for name, ready in subjects.items()]


def turns(names: Sequence[str], count: int) -> Iterator[tuple[str, str]]:
    """The order of measurements: name of the system, kind of operation."""
    for number in range(count):
        for kind in KINDS:
            first = number % len(names)
            yield from ((name, kind) for name in (*names[first:], *names[:first]))


def _standing(name: str, ready: Subject, cells: Sequence[Cell]) -> Standing:
    standing = Standing(name)
    for kind in KINDS:
        mine = [cell for cell in cells if cell.kind == kind]
        standing.cpu[kind] = median(cell.server_cpu for cell in mine)
        standing.per_second[kind] = median(cell.per_second for cell in mine)
        standing.commits[kind] = median(cell.commits or 0 for cell in mine)
    if found := ready.syncs():
        standing.syncs_per_commit, standing.syncs_per_login, _ = found
    standing.errors = dict(ready.crew.errors)
    return standing
