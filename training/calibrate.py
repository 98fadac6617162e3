"""Scores into probabilities that come true: Platt's curve or a rising line, whichever does better on rows held out."""

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from features.calibration import Calibration, Isotonic, Platt
from training.models import sigmoid

Floats = NDArray[np.float64]

FEWEST = 30
"""Of either label, below which nothing is calibrated."""
FEWEST_FOR_A_LINE = 100
"""Of either label, below which a line of many points is not tried."""

_FOLDS = 5
_IDENTITY = Platt()


def calibrate(scores: Floats, labels: NDArray[np.uint8]) -> Calibration:
    """The calibration of raw scores (n,), fitted on predictions of models that had not seen these rows (labels (n,) 0 or 1).

    Platt's, unless the rising line has the lower log loss on the fifth of the rows that neither was fitted on, in turn, by
    more than the standard error of the difference.
    """
    simple = platt(scores, labels)
    positives = int(labels.sum())
    if min(positives, len(labels) - positives) < FEWEST_FOR_A_LINE or (line := rising(scores, labels)) is None:
        return simple
    better = np.empty(len(labels))
    for fold in range(_FOLDS):
        out = np.arange(len(labels)) % _FOLDS == fold
        other = rising(scores[~out], labels[~out])
        if other is None:
            return simple
        by_curve = _losses(platt(scores[~out], labels[~out]).apply(scores[out]), labels[out])
        better[out] = by_curve - _losses(other.apply(scores[out]), labels[out])
    return line if better.mean() > better.std() / np.sqrt(len(better)) else simple


def rising(scores: Floats, labels: NDArray[np.uint8], *, together: int = 100) -> Isotonic | None:
    """The isotonic regression of labels on scores, as a line through the centres of its steps, so that the order of scores
    is kept between them (Oron and Flournoy, "Centered isotonic regression", 2017). None where there is but one step.

    Rows are taken `together`, so many neighbours and those with the same score: what a handful at either end did by chance
    makes no step. No probability comes nearer to 0 or 1 than 1 / (n + 2).
    """
    order = np.argsort(scores, kind="stable")
    first = np.searchsorted(scores[order], scores[order])
    _, bin_of = np.unique(first // together, return_inverse=True)
    count = np.bincount(bin_of).astype(np.float64)
    mean = np.bincount(bin_of, weights=scores[order]) / count
    fitted = isotonic_regression(np.bincount(bin_of, weights=labels[order]) / count, sample_weight=count)
    least = 1 / (len(labels) + 2)
    steps, step = np.unique(np.clip(fitted, least, 1 - least), return_inverse=True)
    if len(steps) < 2:
        return None
    centres = np.bincount(step, weights=mean * count) / np.bincount(step, weights=count)
    return Isotonic(scores=tuple(centres.tolist()), probabilities=tuple(steps.tolist()))


def platt(scores: Floats, labels: NDArray[np.uint8]) -> Platt:
    """The probability sigmoid(a * score + b), fitted on predictions of models that had not seen these rows.

    Targets are smoothed as Platt proposes ((N+ + 1) / (N+ + 2) and 1 / (N- + 2)); solved by Newton's method (Lin, Lin and
    Weng, "A note on Platt's probabilistic outputs", 2007). Identity (a=1, b=0) where fewer than 30 of either label
    would teach it, or where it would turn the order of the scores around.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if min(positives, negatives) < FEWEST:
        return _IDENTITY
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    point, design = np.array([1.0, 0.0]), np.stack([scores, np.ones_like(scores)])
    loss = _loss(target, point @ design)
    for _ in range(100):
        probability = sigmoid(point @ design)
        gradient = design @ (probability - target)
        if float(np.abs(gradient).max()) < 1e-6:
            break
        curvature = (design * (probability * (1 - probability))) @ design.T + 1e-12 * np.eye(2)
        step, shrink = np.linalg.solve(curvature, gradient), 1.0
        while shrink > 1e-8 and _loss(target, (point - shrink * step) @ design) > loss:
            shrink /= 2
        point = point - shrink * step
        loss = _loss(target, point @ design)
    return Platt(a=float(point[0]), b=float(point[1])) if point[0] > 0 else _IDENTITY


def _losses(probabilities: Floats, labels: NDArray[np.uint8]) -> Floats:
    return np.asarray(-np.log(np.where(labels == 1, probabilities, 1 - probabilities).clip(1e-12)), dtype=np.float64)


def _loss(target: Floats, score: Floats) -> float:
    """The log loss summed: log(1 + e^s) - t s, without overflow."""
    return float((np.logaddexp(0.0, score) - target * score).sum())
