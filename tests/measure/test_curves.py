import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measure.curves import gain, perfect_error, reliability


def test_a_perfect_ranking_finds_every_positive_first():
    curve = gain([1, 1, 0, 0, 0, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3, 2])

    assert curve.at(0.25) == 1.0
    assert curve.perfect == 0.25


def test_one_score_for_all_is_the_diagonal():
    curve = gain([1, 0, 1, 0], [0.3, 0.3, 0.3, 0.3])

    assert curve.read.tolist() == [0, 1]
    assert curve.found.tolist() == [0, 1]
    assert curve.at(0.4) == pytest.approx(0.4)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=1, max_size=300).filter(
        lambda rows: any(r[0] for r in rows)
    )
)
def test_a_gain_curve_rises_from_nothing_to_everything(rows):
    curve = gain([int(label) for label, _ in rows], [score for _, score in rows], points=50)

    assert (curve.read[0], curve.found[0]) == (0, 0)
    assert (curve.read[-1], curve.found[-1]) == (1, 1)
    assert (np.diff(curve.read) >= 0).all()
    assert (np.diff(curve.found) >= 0).all()
    assert len(curve.read) <= 50


def test_a_gain_curve_needs_a_positive():
    with pytest.raises(ValueError, match="at least one positive"):
        gain([0, 0], [1, 2])


def test_promises_that_come_true_have_no_calibration_error():
    labels = [1, 0] * 50 + [0] * 100
    probabilities = [0.5] * 100 + [0.0] * 100

    curve = reliability(labels, probabilities)

    assert curve.error == pytest.approx(0.0)
    assert curve.rows.tolist() == [20] * 10


def test_the_calibration_error_is_the_mean_distance_weighted_by_rows():
    curve = reliability([1, 1, 1, 0, 0], [0.9, 0.9, 0.9, 0.2, 0.2], bins=2)

    assert curve.rows.tolist() == [3, 2]  # the lower bin holds one row of 0.9
    assert curve.error == pytest.approx((3 * abs((0.2 + 0.2 + 0.9) / 3 - 1 / 3) + 2 * 0.1) / 5)


def test_fewer_rows_than_bins_make_fewer_bins():
    assert len(reliability([1, 0, 1], [0.1, 0.2, 0.3]).rows) == 3


@pytest.mark.parametrize(
    ("labels", "scores", "cause"),
    [
        ([], [], "at least 1"),
        ([1, 0], [0.5], "one length"),
        ([1], [float("nan")], "not a finite number"),
    ],
    ids=["nothing", "two lengths", "no number"],
)
def test_what_cannot_be_drawn_is_refused(labels, scores, cause):
    with pytest.raises(ValueError, match=cause):
        reliability(labels, scores)
    with pytest.raises(ValueError, match=cause):
        gain(labels, scores)


def test_a_perfectly_calibrated_model_stays_below_its_level_in_95_of_100_worlds():
    random = np.random.default_rng(1)
    true = random.beta(1, 6, 800)
    level = perfect_error(true)

    errors = np.array([reliability(random.random(800) < true, true).error for _ in range(400)])

    assert 0.91 < (errors < level).mean() < 0.98
    assert perfect_error(np.repeat(true, 10)) < level / 2


def test_a_certain_model_leaves_nothing_to_chance():
    assert perfect_error([0.0, 1.0, 1.0]) == 0


@pytest.mark.parametrize("probabilities", [[], [float("nan")]])
def test_what_has_no_level_is_refused(probabilities):
    with pytest.raises(ValueError, match="finite"):
        perfect_error(probabilities)
