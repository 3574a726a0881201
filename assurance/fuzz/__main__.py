"""The command line of the fuzzer.

python -m assurance.fuzz --count 50000         # exit code 1 if there is any violation
python -m assurance.fuzz --seed 7 --only 4711  # one mutant again, printed in full
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from assurance.fuzz.report import Report
from assurance.fuzz.runner import fuzz_alone


def fuzz_in_parallel(seed: int, count: int, jobs: int) -> Report:
    """Try `count` mutants in several processes, each with a service of its own."""
    started, whole = time.perf_counter(), Report(seed)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
        parts = [pool.submit(fuzz_alone, seed, range(job, count, jobs)) for job in range(jobs)]
        for part in parts:
            whole.merge(part.result())
    whole.seconds = time.perf_counter() - started
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Arguments in, the exit code out."""
    parser = argparse.ArgumentParser(
        prog="python -m assurance.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--count", type=int, default=50_000, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other mutants")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many processes")
    parser.add_argument("--only", type=int, metavar="INDEX", help="only this mutant, in full")
    options = parser.parse_args(arguments)
    if options.only is None:
        report = fuzz_in_parallel(options.seed, options.count, options.jobs)
    else:
        report = fuzz_alone(options.seed, [options.only])
        print("\n\n".join(finding.request for finding in report.findings))
    print(report)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
