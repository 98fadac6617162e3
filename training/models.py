"""The only door to LightGBM's training: a matrix and labels in, a model's text out."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from training.parameters import Parameters

Floats = NDArray[np.float64]
Objective = Literal["binary", "regression", "gamma"]

VERSION: str = lgb.__version__
# One thread more or less, another day, another process: the same data give the same text, byte for byte.
_FIXED = {
    "deterministic": True,
    "force_row_wise": True,
    "bagging_freq": 1,
    "verbose": -1,
}


def fit(
    matrix: NDArray[np.float32],
    labels: NDArray[Any],
    *,
    columns: Sequence[str],
    parameters: Parameters,
    objective: Objective = "binary",
    rises_with: Sequence[str] = (),
    falls_with: Sequence[str] = (),
    start: Floats | None = None,
) -> str:
    """A model's text, LightGBM's own format.

    `matrix` is (n, C) with NaN for missing, `columns` the C names, `labels` (n,): 0 and 1 for the objective binary, any
    numbers for regression, numbers above 0 for gamma. More of a column named in
    `rises_with` never lowers the score, more of one in `falls_with` never raises it, all else equal. Of a `start` (n,), scores
    from elsewhere, the model says only what is to be added to them.
    """
    bounds = [1 if name in rises_with else -1 if name in falls_with else 0 for name in columns]
    settings = (
        asdict(parameters) | _FIXED | {"objective": objective} | ({"monotone_constraints": bounds} if any(bounds) else {})
    )
    rounds = settings.pop("num_iterations")
    data = lgb.Dataset(matrix, labels, init_score=start, feature_name=list(columns), params={"verbose": -1})
    return str(lgb.train(settings, data, num_boost_round=rounds).model_to_string())


def booster(text: str) -> lgb.Booster:
    """The model of a text, for those who keep LightGBM's own object (the registry)."""
    return lgb.Booster(model_str=text)


def raw(text: str, matrix: NDArray[np.float32], *, threads: int = 1) -> Floats:
    """Scores (n,) as the trees add them up: log-odds of a binary model, logarithms of a gamma model."""
    return scores(booster(text), matrix, threads=threads)


def scores(model: lgb.Booster, matrix: NDArray[np.float32], *, threads: int = 1) -> Floats:
    """The same of a text that was read before."""
    return np.asarray(model.predict(matrix, raw_score=True, num_threads=threads), dtype=np.float64)


def contributions(text: str, matrix: NDArray[np.float32], *, threads: int = 1) -> Floats:
    """(n, C): by how much each column moved each row's score from the average one: Shapley values (Lundberg et al., "From
    local explanations to global understanding with explainable AI for trees", 2020), as LightGBM computes them.
    """
    moved = np.asarray(booster(text).predict(matrix, pred_contrib=True, num_threads=threads), dtype=np.float64)
    return moved[:, :-1]


def chance(text: str, matrix: NDArray[np.float32], *, threads: int = 1) -> Floats:
    """What a binary model says before calibration: probabilities (n,)."""
    return sigmoid(raw(text, matrix, threads=threads))


def gains(text: str) -> dict[str, float]:
    """What each column gave to the model: its share of all splits' gain, largest first; they add up to 1."""
    model = booster(text)
    gain = model.feature_importance("gain")
    shares = gain / max(float(gain.sum()), 1e-12)
    return dict(sorted(zip(model.feature_name(), map(float, shares), strict=True), key=lambda one: (-one[1], one[0])))


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e^-x), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)
