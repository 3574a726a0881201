"""The statistics that say whether two kinds of account can be told apart."""

from __future__ import annotations

import random
from collections import Counter

import httpx
import pytest

from assurance.enumeration.answers import features
from assurance.enumeration.statistics import auc, chance, distance, trimmed


@pytest.mark.parametrize(
    ("one", "other", "area"),
    [
        pytest.param([1, 2, 3], [4, 5, 6], 1.0, id="always faster"),
        pytest.param([4, 5, 6], [1, 2, 3], 1.0, id="always slower"),
        pytest.param([1, 2, 3], [1, 2, 3], 0.5, id="the same"),
        pytest.param([7, 7], [7, 7, 7], 0.5, id="all tied"),
        pytest.param([1, 3], [2, 4], 0.75, id="three of four pairs"),
        pytest.param([1, 2], [2, 3], 0.875, id="a tie counts half"),
        pytest.param([5], [1, 2, 9], 2 / 3, id="samples of two sizes"),
    ],
)
def test_the_area_is_the_share_of_pairs_in_one_order(
    one: list[float], other: list[float], area: float
) -> None:
    assert auc(one, other) == pytest.approx(area)
    assert auc(other, one) == pytest.approx(area)


def test_noise_has_an_area_near_a_half_and_a_shift_has_not() -> None:
    """With 2 x 2000 timings the limit of 0.55 lies far beyond what chance does."""
    dice = random.Random(7)
    one = [dice.lognormvariate(0, 0.3) for _ in range(2000)]
    other = [dice.lognormvariate(0, 0.3) for _ in range(2000)]
    assert auc(one, other) < 0.53
    assert auc(one, [value * 1.1 for value in other]) > 0.55


def test_trimming_takes_the_slowest_of_both_by_one_limit() -> None:
    one, other = trimmed([1.0, 2.0, 90.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 0.1)
    assert (one, other) == ([1.0, 2.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])


def test_the_distance_of_distributions_lies_between_nought_and_one() -> None:
    assert distance(Counter("aabb"), Counter("ab")) == 0
    assert distance(Counter("aaaa"), Counter("bb")) == 1
    assert distance(Counter("aaab"), Counter("ab")) == pytest.approx(0.25)


def test_chance_tells_a_leak_from_a_draw() -> None:
    fair, skewed = Counter(a=90, b=60), Counter(a=150)
    assert chance(fair, Counter(a=85, b=65)) > 0.3
    assert chance(fair, skewed) < 0.001


def answer(**credential: object) -> httpx.Response:
    allowed = [{"type": "public-key", "id": "AAAA", **credential}]
    return httpx.Response(200, json={"publicKey": {"challenge": "x", "allowCredentials": allowed}})


def test_random_bytes_are_no_difference_and_everything_else_is() -> None:
    assert features(answer()) == features(answer(id="BBBB"))
    for other in (answer(id="AAAAAAAA"), answer(transports=["usb"]), answer(more=1)):
        assert features(answer()) != features(other)
