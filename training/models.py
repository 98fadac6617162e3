"""The only door to LightGBM's training: a matrix and labels in, a model's text out; and the calibration of its scores."""

from collections.abc import Sequence
from dataclasses import asdict

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from features.bundle import Calibration
from training.settings import Parameters

Floats = NDArray[np.float64]

VERSION: str = lgb.__version__
FEWEST_TO_CALIBRATE = 30

_IDENTITY = Calibration(a=1.0, b=0.0)
# One thread more or less, another day, another process: the same data give the same text, byte for byte.
_FIXED = {
    "objective": "binary",
    "deterministic": True,
    "force_row_wise": True,
    "bagging_freq": 1,
    "verbose": -1,
}


def fit(
    matrix: NDArray[np.float32],
    labels: NDArray[np.uint8],
    *,
    columns: Sequence[str],
    parameters: Parameters,
    rises_with: Sequence[str] = (),
    falls_with: Sequence[str] = (),
) -> str:
    """A model's text, LightGBM's own format.

    `matrix` is (n, C) with NaN for missing, `labels` (n,) of 0 and 1, `columns` the C names. More of a column named in
    `rises_with` never lowers the score, more of one in `falls_with` never raises it, all else equal.
    """
    bounds = [1 if name in rises_with else -1 if name in falls_with else 0 for name in columns]
    settings = asdict(parameters) | _FIXED | ({"monotone_constraints": bounds} if any(bounds) else {})
    rounds = settings.pop("num_iterations")
    data = lgb.Dataset(matrix, labels, feature_name=list(columns), params={"verbose": -1})
    return str(lgb.train(settings, data, num_boost_round=rounds).model_to_string())


def booster(text: str) -> lgb.Booster:
    """The model of a text, for those who keep LightGBM's own object (the registry)."""
    return lgb.Booster(model_str=text)


def raw(text: str, matrix: NDArray[np.float32], *, threads: int = 1) -> Floats:
    """Scores (n,) before calibration: log-odds as the trees add them up."""
    scores = booster(text).predict(matrix, raw_score=True, num_threads=threads)
    return np.asarray(scores, dtype=np.float64)


def gains(text: str) -> dict[str, float]:
    """What each column gave to the model: its share of all splits' gain, largest first; they add up to 1."""
    model = booster(text)
    gain = model.feature_importance("gain")
    shares = gain / max(float(gain.sum()), 1e-12)
    return dict(sorted(zip(model.feature_name(), map(float, shares), strict=True), key=lambda one: (-one[1], one[0])))


def calibrate(scores: Floats, labels: NDArray[np.uint8]) -> Calibration:
    """Platt's calibration p = sigmoid(a * score + b), fitted on predictions of models that had not seen these rows.

    Targets are smoothed as Platt proposes ((N+ + 1) / (N+ + 2) and 1 / (N- + 2)); solved by Newton's method (Lin, Lin and
    Weng, "A note on Platt's probabilistic outputs", 2007). Identity (a=1, b=0) where fewer than 30 of either label
    would teach it, or where it would turn the order of the scores around.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if min(positives, negatives) < FEWEST_TO_CALIBRATE:
        return _IDENTITY
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    point, design = np.array([1.0, 0.0]), np.stack([scores, np.ones_like(scores)])
    loss = _loss(target, point @ design)
    for _ in range(100):
        probability = _sigmoid(point @ design)
        gradient = design @ (probability - target)
        if float(np.abs(gradient).max()) < 1e-6:
            break
        curvature = (design * (probability * (1 - probability))) @ design.T + 1e-12 * np.eye(2)
        step, shrink = np.linalg.solve(curvature, gradient), 1.0
        while shrink > 1e-8 and _loss(target, (point - shrink * step) @ design) > loss:
            shrink /= 2
        point = point - shrink * step
        loss = _loss(target, point @ design)
    return Calibration(a=float(point[0]), b=float(point[1])) if point[0] > 0 else _IDENTITY


def _sigmoid(x: Floats) -> Floats:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def _loss(target: Floats, score: Floats) -> float:
    """The log loss summed: log(1 + e^s) - t s, without overflow."""
    return float((np.logaddexp(0.0, score) - target * score).sum())
