"""Intervals for one look and for every look."""

from math import inf, log, sqrt

import numpy as np
import pytest
from scipy.stats import norm, t

from measure.sequential import TIGHTEST_AT, Interval, always_factor, fixed_factor, freedom_of, interval, widened


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_the_fixed_factor_is_the_normal_quantile(level: float) -> None:
    assert fixed_factor(level) == pytest.approx(norm.ppf(0.5 + level / 2), rel=1e-12)


def test_the_always_valid_factor_is_the_papers_boundary() -> None:
    """Waudby-Smith et al. 2024, equations for the two-sided boundary and for its rho, written out once more."""
    alpha, units = 0.05, 1_234
    rho = sqrt((-2 * log(alpha) + log(-2 * log(alpha)) + 1) / TIGHTEST_AT)
    radius = sqrt((2 * (units * rho**2 + 1)) / (units**2 * rho**2) * log(sqrt(units * rho**2 + 1) / alpha))
    assert always_factor(units, 0.95) == pytest.approx(radius * sqrt(units), rel=1e-12)


def test_it_is_narrowest_about_where_it_was_said_to_be_and_never_as_narrow_as_the_fixed_one() -> None:
    sizes = np.unique(np.geomspace(50, 5_000_000, 400).astype(int))
    factors = np.array([always_factor(int(size), 0.95) for size in sizes])
    assert TIGHTEST_AT / 3 < sizes[factors.argmin()] < 3 * TIGHTEST_AT
    assert factors.min() > fixed_factor(0.95)


def test_a_sum_of_normals_stays_within_it_at_every_moment() -> None:
    """2,000 walks of 20,000 steps, looked at after each hundred."""
    random = np.random.default_rng(5)
    looks = np.arange(100, 20_001, 100)
    walks = random.normal(size=(2_000, len(looks))).cumsum(axis=1) * 10
    factors = np.array([always_factor(int(look), 0.95) for look in looks])
    crossed = (np.abs(walks) > factors * np.sqrt(looks)).any(axis=1).mean()
    fixed = (np.abs(walks) > fixed_factor(0.95) * np.sqrt(looks)).any(axis=1).mean()
    assert crossed <= 0.05
    assert fixed > 0.3


@pytest.mark.parametrize("freedom", [8, 30, 500])
@pytest.mark.parametrize("factor", [1.645, 1.96, 3.1])
def test_few_degrees_of_freedom_widen_it_as_student_does(factor: float, freedom: int) -> None:
    assert widened(factor, freedom) == pytest.approx(t.ppf(norm.cdf(factor), freedom), rel=0.03)
    assert widened(factor, inf) == factor


def test_the_degrees_of_freedom_are_those_of_welch_for_normals_and_few_where_a_few_make_the_sum() -> None:
    random = np.random.default_rng(1)
    normal, skewed = random.normal(size=200_000), np.exp(random.normal(size=200_000))
    assert freedom_of([(1.0, normal)]) == pytest.approx(200_000, rel=0.03)
    assert freedom_of([(1.0, normal), (1.0, normal[:100_000])]) == pytest.approx(4 / (1 / 200_000 + 1 / 100_000), rel=0.03)
    assert freedom_of([(1.0, skewed)]) < 20_000
    assert freedom_of([(0.0, np.zeros(9))]) == inf


def test_what_it_says_is_by_the_interval_that_holds_always() -> None:
    found = interval(0.25, 0.1, units=5_000)
    assert found.low > 0 > found.always_low
    assert found.says == 0
    assert (interval(1.0, 0.1, units=5_000).says, interval(-1.0, 0.1, units=5_000).says) == (1, -1)
    assert interval(0.0, 0.0, units=5_000) == Interval(
        estimate=0.0, low=0.0, high=0.0, always_low=0.0, always_high=0.0, level=0.95
    )
