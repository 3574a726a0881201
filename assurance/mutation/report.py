"""What was found, per file, and every survivor with its change."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

from assurance.mutation.runner import Verdict


class Report:
    """Counts verdicts. A mutant that makes the tests hang was noticed, too."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._survivors: list[Verdict] = []

    def add(self, verdict: Verdict) -> None:
        """Take one more verdict into account."""
        self._counts[verdict.mutant.file][verdict.outcome] += 1
        if verdict.outcome == "survived":
            self._survivors.append(verdict)

    @staticmethod
    def line(verdict: Verdict) -> str:
        """The verdict as one line of JSON."""
        mutant = verdict.mutant
        shown = {
            "file": mutant.file,
            "name": mutant.name,
            "change": mutant.change,
            "outcome": verdict.outcome,
            "test": verdict.test,
            "seconds": round(verdict.seconds, 2),
        }
        return json.dumps(shown, ensure_ascii=False)

    @property
    def score(self) -> float:
        """The part that was noticed."""
        return _score(sum(self._counts.values(), Counter()))

    def __str__(self) -> str:
        survivors = sorted(self._survivors, key=lambda v: (v.mutant.file, v.mutant.number))
        shown = [f"{verdict.mutant.name}\n{verdict.mutant.change}\n" for verdict in survivors]
        rows = [_row(file, counts) for file, counts in sorted(self._counts.items())]
        total = _row("all", sum(self._counts.values(), Counter()))
        head = "| file | mutants | killed | survived | timeout | score |"
        return "\n".join([*shown, head, "| --- |" + " --- |" * 5, *rows, total])


def _score(counts: Counter[str]) -> float:
    return 1 - counts["survived"] / counts.total() if counts.total() else 0.0


def _row(file: str, counts: Counter[str]) -> str:
    cells = [counts.total(), counts["killed"], counts["survived"], counts["timeout"]]
    return f"| {file} | {' | '.join(map(str, cells))} | {_score(counts):.1%} |"
