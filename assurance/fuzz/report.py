"""What a run came to, as a table for people."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

SLOWEST_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One violation, with what is needed to see it again."""

    index: int
    mutator: str
    what: str
    request: str


def _no_cells() -> defaultdict[str, Counter[str]]:
    return defaultdict(Counter)


@dataclass
class Report:
    """Counts by mutator and class of answer, the slowest requests, the violations."""

    seed: int
    count: int = 0
    requests: int = 0
    audit_rows: int = 0
    seconds: float = 0.0
    cells: defaultdict[str, Counter[str]] = field(default_factory=_no_cells)
    slowest: list[tuple[float, str, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, mutator: str, answer_class: str, cpu_seconds: float, index: int) -> None:
        self.count += 1
        self.cells[mutator][answer_class] += 1
        self.slowest.append((cpu_seconds, mutator, index))
        self.slowest = sorted(self.slowest, reverse=True)[:SLOWEST_SHOWN]

    def merge(self, other: Report) -> None:
        """Add what another process has found under the same seed."""
        self.count += other.count
        self.requests += other.requests
        self.audit_rows += other.audit_rows
        self.seconds = max(self.seconds, other.seconds)
        for mutator, counts in other.cells.items():
            self.cells[mutator] += counts
        self.slowest = sorted(self.slowest + other.slowest, reverse=True)[:SLOWEST_SHOWN]
        self.findings += other.findings

    @property
    def totals(self) -> Counter[str]:
        """How many answers of each class there were."""
        return sum(self.cells.values(), Counter())

    def __str__(self) -> str:
        return "\n".join([*self._table(), "", *self._figures(), *self._violations()])

    def _table(self) -> list[str]:
        columns = sorted(self.totals)
        width = max(map(len, self.cells), default=0)
        lines = [f"{'mutator':{width}}  " + "".join(f"{name:>12}" for name in columns)]
        for name, counts in (*sorted(self.cells.items()), ("all", self.totals)):
            cells = "".join(f"{counts[column] or '.':>12}" for column in columns)
            lines.append(f"{name:{width}}  {cells}")
        return lines

    def _figures(self) -> list[str]:
        rate = self.count / self.seconds if self.seconds else 0.0
        return [
            f"seed {self.seed}: {self.count} mutants in {self.seconds:.0f} s, {rate:.0f} a second;"
            f" {self.requests} requests in all, {self.audit_rows} audit rows reconciled",
            "slowest: "
            + "; ".join(
                f"{cpu * 1000:.1f} ms CPU #{index} ({name})" for cpu, name, index in self.slowest
            ),
        ]

    def _violations(self) -> list[str]:
        if not self.findings:
            return ["no violation"]
        lines = [f"{len(self.findings)} VIOLATIONS"]
        kinds = Counter((finding.mutator, finding.what[:100]) for finding in self.findings)
        for (mutator, what), count in kinds.most_common():
            first = next(
                finding
                for finding in self.findings
                if (finding.mutator, finding.what[:100]) == (mutator, what)
            )
            lines.append(f"  {count} x {mutator}: {first.what}")
            lines.append(f"    again: --seed {self.seed} --only {first.index}")
        return lines
