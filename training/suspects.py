"""A model that is too good to be true has seen the answer: it is refused, and the column that tells it is named."""

from collections.abc import Collection

import numpy as np

from training.dataset import Dataset
from training.errors import TrainingError
from training.evaluate import auc

TOO_GOOD = 0.99
"""An AUC above this, on rows later than those that taught, is a suspect and no success."""


def refuse_too_good(model: str, data: Dataset, reached: float, *, where: str, trusted: Collection[str] = ()) -> None:
    """Raises TrainingError where a model reached an AUC that only a leak explains, unless the first suspect is among the
    `trusted` columns; `where` says on which rows.
    """
    if reached <= TOO_GOOD:
        return
    alone = {name: _alone(data, at) for at, name in enumerate(data.row.names)}
    name = max(alone, key=lambda one: (alone[one], one))
    if name in trusted:
        return
    raise TrainingError(
        f"{model}: AUC {reached:.3f} {where} is too good to be true: a column knows the answer. The first suspect is {name!r}, "
        f"which reaches {alone[name]:.3f} alone on the training rows; see when its values become known "
        f"(profile.yaml), and leave it out, or name it under trusted in models.yaml"
    )


def _alone(data: Dataset, column: int) -> float:
    """The AUC, whichever way round, that one column reaches on the training rows; missing is below all values."""
    train = ~data.test
    values = data.matrix[train, column].astype(np.float64)
    reached = auc(data.labels[train], np.where(np.isnan(values), -np.inf, values))
    return max(reached, 1 - reached)
