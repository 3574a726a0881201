"""The result of a run as a table."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

SLOWEST_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One violation, and the mutant that shows it again."""

    index: int
    mutator: str
    what: str
    request: str


@dataclass
class Report:
    """Counts by mutator and class of response, the slowest requests, and the violations."""

    seed: int
    count: int = 0
    requests: int = 0
    audit_rows: int = 0
    seconds: float = 0.0
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest: list[tuple[float, str, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, mutator: str, response_class: str, cpu_seconds: float, index: int) -> None:
        self.count += 1
        self.cells[mutator, response_class] += 1
        self.slowest.append((cpu_seconds, mutator, index))
        self.slowest = sorted(self.slowest, reverse=True)[:SLOWEST_SHOWN]

    def merge(self, other: Report) -> None:
        """Add the report of another process with the same seed."""
        self.count += other.count
        self.requests += other.requests
        self.audit_rows += other.audit_rows
        self.cells += other.cells
        self.slowest = sorted(self.slowest + other.slowest, reverse=True)[:SLOWEST_SHOWN]
        self.findings += other.findings

    def by_mutator(self) -> dict[str, Counter[str]]:
        """The classes of response that each mutator met, and how often."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for (mutator, response_class), count in self.cells.items():
            found[mutator][response_class] += count
        return found

    @property
    def totals(self) -> Counter[str]:
        """How many responses of each class there were."""
        return sum(self.by_mutator().values(), Counter())

    def __str__(self) -> str:
        rate = self.count / self.seconds if self.seconds else 0.0
        slowest = (
            f"{cpu * 1000:.1f} ms CPU #{index} ({name})" for cpu, name, index in self.slowest
        )
        figures = (
            f"seed {self.seed}: {self.count} mutants in {self.seconds:.0f} s, {rate:.0f} a second;"
            f" {self.requests} requests in all, {self.audit_rows} audit rows reconciled"
        )
        lines = [*self._table(), "", figures, f"slowest: {'; '.join(slowest)}"]
        return "\n".join([*lines, *self._violations()])

    def _table(self) -> list[str]:
        columns, rows = sorted(self.totals), self.by_mutator()
        width = max(map(len, rows), default=0)
        lines = [f"{'mutator':{width}}  " + "".join(f"{name:>12}" for name in columns)]
        for name, counts in (*sorted(rows.items()), ("all", self.totals)):
            cells = "".join(f"{counts[column] or '.':>12}" for column in columns)
            lines.append(f"{name:{width}}  {cells}")
        return lines

    def _violations(self) -> list[str]:
        if not self.findings:
            return ["no violation"]
        lines = [f"{len(self.findings)} VIOLATIONS"]
        kinds = Counter((finding.mutator, finding.what[:100]) for finding in self.findings)
        first = {(each.mutator, each.what[:100]): each for each in reversed(self.findings)}
        for kind, count in kinds.most_common():
            lines.append(f"  {count} x {kind[0]}: {first[kind].what}")
            lines.append(f"    again: --seed {self.seed} --only {first[kind].index}")
        return lines
