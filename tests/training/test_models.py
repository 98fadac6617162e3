import numpy as np
import pytest

from training import models
from training.parameters import Parameters

_PARAMETERS = Parameters(num_iterations=40, num_leaves=4, min_data_in_leaf=5)


def _data(rows: int = 600, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 3)).astype(np.float32)
    matrix[random.random((rows, 3)) < 0.1] = np.nan
    chance = 1 / (1 + np.exp(-2 * np.nan_to_num(matrix[:, 0])))
    return matrix, (random.random(rows) < chance).astype(np.uint8)


def _fit(matrix: np.ndarray, labels: np.ndarray, **more: object) -> str:
    settings = {"columns": ["a", "b", "c"], "parameters": _PARAMETERS} | more
    return models.fit(matrix, labels, **settings)


def test_the_same_data_give_the_same_text_byte_for_byte():
    matrix, labels = _data()

    assert _fit(matrix, labels) == _fit(matrix.copy(), labels.copy())


def test_other_data_give_another_text():
    assert _fit(*_data(seed=1)) != _fit(*_data(seed=2))


def test_a_text_predicts_what_its_model_learned():
    matrix, labels = _data()
    text = _fit(matrix, labels)

    scores = models.raw(text, matrix)

    assert scores.shape == (600,)
    assert scores[labels == 1].mean() > scores[labels == 0].mean()
    assert models.raw(text, matrix[:7]) == pytest.approx(scores[:7])


def test_more_of_a_rising_column_never_lowers_the_score():
    matrix, labels = _data()
    text = _fit(matrix, 1 - labels, rises_with=["a"])  # the data say the opposite
    steps = np.linspace(-3, 3, 50, dtype=np.float32)

    scores = models.raw(text, np.column_stack([steps, np.zeros(50), np.zeros(50)]).astype(np.float32))

    assert (np.diff(scores) >= 0).all()


def test_more_of_a_falling_column_never_raises_the_score():
    matrix, labels = _data()
    text = _fit(matrix, labels, falls_with=["a"])
    steps = np.linspace(-3, 3, 50, dtype=np.float32)

    scores = models.raw(text, np.column_stack([steps, np.zeros(50), np.zeros(50)]).astype(np.float32))

    assert (np.diff(scores) <= 0).all()


def test_gains_name_the_column_that_matters_first():
    gains = models.gains(_fit(*_data()))

    assert next(iter(gains)) == "a"
    assert sum(gains.values()) == pytest.approx(1)
