"""Statistics that say how well two samples can be told apart."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
RESAMPLINGS = 2000


def auc(one: Sequence[float], other: Sequence[float]) -> float:
    """The area under the ROC curve of the best threshold classifier between two samples.

    By ranks (Mann and Whitney): the chance that a random value of one is above one of the other,
    ties counting half; turned so that 0.5 means nothing can be told, and 1.0 everything.
    """
    ranked = sorted([(value, True) for value in one] + [(value, False) for value in other])
    rank_sum, position = 0.0, 0
    while position < len(ranked):
        tied = position
        while tied < len(ranked) and ranked[tied][0] == ranked[position][0]:
            tied += 1
        # Ranks count from 1; tied values share the mean of theirs.
        mean_rank = (position + 1 + tied) / 2
        rank_sum += mean_rank * sum(is_one for _, is_one in ranked[position:tied])
        position = tied
    wins = rank_sum - len(one) * (len(one) + 1) / 2
    area = wins / (len(one) * len(other))
    return max(area, 1 - area)


def trimmed(one: list[float], other: list[float], share: float) -> tuple[list[float], list[float]]:
    """Both samples without the slowest `share` of all values, which are pauses of the machine."""
    pooled = sorted(one + other)
    limit = pooled[int(len(pooled) * (1 - share)) - 1]
    return [value for value in one if value <= limit], [value for value in other if value <= limit]


def distance(one: Counter[T], other: Counter[T]) -> float:
    """Total variation distance of two distributions: 0 equal, 1 nothing in common."""
    total, other_total = one.total(), other.total()
    return sum(abs(one[key] / total - other[key] / other_total) for key in {*one, *other}) / 2


def chance(one: Counter[T], other: Counter[T]) -> float:
    """How often two samples of one and the same population are as far apart as these (p-value).

    By permutation, so that small counts need no special care.
    """
    pooled = list((one + other).elements())
    dice = random.Random(1)
    observed, size, further = distance(one, other), one.total(), 0
    for _ in range(RESAMPLINGS):
        dice.shuffle(pooled)
        further += distance(Counter(pooled[:size]), Counter(pooled[size:])) >= observed - 1e-9
    return (further + 1) / (RESAMPLINGS + 1)
