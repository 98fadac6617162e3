import numpy as np
import pytest

from benchmarks import telco
from benchmarks.models import compared, evened, telco_row
from benchmarks.models_sides import defaults, logistic
from benchmarks.models_table import page


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


def test_the_level_of_a_whole_period_is_told_apart_from_what_else_is_wrong():
    _, labels, true = _world(20_000)
    true = true.astype(np.float64)
    higher = true * 3 / (1 + 2 * true)
    row = compared("x", labels, {"kairos": higher}, customers=[str(at) for at in range(20_000)], to_reach=None)

    assert row.gap == pytest.approx(row.calibration_error.value, abs=0.003)
    assert row.gap > 0.1
    assert row.even_error < row.chance_error
    assert evened(higher, float(true.mean())) == pytest.approx(true, abs=1e-9)


def test_what_could_not_be_known_yet_is_no_error_of_calibration():
    random = np.random.default_rng(3)
    _, _, true = _world(20_000)
    known = random.choice([0.2, 1.0], 20_000)
    labels = (random.random(20_000) < true * known).astype(np.uint8)
    who = [str(at) for at in range(20_000)]

    told = compared("x", labels, {"kairos": true}, customers=who, to_reach=None, known={"kairos": known})

    assert told.holds["calibration"]
    assert not compared("x", labels, {"kairos": true}, customers=who, to_reach=None).holds["calibration"]


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
