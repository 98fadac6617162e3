"""LightGBM's own predictor."""

import lightgbm
import numpy as np
from numpy.typing import NDArray


class LightGBMPredictor:
    """Raw scores of one forest from its model text. One thread: more make a busy server slower."""

    def __init__(self, text: str) -> None:
        self._booster = lightgbm.Booster(model_str=text)

    def raw(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, columns) -> (n,), on the scale before the sigmoid; NaN is missing."""
        return np.asarray(self._booster.predict(rows, raw_score=True, num_threads=1), dtype=np.float64)
