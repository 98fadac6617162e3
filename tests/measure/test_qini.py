import numpy as np
import pytest

from measure.qini import curve_of_gains, uplift_curve


def test_the_curve_of_four_rows_is_computed_by_hand():
    # highest first: a treated success, an untreated failure, a treated failure, an untreated success
    curve = uplift_curve([1, 0, 0, 1], [True, False, True, False], [4, 3, 2, 1])

    assert curve.read == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert curve.gained == pytest.approx([0, 0, 0.5 * (1 - 0), 0.75 * (0.5 - 0), 1 * (0.5 - 0.5)])
    assert curve.effect == 0
    assert curve.coefficient == pytest.approx(0.25 * (0.5 + 0.375))
    assert curve.at(0.5) == 0.5
    assert curve.at(0.375) == 0.25


def test_one_score_for_all_finds_nobody():
    random = np.random.default_rng(1)
    curve = uplift_curve(random.random(500), random.random(500) < 0.5, np.zeros(500))

    assert curve.coefficient == 0
    assert curve.read == pytest.approx([0, 1])


def test_turning_the_scores_round_turns_the_sign():
    random = np.random.default_rng(2)
    score, treated = random.normal(size=20_000), random.random(20_000) < 0.5
    outcome = random.random(20_000) < 0.3 + 0.2 * treated * (score > 0)

    assert uplift_curve(outcome, treated, score).coefficient == pytest.approx(0.025, abs=0.005)  # 1/8 of the effect of .2
    assert uplift_curve(outcome, treated, -score).coefficient == pytest.approx(-0.025, abs=0.005)


def test_a_weight_of_two_is_a_row_written_twice():
    random = np.random.default_rng(3)
    outcome, treated, score = random.random(50) < 0.4, random.random(50) < 0.5, random.normal(size=50)
    weights = random.integers(0, 3, 50)

    weighted = uplift_curve(outcome, treated, score, weights=weights)
    twice = [np.repeat(values, weights) for values in (outcome, treated, score)]

    assert weighted.coefficient == pytest.approx(uplift_curve(*twice).coefficient)
    assert weighted.effect == pytest.approx(uplift_curve(*twice).effect)


@pytest.mark.parametrize(
    ("outcomes", "treated", "scores", "said"),
    [
        ([1, 0], [True, True], [1, 2], "treated and untreated"),
        ([], [], [], "treated and untreated"),
        ([1, 0], [True, False], [1, float("nan")], "not a finite number"),
        ([1, 0], [True, False], [1], "one length"),
    ],
)
def test_what_is_no_experiment_is_refused(outcomes, treated, scores, said):
    with pytest.raises(ValueError, match=said):
        uplift_curve(outcomes, np.array(treated, dtype=bool), scores)


def test_the_curve_adds_up_gains_in_the_order_of_the_predictions() -> None:
    curve = curve_of_gains([1.0, 3.0, 0.0, -2.0], [0.3, 0.9, 0.1, -0.5])
    assert curve.read.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.gained.tolist() == [0, 0.75, 1.0, 1.0, 0.5]
    assert (curve.uplift_at(0.25), curve.uplift_at(0.5), curve.uplift_at(1.0)) == (3.0, 2.0, 0.5)
    assert curve.uplift_at(0.1) == pytest.approx(3.0)
    assert curve.coefficient == pytest.approx(0.25 * (0.375 + 0.875 + 1.0 + 0.75) - 0.25)


def test_one_score_for_all_is_as_good_as_chance() -> None:
    curve = curve_of_gains([1.0, 3.0, 0.0, -2.0], [0.5] * 4)
    assert curve.coefficient == 0
    assert curve.uplift_at(0.3) == pytest.approx(0.5)


def test_the_worst_order_is_as_far_below_chance_as_the_best_is_above() -> None:
    gains = np.random.default_rng(1).normal(size=50)
    assert curve_of_gains(gains, -gains).coefficient == pytest.approx(-curve_of_gains(gains, gains).coefficient)


def test_lists_of_two_lengths_are_no_curve() -> None:
    with pytest.raises(ValueError, match="one length"):
        curve_of_gains([1.0], [1.0, 2.0])
