"""A whole run: one process or several, each against a service of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from assurance.fuzz.report import Report
from assurance.fuzz.runner import Runner
from assurance.fuzz.world import World, started


def fuzz(seed: int, indices: Iterable[int]) -> Report:
    """Try these mutants against a service of their own."""
    with started() as service:
        return Runner(World(service), seed).run(indices)


def fuzz_in_parallel(seed: int, count: int, jobs: int) -> Report:
    """Try `count` mutants in several processes, each with a service of its own."""
    began = time.perf_counter()
    whole = Report(seed)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=fresh) as pool:
        parts = [pool.submit(fuzz, seed, range(job, count, jobs)) for job in range(jobs)]
        for part in parts:
            whole.merge(part.result())
    whole.seconds = time.perf_counter() - began
    return whole
