import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from features.calibration import Platt
from measure.curves import reliability
from training.evaluate import auc, by_group, evaluate
from training.models import sigmoid
from training.parameters import Reference


def _test(rows: int = 400, seed: int = 5) -> tuple[np.ndarray, np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    probabilities = np.round(random.beta(1, 4, rows), 2)  # with ties
    labels = (random.random(rows) < probabilities).astype(np.uint8)
    return labels, probabilities, [f"c{number}" for number in random.integers(0, rows // 2, rows)]


def test_metrics_agree_with_scikit_learn():
    labels, probabilities, customers = _test()

    found = evaluate(labels, probabilities, customers=customers)

    assert found["auc"].value == pytest.approx(roc_auc_score(labels, probabilities))
    assert found["log_loss"].value == pytest.approx(log_loss(labels, np.clip(probabilities, 1e-12, 1 - 1e-12)))
    assert found["calibration_error"].value == pytest.approx(reliability(labels, probabilities).error)
    assert (found.rows, found.positives, found.customers) == (400, int(labels.sum()), len(set(customers)))


def test_every_interval_holds_its_value():
    for metric in evaluate(*_test()[:2], customers=_test()[2]).metrics:
        assert metric.low <= metric.value <= metric.high


def test_the_same_test_gives_the_same_interval():
    labels, probabilities, customers = _test()

    first, second = (evaluate(labels, probabilities, customers=customers) for _ in range(2))

    assert first == second


def test_the_interval_narrows_with_more_customers():
    small, large = (evaluate(labels, p, customers=who) for labels, p, who in (_test(200), _test(5000)))

    assert large["auc"].high - large["auc"].low < (small["auc"].high - small["auc"].low) / 2


def test_repeating_every_row_of_a_customer_does_not_narrow_the_interval():
    labels, probabilities, _ = _test(300)
    alone = [str(row) for row in range(300)]

    once = evaluate(labels, probabilities, customers=alone)["auc"]
    often = evaluate(np.tile(labels, 10), np.tile(probabilities, 10), customers=alone * 10)["auc"]

    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_a_group_succeeds_when_any_of_its_offers_does():
    grouped = by_group(
        np.array([0, 1, 0, 0], dtype=np.uint8),
        np.array([0.5, 0.2, 0.1, 0.3]),
        customers=["a", "a", "a", "b"],
        groups=["g", "g", "h", "g"],
    )

    assert grouped.customers == ["a", "a", "b"]
    assert grouped.labels.tolist() == [1, 0, 0]
    assert grouped.probabilities == pytest.approx([1 - 0.5 * 0.8, 0.1, 0.3])
    assert sigmoid(grouped.log_odds) == pytest.approx(grouped.probabilities)
    assert grouped.known == pytest.approx([1, 1, 1])


def test_what_is_known_of_a_group_is_known_of_its_likely_offers():
    grouped = by_group(
        np.array([0, 0], dtype=np.uint8),
        np.array([0.3, 0.1]),
        customers=["a", "a"],
        groups=["g", "g"],
        known=np.array([1.0, 0.2]),
        together=Platt(a=1.0, b=-0.5),
    )

    assert grouped.known == pytest.approx([(0.3 + 0.1 * 0.2) / 0.4])
    assert grouped.probabilities == pytest.approx(sigmoid(grouped.log_odds - 0.5))


def test_an_open_window_moves_what_is_compared_and_not_who_comes_first():
    labels, probabilities, customers = _test()
    groups = ["g"] * len(labels)

    plain = evaluate(labels, probabilities, customers=customers, groups=groups)
    half = evaluate(labels, probabilities, customers=customers, groups=groups, known=np.full(len(labels), 0.5))

    assert [half[name] for name in ("auc", "group_auc")] == [plain[name] for name in ("auc", "group_auc")]
    assert half["calibration_error"].value == pytest.approx(reliability(labels, probabilities / 2).error)
    assert half["group_calibration_error"].value > plain["group_calibration_error"].value


def test_references_stand_beside_their_metric():
    labels, probabilities, customers = _test()
    reference = Reference(value=0.8, source="elsewhere")

    found = evaluate(labels, probabilities, customers=customers, groups=["g"] * 400, references={"group_auc": reference})

    assert found["group_auc"].reference == reference
    assert found["auc"].reference is None


def test_ties_count_half():
    assert auc(np.array([1, 0], dtype=np.uint8), np.array([0.5, 0.5])) == 0.5


def test_flat_numbers_carry_value_and_ends():
    numbers = evaluate(*_test()[:2], customers=_test()[2]).numbers

    assert {"auc", "auc_low", "auc_high", "log_loss", "calibration_error_high"} <= set(numbers)
