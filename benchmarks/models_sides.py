"""Who stands beside the models: what a data scientist would try first, on the same rows."""

import warnings

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]
Labels = NDArray[np.uint8]


def logistic(matrix: Matrix, labels: Labels, asked: Matrix) -> Floats:
    """Logistic regression, regularised as scikit-learn does by default, on standardised columns; amounts and counts by their
    logarithm, missing as the median of what is known.
    """
    middle = np.nan_to_num(np.nanmedian(matrix, axis=0))
    known, new = (np.where(np.isnan(rows), middle, rows).astype(np.float64) for rows in (matrix, asked))
    curved = (known.min(axis=0) >= 0) & (known.max(axis=0) > 10)
    known, new = (np.where(curved, np.log1p(np.maximum(rows, 0)), rows) for rows in (known, new))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return np.asarray(model.fit(known, labels).predict_proba(new)[:, 1], dtype=np.float64)


def defaults(matrix: Matrix, labels: Labels, asked: Matrix) -> Floats:
    """LightGBM as it comes: 100 trees of 31 leaves at a rate of .1, no calibration. One thread, so that it repeats."""
    model = lightgbm.LGBMClassifier(n_jobs=1, verbose=-1, deterministic=True, force_row_wise=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that columns have no names
        return np.asarray(model.fit(matrix, labels).predict_proba(asked)[:, 1], dtype=np.float64)
