import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.arrival import FEWEST, Arrival

_SHARES = st.lists(st.floats(0, 1), min_size=FEWEST, max_size=60)


@given(_SHARES, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_what_is_known_never_falls_and_is_all_when_the_window_is_over(came, over):
    known = Arrival.of(np.array(came)).known(np.array([*sorted(over), 1.0]))

    assert ((known >= 0) & (known <= 1)).all()
    assert (np.diff(known) >= 0).all()
    assert known[-1] == 1


def test_half_of_the_successes_are_known_when_half_came_so_early():
    came = np.random.default_rng(1).beta(1, 3, size=2_000)

    known = Arrival.of(came).known(np.array([np.median(came), np.quantile(came, 0.9)]))

    assert known == pytest.approx([0.5, 0.9], abs=0.001)


def test_of_few_successes_nobody_knows_when_they_come():
    few = Arrival.of(np.linspace(0, 1, FEWEST - 1))

    assert few == Arrival()
    assert few.known(np.array([0.0, 0.3])).tolist() == [1, 1]
