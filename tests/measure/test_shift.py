"""How far numbers shifted, and what of that is chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measure.shift import Bins, Sample, change, shift

Values = list[float] | np.ndarray


def sample(values: Values, customers: Values | None = None) -> Sample:
    found = np.asarray(values, dtype=np.float64)
    whose = np.arange(len(found)) if customers is None else np.asarray(customers)
    return Sample(values=found, customers=whose.astype(np.uint64))


def test_the_index_is_the_sum_over_bins_of_the_difference_times_the_log_ratio() -> None:
    moved = shift(sample([0.0] * 60 + [1.0] * 40), sample([0.0] * 30 + [1.0] * 70))
    p, q = np.array([60.5, 40.5]) / 101, np.array([30.5, 70.5]) / 101
    assert moved.psi == pytest.approx(float(np.sum((q - p) * np.log(q / p))))
    assert (moved.bins, moved.before, moved.now) == (("0", "1"), (0.6, 0.4), (0.3, 0.7))


@pytest.mark.parametrize(
    ("before", "now", "bin_"),
    [
        ([3.0] * 300, [4.0] * 300, "above 3"),
        ([3.0] * 300, [2.0] * 300, "below 3"),
        ([1.0, 2.0] * 150, [1.5] * 300, "between 1 and 2"),
        ([1.0, 2.0] * 150, [np.nan] * 300, "missing"),
        ([np.nan] * 300, [1.0] * 300, "any"),
        (np.linspace(0, 1, 300), np.linspace(2, 3, 300), "above 0.9"),
    ],
    ids=[
        "a constant rises",
        "a constant falls",
        "between two values",
        "goes missing",
        "comes to be known",
        "beyond the last cut",
    ],
)
def test_everything_in_a_bin_that_was_empty_is_seen(before: Values, now: Values, bin_: str) -> None:
    moved = shift(sample(before), sample(now))
    assert moved.now[moved.bins.index(bin_)] == 1.0
    assert moved.psi > 1.0 and moved.p < 1e-6


@pytest.mark.parametrize("value", [3.0, np.nan])
def test_what_is_always_the_same_shifts_by_nothing(value: float) -> None:
    moved = shift(sample([value] * 300), sample([value] * 200))
    assert (moved.psi, moved.p, moved.scale) == (0.0, 1.0, 0.0)
    assert moved.bound(0.01) == 0.0


def test_without_a_shift_the_mean_is_what_theory_says_for_independent_rows() -> None:
    random = np.random.default_rng(5)
    found = [shift(sample(random.normal(size=500)), sample(random.normal(size=400), np.arange(1000, 1400))) for _ in range(200)]
    theory = 9 * (1 / 500 + 1 / 400)
    assert np.mean([one.by_chance for one in found]) == pytest.approx(theory, rel=0.05)
    assert np.mean([one.psi for one in found]) == pytest.approx(theory, rel=0.08)


@pytest.mark.parametrize("shared", [True, False], ids=["the same customers in both", "others"])
def test_rows_of_one_customer_are_alike_and_raise_no_alarm(shared: bool) -> None:
    """By rows alone, with ten rows a customer, most worlds without a shift would be alarms."""
    random, rows = np.random.default_rng(6), 1_500
    p, naive = [], []
    for _ in range(200):
        both = []
        trait = random.normal(size=150)
        for which in range(2):
            trait = trait if shared else random.normal(size=150)
            who = random.integers(0, 150, rows)
            both.append(sample(trait[who] + 0.1 * random.normal(size=rows), who + (0 if shared else 1_000 * which)))
        p.append(shift(*both).p)
        naive.append(shift(*(sample(one.values, np.arange(rows) + rows * at) for at, one in enumerate(both))).p)
    assert np.mean(np.array(p) < 0.05) <= 0.1
    if not shared:
        assert np.mean(np.array(naive) < 0.05) > 0.5


@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32) | st.just(float("nan")), min_size=1, max_size=60),
    scale=st.floats(0.5, 8.0),
)
def test_every_value_has_a_bin_and_order_and_unit_change_nothing(values: list[float], scale: float) -> None:
    array = np.array(values)
    bins = Bins.of(array)
    places = bins.place(array)
    assert len(bins.names()) == bins.count and places.min() >= 0 and places.max() < bins.count
    assert ((places == bins.count - 1) == np.isnan(array)).all()
    half = len(array) // 2
    if half:
        a, b = array[:half], array[half:]
        there = shift(sample(a), sample(b))
        assert there.psi >= 0 and 0 <= there.p <= 1
        again = shift(sample(a[::-1]), sample(b[::-1]))
        assert again.psi == pytest.approx(there.psi, abs=1e-12)


def test_the_change_of_a_mean_holds_the_truth_as_often_as_it_says() -> None:
    random, held = np.random.default_rng(7), 0
    for _ in range(300):
        trait = random.normal(size=120)
        who = [random.integers(0, 120, 600) for _ in range(2)]
        before, now = (trait[one] * 0.1 + random.normal(size=600) for one in who)
        found = change(sample(before, who[0]), sample(now + 0.2, who[1]))
        assert found is not None
        held += found.low <= 0.2 <= found.high
    assert 0.91 <= held / 300 <= 0.98


def test_a_mean_of_nothing_does_not_change() -> None:
    assert change(sample([np.nan, np.nan]), sample([1.0])) is None


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="needs rows before and now"):
        shift(sample([]), sample([1.0]))
