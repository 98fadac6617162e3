"""Intervals by hand, by their symmetries, and where there is nothing to tell."""

from math import log, sqrt

import numpy as np
import pytest

from measure.intervals import Interval, Terms, bootstrap, empirical_bernstein, within

RANDOM = np.random.default_rng(4)
SKEWED = Terms(plain=RANDOM.exponential(size=400))
DIVIDED = Terms(plain=np.zeros(400), over=RANDOM.exponential(size=400), under=RANDOM.uniform(0.5, 2.0, size=400))


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_empirical_bernstein_is_the_theorem() -> None:
    terms = Terms(plain=np.array([0.0, 1.0, 1.0, 0.0, 1.0]))
    reach = sqrt(2 * 0.3 * log(80) / 5) + 7 * log(80) / (3 * 4)
    assert ends(empirical_bernstein(terms, least=0.0, most=1.0)) == pytest.approx((0.6 - reach, 0.6 + reach))


def test_empirical_bernstein_shrinks_with_the_scale_and_shifts_with_the_values() -> None:
    one = empirical_bernstein(Terms(plain=np.linspace(0, 1, 50)), least=0.0, most=1.0)
    other = empirical_bernstein(Terms(plain=3 * np.linspace(0, 1, 50) - 2), least=-2.0, most=1.0)
    assert ends(other) == pytest.approx((3 * one.low - 2, 3 * one.high - 2))


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (DIVIDED, "self-normalised"),
        (Terms(plain=np.array([0.5])), "two rows"),
        (Terms(plain=np.array([0.5, 1.5])), "outside"),
    ],
)
def test_what_bernstein_says_nothing_of_is_an_error(terms: Terms, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        empirical_bernstein(terms, least=0.0, most=1.0)


@pytest.mark.parametrize("terms", [SKEWED, DIVIDED], ids=["a mean", "a quotient"])
def test_a_seed_gives_the_same_interval_and_another_one_nearly_the_same(terms: Terms) -> None:
    one = bootstrap(terms, seed=1)
    assert one == bootstrap(terms, seed=1)
    assert one != bootstrap(terms, seed=2)
    assert ends(one) == pytest.approx(ends(bootstrap(terms, seed=2)), abs=0.25 * (one.high - one.low))


@pytest.mark.parametrize("terms", [SKEWED, DIVIDED], ids=["a mean", "a quotient"])
def test_an_interval_grows_with_the_scale_of_the_rewards(terms: Terms) -> None:
    larger = Terms(plain=7 * terms.plain, over=None if terms.over is None else 7 * terms.over, under=terms.under)
    assert ends(bootstrap(larger, seed=1)) == pytest.approx(tuple(7 * end for end in ends(bootstrap(terms, seed=1))))


def test_a_quotient_by_ones_is_a_mean() -> None:
    nothing, ones = np.zeros(400), np.ones(400)
    same = Terms(plain=nothing, over=SKEWED.plain, under=ones)
    assert ends(bootstrap(same, seed=1)) == pytest.approx(ends(bootstrap(SKEWED, seed=1)))


def test_a_skewed_mean_has_its_longer_side_where_the_tail_is() -> None:
    one = bootstrap(SKEWED, seed=1)
    assert one.high - one.value > one.value - one.low


def test_many_rows_of_a_well_behaved_mean_give_the_normal_interval() -> None:
    terms = Terms(plain=np.random.default_rng(9).normal(size=4_000))
    error = terms.plain.std() / sqrt(4_000)
    assert ends(bootstrap(terms, seed=1)) == pytest.approx(
        (terms.value - 1.96 * error, terms.value + 1.96 * error), abs=0.2 * error
    )


def test_rows_of_one_customer_count_once() -> None:
    customers = np.arange(400)
    alone = bootstrap(SKEWED, seed=1)
    assert bootstrap(SKEWED, seed=1, units=customers) == alone
    # each row four times over says no more than once, where it is known whose they are
    copied = Terms(plain=np.repeat(SKEWED.plain, 4))
    assert ends(bootstrap(copied, seed=1, units=np.repeat(customers, 4))) == pytest.approx(ends(alone))
    known, taken = bootstrap(copied, seed=1, units=np.repeat(customers, 4)), bootstrap(copied, seed=1)
    assert known.high - known.low > 1.6 * (taken.high - taken.low)


def test_rows_that_are_all_alike_have_an_interval_of_no_width() -> None:
    assert ends(bootstrap(Terms(plain=np.full(300, 0.3)), seed=1)) == pytest.approx((0.3, 0.3))


def test_one_reward_in_a_thousand_rows_bounds_nothing_from_above_and_the_rewards_range_cuts_it() -> None:
    one = bootstrap(Terms(plain=np.eye(1, 1_000)[0]), seed=1)
    assert one.high == np.inf
    assert ends(within(one, least=0.0, most=1.0)) == (max(0.0, one.low), 1.0)
