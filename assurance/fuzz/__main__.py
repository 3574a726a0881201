"""The command line of the fuzzer.

python -m assurance.fuzz --count 50000             # exit code 1 if anything is violated
python -m assurance.fuzz --seed 7 --only 4711      # one mutant again, printed in full
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from assurance.fuzz.campaign import fuzz, fuzz_in_parallel

DEFAULT_COUNT = 50_000


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line in, the exit code out."""
    parser = argparse.ArgumentParser(
        prog="python -m assurance.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other mutants")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many processes")
    parser.add_argument("--only", type=int, metavar="INDEX", help="this mutant alone, in full")
    options = parser.parse_args(arguments)
    if options.only is None:
        report = fuzz_in_parallel(options.seed, options.count, options.jobs)
    else:
        report = fuzz(options.seed, [options.only])
        print("\n\n".join(finding.request for finding in report.findings))
    print(report)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
