"""Python's garbage collector, set for a service: refcounts free nearly all of what a request makes.

With the default (a look at the young objects every 700) it takes an eighth of the CPU of a login,
most of it walking through what never goes away: modules, models, compiled statements.
"""

from __future__ import annotations

import gc

# What cycles a few hundred requests may leave behind: some megabytes at most.
YOUNG, MIDDLE, OLD = 20_000, 20, 50


def settle() -> None:
    """Leave out what is loaded by now, and look less often. For a process that only serves."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
