"""Tables of cases: a few cases of each kind on every run, all cases when FULL=1 is set.

`make test` runs the first, `make test-full` the second. The header of a run tells which it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable
from itertools import cycle, product
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def is_full() -> bool:
    """Whether this run takes every case of every table."""
    return os.environ.get("FULL") == "1"


def some_of_each(cases: Iterable[A], traits: Callable[[A], Iterable[Hashable]]) -> list[A]:
    """So many cases that each trait occurs in one of them; every case in a full run.

    `traits` names what a case stands for, such as the claim that it changes and the type of the
    value. A case is taken if one of its traits has not occurred in an earlier case.
    """
    seen: set[Hashable] = set()
    chosen = []
    for case in cases:
        new = set(traits(case)) - seen
        seen |= new
        if new or is_full():
            chosen.append(case)
    return chosen


def crossed(first: Iterable[A], second: Iterable[B]) -> list[tuple[A, B]]:
    """So many pairs that each value of both occurs in one of them; every pair in a full run."""
    a, b = list(first), list(second)
    if is_full():
        return list(product(a, b))
    pairs = zip(cycle(a), cycle(b), strict=False)
    return [next(pairs) for _ in range(max(len(a), len(b)))]
