import numpy as np
import pytest

from benchmarks import telco
from benchmarks.models import compared, page, telco_row
from benchmarks.models_sides import defaults, logistic


def _world(rows: int = 1_500, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = random.gamma(2, 10, size=(rows, 3)).astype(np.float32)
    matrix[random.random((rows, 3)) < 0.1] = np.nan
    true = 1 / (1 + np.exp(3 - np.nan_to_num(matrix[:, 0]) / 10))
    return matrix, (random.random(rows) < true).astype(np.uint8), true


def test_the_other_sides_learn_what_there_is():
    matrix, labels, true = _world()

    for side in (logistic, defaults):
        said = side(matrix[:1_000], labels[:1_000], matrix[1_000:])
        assert np.corrcoef(said, true[1_000:])[0, 1] > 0.7


def test_a_row_holds_by_certainty_or_by_what_is_to_be_reached_and_is_calibrated_as_far_as_one_can_tell():
    _, labels, true = _world()
    customers = [str(row) for row in range(len(labels))]
    noise = np.random.default_rng(2).random(len(labels))

    def holds(to_reach: float, ours: np.ndarray, theirs: np.ndarray) -> dict[str, bool]:
        said = {"kairos": ours, "other": theirs}
        return compared("x", labels, said, customers=customers, to_reach=to_reach).holds

    assert holds(0.99, true, noise) == {"auc": True, "calibration": True}
    assert holds(0.99, true, true) == {"auc": False, "calibration": True}
    assert holds(0.60, true, true) == {"auc": True, "calibration": True}
    assert holds(0.60, true**2, true) == {"auc": True, "calibration": False}


def test_every_customer_of_telco_is_predicted_once_by_models_that_did_not_know_them():
    matrix, labels, names = telco.read()
    assert (matrix.shape, int(labels.sum()), len(names)) == ((7_043, 19), 1_869, 19)
    some = np.arange(0, len(labels), 9)

    found = telco.predicted(matrix[some], labels[some], names)

    assert sorted(np.bincount(found.fold)) == pytest.approx([len(some) / 5] * 5, abs=2)
    row = telco_row(found)
    assert row.auc.value > 0.78
    assert [one.name for one in row.beside] == ["logistic", "LightGBM defaults"]
    assert len(page([row])) == 2 + 3
