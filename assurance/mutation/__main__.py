"""The command line of the mutation tests.

python -m assurance.mutation                          # every target; exit code 1 below 85 %
python -m assurance.mutation core/cose.py             # one target
python -m assurance.mutation --sample 0.25 --seed 7   # a quarter of the mutants
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from assurance.mutation.mutants import Mutant, mutants_of, unchanged
from assurance.mutation.report import Report
from assurance.mutation.runner import Verdict, run
from assurance.mutation.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
FLOOR = 0.85
# What every child would import otherwise, and no module of the service.
LIBRARIES = (
    "alembic.command", "cbor2", "email_validator", "fastapi", "httpx", "jwt",
    "sqlalchemy.dialects.sqlite", "webauthn", "webauthn.helpers",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line in, the exit code out."""
    parser = argparse.ArgumentParser(
        prog="python -m assurance.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="targets; all if none is named")
    parser.add_argument("--sample", type=float, default=1.0, help="this part of the mutants")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--list", action="store_true", help="name the mutants, run nothing")
    parser.add_argument("--json", type=Path, help="every verdict, one line each, into this file")
    parser.add_argument("--only", type=Path, help="only the survivors in this file (see --json)")
    options = parser.parse_args(arguments)
    mutants = [m for file in options.files or TARGETS for m in mutants_of(ROOT, file)]
    chance = random.Random(options.seed)
    mutants = [m for m in mutants if chance.random() < options.sample]
    if options.only:
        wanted = _survivors_in(options.only)
        mutants = [m for m in mutants if (m.file, m.change) in wanted]
    if options.list:
        print("\n".join(f"{m.name}\n{m.change}" for m in mutants))
        return 0
    return _judge(mutants, options.jobs, options.json)


def _survivors_in(file: Path) -> set[tuple[str, str]]:
    verdicts = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {(v["file"], v["change"]) for v in verdicts if v["outcome"] == "survived"}


def _judge(mutants: Sequence[Mutant], jobs: int, file: Path | None) -> int:
    for library in LIBRARIES:
        import_module(library)
    report = Report()

    def tell(verdict: Verdict) -> None:
        if not verdict.mutant.change:
            if verdict.outcome != "survived":
                sys.exit(f"{verdict.mutant.file}, unchanged: {verdict.outcome} by {verdict.test}")
            return
        report.add(verdict)
        if file:
            with file.open("a", encoding="utf-8") as out:
                out.write(report.line(verdict) + "\n")

    files = dict.fromkeys(mutant.file for mutant in mutants)
    same = [mutant for file in files for mutant in unchanged(ROOT, file)]
    run(ROOT, [*same, *mutants], jobs, tell)
    print(report)
    return 0 if report.score >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
