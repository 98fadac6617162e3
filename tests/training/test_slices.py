import numpy as np
import pytest

from training.slices import slices_of


def test_a_group_that_is_served_less_well_is_seen():
    random = np.random.default_rng(1)
    said = random.uniform(0.1, 0.5, 2_000)
    old = random.random(2_000) < 0.3
    labels = (random.random(2_000) < said + 0.2 * old).astype(np.uint8)
    age = ["old" if one else "young" for one in old]

    young, older = reversed(
        slices_of({"age": age}, labels=labels, seen=labels.astype(float), said=said, customers=[str(n) for n in range(2_000)])
    )

    assert (older.feature, older.label, older.rows, older.positives) == ("age", "old", int(old.sum()), int(labels[old].sum()))
    assert older.gap is not None and older.gap.high < 0 and older.gap.value == pytest.approx(-0.2, abs=0.06)
    assert young.gap is not None and young.gap.low < 0 < young.gap.high
    assert older.auc is not None and 0.5 < older.auc < 0.8


def test_a_small_group_is_counted_and_not_measured():
    labels = np.array([0, 1] * 10 + [1] * 40, dtype=np.uint8)
    groups = {"tier": ["gold"] * 20 + ["silver"] * 40}

    gold, silver = slices_of(
        groups, labels=labels, seen=labels.astype(float), said=np.full(60, 0.5), customers=[str(n) for n in range(60)]
    )

    assert (gold.rows, gold.positives, gold.gap, gold.auc) == (20, 10, None, None)
    assert silver.gap is not None and silver.gap.value == pytest.approx(-0.5)
    assert silver.auc is None  # all of them are positive
