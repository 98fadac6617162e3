import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from features.shows import LOTS, Sums
from measure.response import kept, wilson


def sums(random: np.random.Generator, *, customers: int, each: int, spread: float, times: float = 1.0) -> Sums:
    """`each` messages to each customer, whose chances lie as far apart as `spread`, whatever was expected of them."""
    found = Sums()
    for customer in range(customers):
        frailty = random.gamma(1 / spread, spread) if spread else 1.0
        for chance in random.beta(2, 18, each):
            found.add(float(chance), bool(random.random() < min(1.0, chance * frailty * times)), customer % LOTS)
    return found


@pytest.mark.parametrize("spread", [0.0, 1.0], ids=["independent", "some customers take everything"])
def test_chance_alone_is_seldom_taken_for_more(spread: float) -> None:
    random = np.random.default_rng(2)
    found = [kept([sums(random, customers=60, each=5, spread=spread)]) for _ in range(150)]
    assert np.mean([one.p < 0.05 for one in found if one]) <= 0.08
    assert np.mean([one.low <= one.expected <= one.high for one in found if one]) >= 0.91


def test_fewer_successes_than_expected_are_seen() -> None:
    found = kept([sums(np.random.default_rng(3), customers=1_500, each=6, spread=0.0, times=0.5)])
    assert found is not None
    assert found.p < 1e-6 and found.high < found.expected and found.ratio == pytest.approx(0.5, abs=0.1)


def test_nothing_and_certainty_tell_nothing() -> None:
    assert kept([]) is None
    certain = Sums()
    certain.add(1.0, True, 0)
    assert kept([certain]) is None


@given(trials=st.integers(1, 500), data=st.data())
def test_wilsons_interval_is_scipys(trials: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, trials))
    other = stats.binomtest(count, trials).proportion_ci(method="wilson")
    assert wilson(count, trials) == pytest.approx((other.low, other.high), abs=1e-9)
