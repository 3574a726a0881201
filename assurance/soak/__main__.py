"""The command line: `python -m assurance.soak`. Exit code 1 if anything failed."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from assurance.soak.scenarios import SCENARIOS, run


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line in, the exit code out."""
    parser = argparse.ArgumentParser(prog="python -m assurance.soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="as in CI (the default)")
    size.add_argument("--full", action="store_true", help="as docs/threat-model.md asks for")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - SCENARIOS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    failures = 0
    for name in options.names or SCENARIOS:
        begun = time.monotonic()
        report = run(name, full=options.full)
        report.figures["took, s"] = round(time.monotonic() - begun)
        print(report, flush=True)
        failures += len(report.failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
