import numpy as np
import pytest

from features.calibration import Isotonic, Platt
from training.calibrate import calibrate, platt, rising


def test_calibration_finds_the_line_that_made_the_labels():
    random = np.random.default_rng(3)
    scores = random.normal(size=20_000)
    labels = (random.random(20_000) < 1 / (1 + np.exp(-(0.5 * scores - 1)))).astype(np.uint8)

    calibration = platt(scores, labels)

    assert calibration.a == pytest.approx(0.5, abs=0.05)
    assert calibration.b == pytest.approx(-1, abs=0.05)


def test_calibration_keeps_the_mean():
    random = np.random.default_rng(4)
    scores = random.normal(size=5_000) + 3  # far too sure
    labels = (random.random(5_000) < 0.1).astype(np.uint8)
    labels[np.argsort(scores)[-200:]] = 1

    calibrated = platt(scores, labels).apply(scores)

    assert calibrated.mean() == pytest.approx(labels.mean(), abs=0.002)


def test_scores_that_separate_perfectly_stay_finite():
    scores = np.concatenate([np.full(50, -4.0), np.full(50, 4.0)])
    labels = np.repeat([0, 1], 50).astype(np.uint8)

    calibration = platt(scores, labels)

    assert np.isfinite([calibration.a, calibration.b]).all()
    assert calibration.apply(scores)[-1] > 0.97


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        (np.linspace(0, 1, 100), np.r_[np.ones(29), np.zeros(71)]),
        (np.linspace(0, 1, 100), np.r_[np.zeros(29), np.ones(71)]),
        (np.linspace(1, 0, 100), np.r_[np.zeros(50), np.ones(50)]),
        (np.array([]), np.array([])),
    ],
    ids=["few positives", "few negatives", "the wrong way round", "nothing held out"],
)
def test_where_calibration_could_only_harm_it_is_the_identity(scores, labels):
    calibration = platt(scores, labels.astype(np.uint8))

    assert (calibration.a, calibration.b) == (1.0, 0.0)


def _labels(chances: np.ndarray, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(len(chances)) < chances).astype(np.uint8)


def test_scores_that_are_log_odds_get_platts_curve():
    scores = np.random.default_rng(5).normal(size=5_000) - 1

    assert isinstance(calibrate(scores, _labels(1 / (1 + np.exp(-scores)), 6)), Platt)


def test_scores_that_no_curve_straightens_get_a_rising_line_that_comes_true():
    random = np.random.default_rng(7)
    scores = random.normal(size=8_000)
    chances = np.interp(scores, [-0.5, 0.5], [0.02, 0.5])

    calibration = calibrate(scores, _labels(chances, 8))

    assert isinstance(calibration, Isotonic)
    new = random.normal(size=8_000)
    for tenth in np.array_split(np.argsort(new), 10):
        truth = np.interp(new[tenth], [-0.5, 0.5], [0.02, 0.5]).mean()
        assert calibration.apply(new[tenth]).mean() == pytest.approx(truth, abs=0.05)


def test_few_labels_get_no_line_whatever_it_would_gain():
    scores = np.random.default_rng(9).normal(size=150)

    assert isinstance(calibrate(scores, (scores > 0.5).astype(np.uint8)), Platt)


def test_the_line_goes_through_the_centres_of_its_steps_by_hand():
    line = rising(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([0, 1, 0, 1, 1], dtype=np.uint8), together=1)

    assert line is not None  # 0 | 1, 2 pooled to a half | 3, 4
    assert line.scores == pytest.approx((0.0, 1.5, 3.5))
    assert line.probabilities == pytest.approx((1 / 7, 0.5, 6 / 7))


def test_scores_the_wrong_way_round_make_no_line():
    assert rising(np.array([2.0, 1.0]), np.array([0, 1], dtype=np.uint8), together=1) is None
