"""What a lever costs, from decisions that were made again with it at 1."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from measure.lever_cost import lever_cost


@dataclass(frozen=True, kw_only=True)
class Again:
    customers: NDArray[np.int64]
    changed: NDArray[np.bool_]
    moved: NDArray[np.float64]
    given_away: NDArray[np.float64]
    weight: NDArray[np.float64]
    unseen: NDArray[np.float64]
    margin: NDArray[np.float64]
    lever: str = "coupon"


def again(seed: int, decisions: int = 4_000, *, with_it: float = 0.7, without: float = 0.3) -> Again:
    """Two actions: the levered one is chosen with a probability of `with_it`, and of `without` with its lever at 1.

    It succeeds with a probability of .1 and brings 10; the other one of .3 and 10. So it gives away 2 a decision that it wins.
    """
    random = np.random.default_rng(seed)
    levered = random.random(decisions) < with_it
    success = random.random(decisions) < np.where(levered, 0.1, 0.3)
    return Again(
        customers=random.integers(0, decisions // 5, decisions),
        changed=random.random(decisions) < with_it - without,
        moved=np.full(decisions, with_it - without),
        given_away=np.full(decisions, 2.0 * (with_it - without)),
        weight=np.where(levered, without / with_it, (1 - without) / (1 - with_it)),
        unseen=np.zeros(decisions),
        margin=np.where(success, 10.0, 0.0),
    )


def test_what_outcomes_tell_agrees_with_the_truth() -> None:
    found = lever_cost(again(1))
    assert found.margin is not None and found.given_away is not None and found.changed is not None
    assert found.margin.low < 0.8 < found.margin.high
    assert found.given_away.estimate == pytest.approx(0.8)
    assert found.changed.low < 0.4 < found.changed.high
    assert found.customers == len(np.unique(again(1).customers))


def test_the_interval_covers_the_truth_as_often_as_it_says_with_customers_as_units() -> None:
    covered = 0
    for seed in range(400):
        found = lever_cost(again(seed, 1_500)).margin
        assert found is not None
        covered += found.low <= 0.8 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_customers_who_decide_alike_do_not_count_as_many() -> None:
    one = again(2, 1_000)
    five = Again(
        **{name: np.tile(getattr(one, name), 5) for name in Again.__dataclass_fields__ if name != "lever"}, lever="coupon"
    )
    few, many = lever_cost(one).margin, lever_cost(five).margin
    assert few is not None and many is not None
    assert many.high - many.low == pytest.approx(few.high - few.low, rel=1e-9)


def test_a_lever_that_weighs_nothing_costs_nothing() -> None:
    found = lever_cost(again(3, with_it=0.5, without=0.5))
    assert found.given_away is not None and found.margin is not None
    assert (found.given_away.estimate, found.margin.estimate) == (0.0, 0.0)


def test_what_cannot_be_said_is_refused_with_the_reason() -> None:
    whole = again(4)
    assert "at least 100 are needed" in str(lever_cost(again(4, 50)).refused)
    unseen = lever_cost(replace(whole, unseen=np.full(4_000, 0.2)))
    assert "20.0% of choices would fall on what was never chosen" in str(unseen.margin_refused)
    assert unseen.given_away is not None
    assert "0 successes" in str(lever_cost(replace(whole, margin=np.zeros(4_000))).margin_refused)
    heavy = np.full(4_000, 1e-3)
    heavy[:20] = 100.0
    assert "an effective sample of 20 decisions" in str(lever_cost(replace(whole, weight=heavy)).margin_refused)


def test_decisions_whose_window_is_open_do_not_speak_of_outcomes() -> None:
    whole = again(5)
    found = lever_cost(replace(whole, margin=np.where(np.arange(4_000) < 3_950, np.nan, whole.margin)))
    assert "the windows of" in str(found.margin_refused)
    assert found.decisions == 4_000


def test_it_reads_as_lines() -> None:
    lines = list(lever_cost(again(1)).lines())
    assert lines[0].startswith("  coupon: 4,000 decisions of")
    assert lines[1].startswith("    changes the choice in") and lines[4].startswith("    gives away, by outcomes")
    assert list(lever_cost(again(1, 50)).lines())[1].startswith("    refused: ")
