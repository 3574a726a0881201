"""Tables of cases: a few of each kind on every run, all of them when FULL=1 is set.

A table that takes long is cut with `some_of_each`. The cases that stay are the first of each kind,
so that the test's author decides which flaw stands for its kind by the order of the table.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")


def is_full() -> bool:
    """Whether this run takes every case of every table (`make test-full`)."""
    return os.environ.get("FULL") == "1"


def some_of_each(cases: Iterable[T], kind: Callable[[T], Hashable], count: int = 1) -> list[T]:
    """The first `count` cases of each kind; every case in a full run."""
    taken: Counter[Hashable] = Counter()
    chosen = []
    for case in cases:
        taken[of := kind(case)] += 1
        if is_full() or taken[of] <= count:
            chosen.append(case)
    return chosen


def one_in(step: int, cases: Iterable[T]) -> list[T]:
    """Every `step`-th case, beginning with the first; every case in a full run.

    For tables whose cases are all of one kind, such as the vectors of one algorithm.
    """
    return list(cases)[:: 1 if is_full() else step]
