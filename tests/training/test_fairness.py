import numpy as np
import pytest

from training.evaluate import auc
from training.fairness import Apart, apart
from training.predicted import Predicted


def _test(rows: int = 3_000, seed: int = 1, harm: float = 0.0, noise: float = 0.0) -> Predicted:
    """A calibrated model; the old are promised `harm` too much, and seen through `noise`."""
    random = np.random.default_rng(seed)
    odds = random.normal(-1, 1.5, rows)
    true = 1 / (1 + np.exp(-odds))
    old = random.random(rows) < 0.3
    said = np.where(old, 1 / (1 + np.exp(-(odds + random.normal(0, noise, rows)))), true)
    return Predicted(
        customer=np.arange(rows),
        seen=(random.random(rows) < true).astype(np.float64),
        said=np.clip(said + harm * old, 0.001, 0.999),
        slices={"age": np.where(old, "old", "young")},
    )


def _of(found: tuple[Apart, ...], label: str, measure: str) -> Apart:
    return next(one for one in found if (one.label, one.measure) == (label, measure))


def test_a_group_that_is_promised_too_much_is_seen():
    one = _of(apart(_test(harm=0.1)), "old", "calibration")

    assert 0 < one.low < 0.1 < one.high


def test_a_group_that_is_ranked_less_well_is_seen():
    tested = _test(noise=3.0)

    one = _of(apart(tested), "old", "auc")

    labels, old = tested.seen.astype(np.uint8), tested.slices["age"] == "old"
    assert one.value == pytest.approx(auc(labels[old], tested.said[old]) - auc(labels[~old], tested.said[~old]))
    assert one.high < -0.05


def test_the_intervals_of_a_fair_model_all_hold_nothing_in_most_tests():
    apart_from_nothing = [
        any(not one.low < 0 < one.high for one in apart(_test(rows=600, seed=seed)) if one.measure == measure)
        for seed in range(150)
        for measure in ("calibration", "auc")
    ]

    assert np.mean(apart_from_nothing) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_rows_of_one_customer_count_together():
    alone = _test(rows=400)
    often = alone.of(np.tile(np.arange(400), 5))

    for once, many in zip(apart(alone), apart(often), strict=True):
        assert (many.low, many.high) == pytest.approx((once.low, once.high), rel=0.05, abs=0.003)


def test_who_is_selected_is_compared_among_those_to_whom_it_happens():
    tested = _test(rows=400)
    young = np.arange(400) % 2 == 0
    said = np.where(young, 0.9, 0.1) + np.arange(400) * 1e-5
    one = Predicted(customer=tested.customer, seen=tested.seen, said=said, slices={"age": np.where(young, "young", "old")})

    found = _of(apart(one), "young", "selection")

    top = said >= np.quantile(said, 0.8)
    assert found.value == pytest.approx(top[young & (one.seen > 0)].mean())
    assert found.low < found.value < found.high


def test_a_group_to_which_nothing_happened_is_not_thought_certain():
    tested = _test(rows=400)
    few = np.arange(400) < 40
    seen = np.where(few, 0.0, tested.seen)
    one = Predicted(customer=tested.customer, seen=seen, said=np.full(400, 0.3), slices={"t": np.where(few, "few", "rest")})

    found = _of(apart(one), "few", "calibration")

    # 40 rows of which 12 should have been positive: a standard error of 0.07
    assert (found.high - found.low) / 2 > 0.14


def test_groups_of_few_rows_are_left_out():
    tested = _test(rows=400)
    tiny = Predicted(
        customer=tested.customer, seen=tested.seen, said=tested.said, slices={"t": np.where(np.arange(400) < 29, "few", "rest")}
    )

    assert apart(tiny) == ()
