"""Mutation tests: `python -m assurance.mutation [MUTANT...]` runs mutmut and sums up its results.

mutmut's settings are in pyproject.toml. A MUTANT is a name or a pattern of mutmut's, such as
`core.relying_party.ctap_cbor.*`. Exit code 1 if fewer than 85 % of the tested mutants were noticed.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable

FLOOR = 0.85
MUTMUT = (sys.executable, "-m", "mutmut")
UNTESTED = ("not checked", "skipped", "check was interrupted by user")


def summary(results: Iterable[str]) -> tuple[str, float]:
    """The lines of `mutmut results --all true` in; a table by module and the score out.

    A mutant is noticed unless it survived or no test reached it. mutmut also reports "timeout"
    when a mutant breaks the import of a test module.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in results:
        name, _, status = line.strip().partition(": ")
        if status not in UNTESTED:
            counts[name.partition(".x")[0]][status] += 1
    counts["all"] = sum(counts.values(), Counter())
    lines = [f"{'module':28} {'mutants':>8} {'missed':>8} {'score':>8}"]
    for module, found in counts.items():
        lines.append(f"{module:28} {found.total():8} {_missed(found):8} {_score(found):8.1%}")
    return "\n".join(lines), _score(counts["all"])


def _missed(found: Counter[str]) -> int:
    return found["survived"] + found["no tests"]


def _score(found: Counter[str]) -> float:
    return 1 - _missed(found) / found.total() if found else 0.0


def main() -> int:
    subprocess.run([*MUTMUT, "run", *sys.argv[1:]], check=True)
    command = [*MUTMUT, "results", "--all", "true"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    table, score = summary(done.stdout.splitlines())
    print(table)
    print(
        "survivors: `python -m mutmut results`, and `python -m mutmut show MUTANT` for the change"
    )
    return 0 if score >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
