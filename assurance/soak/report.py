"""What a scenario has found: figures for the document, and failures, of which there are none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

SHOWN = 10


@dataclass
class Report:
    """One scenario's outcome. A failure is a sentence that names what should not have happened."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def count(self, figure: str, amount: int = 1) -> None:
        self.figures[figure] = self.figures.get(figure, 0) + amount

    def at_most(self, figure: str, value: float, limit: float) -> None:
        """Keep the worst value, and fail on one that is over the limit."""
        self.worst(figure, value)
        if value > limit:
            self.failures.append(f"{figure}: {value:.3f} is over {limit}")

    def worst(self, figure: str, value: float) -> None:
        self.figures[figure] = round(max(value, self.figures.get(figure, 0.0)), 3)

    def fail(self, failures: Iterable[str]) -> None:
        self.failures.extend(failures)

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.failures.append(otherwise)

    def __str__(self) -> str:
        verdict = "ok" if not self.failures else f"{len(self.failures)} FAILURES"
        said = [f"{self.name}: {verdict}"]
        said += [f"  {name}: {value}" for name, value in self.figures.items()]
        said += [f"  !! {failure}" for failure in self.failures[:SHOWN]]
        return "\n".join(said)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all are not above (nearest rank); 0 of nothing."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
