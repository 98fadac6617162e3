"""From a data set to a calibrated model: held-out predictions inside training first, then the model on all of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.bundle import Calibration
from training import evaluate, models
from training.dataset import FEWEST_POSITIVES, Dataset
from training.settings import Churn, Preference

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """`text` is the model that learned from every training row. `folds` is what models of the same kind reached on training
    rows held out in time: rows, positives, auc, and group_auc where rows are offers (no auc where one label is missing).
    """

    text: str
    calibration: Calibration
    folds: Mapping[str, float]

    def predict(self, matrix: NDArray[np.float32], *, threads: int) -> Floats:
        """Calibrated probabilities (n,)."""
        return self.calibration.apply(models.raw(self.text, matrix, threads=threads))


def learn(data: Dataset, settings: Churn | Preference) -> Fitted:
    """Reads no test row."""
    train = ~data.test
    held, scores = _held_out(data, settings)
    calibration = models.calibrate(scores, data.labels[held])
    return Fitted(
        text=_fit(data, train, settings),
        calibration=calibration,
        folds=_folds(data, held, calibration.apply(scores)),
    )


def _held_out(data: Dataset, settings: Churn | Preference) -> tuple[NDArray[np.intp], Floats]:
    """Training rows, and their raw scores by models that learned only from rows closed before the block they are in began.

    The first block is never held out; nor is one before which too little had closed to learn from.
    """
    held, scores = [], []
    for block in np.unique(data.block[~data.test]):
        rows = np.flatnonzero(~data.test & (data.block == block))
        before = ~data.test & (data.block < block) & (data.closes_us <= data.at_us[rows].min())
        positives = int(data.labels[before].sum())
        if min(positives, int(before.sum()) - positives) < FEWEST_POSITIVES:
            continue
        held.append(rows)
        scores.append(models.raw(_fit(data, before, settings), data.matrix[rows], threads=settings.parameters.num_threads))
    if not held:
        return np.array([], dtype=np.intp), np.array([])
    return np.concatenate(held), np.concatenate(scores)


def _fit(data: Dataset, rows: NDArray[np.bool_], settings: Churn | Preference) -> str:
    return models.fit(
        data.matrix[rows],
        data.labels[rows],
        columns=data.row.names,
        parameters=settings.parameters,
        rises_with=settings.rises_with,
        falls_with=settings.falls_with,
    )


def _folds(data: Dataset, held: NDArray[np.intp], probabilities: Floats) -> dict[str, float]:
    truth = data.labels[held]
    found = {"rows": float(len(held)), "positives": float(truth.sum())}
    if 0 < truth.sum() < len(truth):
        found["auc"] = evaluate.auc(truth, probabilities)
        if data.groups is not None:
            _, grouped_truth, grouped = evaluate.by_group(
                truth,
                probabilities,
                customers=[data.customers[row] for row in held],
                groups=[data.groups[row] for row in held],
            )
            found["group_auc"] = evaluate.auc(grouped_truth, grouped)
    return found
