"""The difference between two groups, plain and adjusted."""

import numpy as np
import pytest

from measure.difference import PAYS, Sample, difference


def samples(random: np.random.Generator, sizes: tuple[int, int], *, told: float, effect: float = 0.0) -> tuple[Sample, Sample]:
    """Two groups whose values have a variance of 1, of which what was before tells the share `told` squared."""
    made = []
    for size, more in zip(sizes, (effect, 0.0), strict=True):
        before = random.normal(size=size)
        values = more + told * before + np.sqrt(1 - told**2) * random.normal(size=size)
        made.append(Sample(values=values, before=np.column_stack([before, np.zeros(size)])))
    return made[0], made[1]


def test_without_anything_to_adjust_by_it_is_the_difference_of_means() -> None:
    one, other = samples(np.random.default_rng(1), (300, 200), told=0.0)
    found = difference(one, other)
    assert found.estimate == pytest.approx(one.values.mean() - other.values.mean())
    assert found.standard_error == pytest.approx(np.sqrt(one.values.var(ddof=1) / 300 + other.values.var(ddof=1) / 200))
    assert found.reduction == 0.0


def test_where_what_was_before_tells_much_the_noise_is_less_and_it_says_so() -> None:
    found = difference(*samples(np.random.default_rng(2), (4_000, 1_000), told=0.8))
    assert found.reduction == pytest.approx(0.64, abs=0.05)


def test_an_adjustment_that_does_not_pay_is_not_made() -> None:
    found = difference(*samples(np.random.default_rng(3), (4_000, 1_000), told=np.sqrt(PAYS) / 2))
    assert found.reduction == 0.0


@pytest.mark.parametrize("told", [0.0, 0.9])
def test_an_interval_for_one_look_covers_the_truth_as_often_as_it_says(told: float) -> None:
    random = np.random.default_rng(4)
    covered = 0
    for _ in range(1_000):
        found = difference(*samples(random, (400, 120), told=told, effect=0.3))
        covered += abs(found.estimate - 0.3) <= 1.96 * found.standard_error
    assert 0.93 <= covered / 1_000 <= 0.97


def test_slopes_that_differ_between_the_groups_do_not_make_it_too_sure() -> None:
    """What was before helps in one group and harms in the other: then its own mean is noise too."""
    random, covered = np.random.default_rng(5), 0
    for _ in range(1_000):
        one, other = (random.normal(size=size) for size in (200, 200))
        found = difference(
            Sample(values=2 * one + 0.5 * random.normal(size=200), before=one[:, None]),
            Sample(values=-2 * other + 0.5 * random.normal(size=200), before=other[:, None]),
        )
        covered += abs(found.estimate) <= 1.96 * found.standard_error
    assert 0.93 <= covered / 1_000 <= 0.97


def test_one_customer_is_no_group() -> None:
    alone = Sample(values=np.ones(1), before=np.ones((1, 1)))
    with pytest.raises(ValueError, match="two customers"):
        difference(alone, alone)
