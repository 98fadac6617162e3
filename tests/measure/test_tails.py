import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from measure.tails import binomial_tails, chi_squared_point, chi_squared_tail


@given(statistic=st.floats(1e-6, 500.0), freedom=st.floats(0.1, 200.0))
def test_the_tail_of_chi_squared_is_scipys(statistic: float, freedom: float) -> None:
    assert chi_squared_tail(statistic, freedom) == pytest.approx(float(stats.chi2.sf(statistic, freedom)), rel=1e-7, abs=1e-10)


@given(level=st.floats(1e-6, 0.5), freedom=st.floats(0.5, 100.0))
def test_the_point_is_where_the_tail_has_that_level(level: float, freedom: float) -> None:
    assert chi_squared_tail(chi_squared_point(level, freedom), freedom) == pytest.approx(level, rel=1e-5)


@given(data=st.data(), trials=st.integers(1, 3_000), chance=st.floats(1e-4, 0.9999))
def test_the_tails_of_a_count_are_scipys(data: st.DataObject, trials: int, chance: float) -> None:
    count = data.draw(st.integers(0, trials))
    below, above = stats.binom.cdf(count, trials, chance), stats.binom.sf(count - 1, trials, chance)
    tail = below if count <= trials * chance else above
    assert binomial_tails(count, trials, chance) == pytest.approx(min(1.0, 2 * float(tail)), rel=1e-6, abs=1e-12)


def test_no_trial_tells_nothing() -> None:
    assert binomial_tails(0, 0, 0.3) == 1.0
    assert np.isclose(chi_squared_tail(0.0, 3.0), 1.0)
