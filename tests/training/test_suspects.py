from dataclasses import replace

import numpy as np
import pytest

from tests.training.test_learn import _dataset, _settings
from training.errors import TrainingError
from training.learn import learn
from training.suspects import refuse_too_good


@pytest.mark.parametrize("sign", [1, -1])
def test_a_column_that_knows_the_answer_is_named(sign):
    data = _dataset()
    leaking = data.matrix.copy()
    leaking[:, 1] = sign * data.labels.astype(np.float32) + 0.1 * leaking[:, 1]
    leaked = replace(data, matrix=leaking)
    reached = learn(leaked, _settings()).folds["auc"]

    assert reached > 0.99
    with pytest.raises(TrainingError, match=r"too good to be true.*first suspect is 'b'"):
        refuse_too_good("churn", leaked, reached, where="on the test")


def test_a_column_that_is_missing_where_the_answer_is_no_is_named_too():
    data = _dataset()
    leaking = data.matrix.copy()
    leaking[data.labels == 0, 1] = np.nan

    with pytest.raises(TrainingError, match=r"'b', which reaches 1\.000"):
        refuse_too_good("churn", replace(data, matrix=leaking), 1.0, where="on the test")


def test_a_column_that_a_person_has_checked_is_believed():
    data = _dataset()
    leaking = data.matrix.copy()
    leaking[:, 1] = data.labels
    leaked = replace(data, matrix=leaking)

    refuse_too_good("churn", leaked, 1.0, where="on the test", trusted=["b"])
    with pytest.raises(TrainingError, match="name it under trusted"):
        refuse_too_good("churn", leaked, 1.0, where="on the test", trusted=["a"])


def test_a_good_model_is_no_suspect():
    data = _dataset()

    refuse_too_good("churn", data, learn(data, _settings()).folds["auc"], where="on the test")


def test_shuffled_labels_teach_nothing():
    data = _dataset()
    shuffled = np.random.default_rng(4).permutation(data.labels)

    fitted = learn(replace(data, labels=shuffled), _settings())

    assert fitted.folds["auc"] == pytest.approx(0.5, abs=0.06)  # three standard errors of 900 rows
