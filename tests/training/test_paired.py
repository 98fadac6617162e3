from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluate import auc, log_loss
from training.evaluate_value import gini
from training.paired import compared, lost
from training.predicted import Predicted


def _pair(rows: int = 600, seed: int = 1, worse: float = 0.6) -> tuple[Predicted, Predicted]:
    """A model, and one that sees the same through noise."""
    random = np.random.default_rng(seed)
    odds = random.normal(-1, 1.5, rows)
    true = 1 / (1 + np.exp(-odds))
    good = Predicted(
        customer=random.integers(0, rows // 2, rows),
        seen=(random.random(rows) < true).astype(np.float64),
        said=true,
        group=random.integers(0, 3, rows),
        slices={"tier": np.array(["gold", "silver", "tin"])[(np.arange(rows) > 20).astype(int) + (np.arange(rows) % 2)]},
    )
    return good, replace(good, said=1 / (1 + np.exp(-odds - random.normal(0, worse, rows))))


def test_what_is_lost_is_the_difference_of_the_log_losses_as_a_share_of_the_champions():
    good, bad = _pair(worse=1.5)
    labels = good.seen.astype(np.uint8)

    found = lost(bad, good)

    assert found.value == pytest.approx(log_loss(labels, bad.said) / log_loss(labels, good.said) - 1)
    assert found.low is not None and found.high is not None and 0 < found.low < found.value < found.high


def test_what_is_gained_is_the_difference_of_each_metric():
    good, bad = _pair()
    labels = good.seen.astype(np.uint8)

    found = {one.name: one for one in compared(good, bad).gained}

    assert set(found) == {"auc", "group_auc"}
    assert found["auc"].value == pytest.approx(auc(labels, good.said) - auc(labels, bad.said))
    assert found["auc"].low < found["auc"].value < found["auc"].high


def test_a_model_beside_itself_has_lost_and_gained_nothing():
    good, _ = _pair()

    found = compared(good, good)

    assert (found.lost.low, found.lost.value, found.lost.high) == (0.0, 0.0, 0.0)
    assert all((one.low, one.value, one.high) == (0.0, 0.0, 0.0) for one in found.gained)


def test_an_uplift_is_compared_by_its_qini_where_both_say_what_a_message_changes():
    good, _ = _pair()
    random = np.random.default_rng(3)
    treated, moved = random.random(600) < 0.5, random.random(600) < 0.5
    seen = (random.random(600) < 0.1 + 0.5 * (treated & moved)).astype(np.float64)
    ours = replace(good, seen=seen, treated=treated, effect=np.where(moved, 0.5, 0.0), group=None, slices={})

    backwards = compared(ours, replace(ours, effect=np.where(moved, 0.0, 0.5)))
    silent = compared(ours, replace(ours, effect=np.full(600, np.nan)))

    assert next(one for one in backwards.gained if one.name == "qini").low > 0
    assert [one.name for one in silent.gained] == ["auc"]


def test_amounts_are_compared_by_deviance_and_gini():
    random = np.random.default_rng(2)
    true = np.where(random.random(500) < 0.3, 1.0, random.gamma(2, 20, 500))
    seen = np.where(random.random(500) < 0.2, 0.0, random.poisson(true)).astype(np.float64)
    good = Predicted(customer=np.arange(500), seen=seen, said=0.8 * true, amounts=True)
    bad = replace(good, said=np.full(500, seen.mean()))

    found = compared(bad, good)

    assert found.lost.loss == "deviance"
    assert found.lost.low is not None and found.lost.low > 0
    assert [(one.name, one.value) for one in found.gained] == [
        ("gini", pytest.approx(gini(seen, bad.said) - gini(seen, good.said)))
    ]


def test_no_amount_has_a_lower_deviance_than_the_mean():
    seen = np.array([0.0, 0.0, 3.0, 40.0, -2.0])

    def deviance(said: float) -> float:
        return float(Predicted(customer=np.arange(5), seen=seen, said=np.full(5, said), amounts=True).losses().sum())

    assert deviance(seen.mean()) < min(deviance(seen.mean() * 0.9), deviance(seen.mean() * 1.1), deviance(np.median(seen)))


def test_rows_of_which_either_says_nothing_count_for_neither():
    good, bad = _pair()
    half = np.arange(len(good.seen)) % 2 == 0

    found = compared(good, replace(bad, said=np.where(half, bad.said, np.nan)))

    assert found.lost == lost(good.of(half), bad.of(half))


def test_small_groups_are_counted_and_all_intervals_of_groups_hold_at_once():
    good, bad = _pair()

    found = {one.label: one for one in compared(bad, good).slices}

    assert found["gold"].rows == 11 and found["gold"].lost is None
    wide, narrow = found["tin"].lost, lost(*(one.of(one.slices["tier"] == "tin") for one in (bad, good)))
    assert wide is not None and wide.low is not None and narrow.low is not None
    assert wide.level == pytest.approx(0.975)
    assert wide.low < narrow.low


def test_other_rows_are_refused():
    good, _ = _pair()

    with pytest.raises(ValueError, match="not tested on the same rows"):
        compared(good, replace(good, seen=1 - good.seen))


@given(st.integers(0, 1_000))
def test_what_a_run_keeps_is_read_back(seed: int):
    good, _ = _pair(rows=40, seed=seed)

    back = Predicted.decoded(replace(good, treated=good.seen > 0, effect=good.said).encoded())

    assert np.array_equal(back.said, good.said) and np.array_equal(back.seen, good.seen) and not back.amounts
    assert back.effect is not None and back.treated is not None and back.group is not None
    assert np.array_equal(back.slices["tier"], good.slices["tier"])
