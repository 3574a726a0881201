"""The result of a scenario: figures for the document, and failures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

SHOWN = 10


@dataclass
class Report:
    """One scenario's result. A failure is a sentence that names what must not happen.

    `judges_time` is true in full runs, on a machine that does nothing else. A short run on a loaded
    machine reports how long things took, and fails only on what was answered and stored.
    """

    name: str
    judges_time: bool = False
    figures: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def count(self, figure: str, amount: int = 1) -> None:
        self.figures[figure] = self.figures.get(figure, 0) + amount

    def at_most(self, figure: str, value: float, limit: float) -> None:
        """Keep the largest value; a value over the limit is a failure."""
        self.figures[figure] = round(max(value, self.figures.get(figure, 0.0)), 3)
        if value > limit:
            self.failures.append(f"{figure}: {value:.3f} is over {limit}")

    def seconds(self, figure: str, value: float, limit: float) -> None:
        """The same for a duration: the limit counts in full runs only."""
        self.at_most(f"{figure}, s", value, limit if self.judges_time else math.inf)

    def fail(self, failures: Iterable[str]) -> None:
        self.failures.extend(failures)

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.failures.append(otherwise)

    def __str__(self) -> str:
        verdict = "ok" if not self.failures else f"{len(self.failures)} FAILURES"
        lines = [f"{self.name}: {verdict}"]
        lines += [f"  {name}: {value}" for name, value in self.figures.items()]
        lines += [f"  !! {failure}" for failure in self.failures[:SHOWN]]
        return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed; 0 without values."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
