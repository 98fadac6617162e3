"""How good a model is on rows that it has not seen: metrics with their intervals, beside what others reached."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.measured import Evaluation, Floats, Metric, Statistic, draws_of, measured, measured_distance
from training.parameters import Reference


def evaluate(
    labels: NDArray[np.uint8],
    probabilities: Floats,
    *,
    customers: Sequence[str],
    groups: Sequence[str] | None = None,
    references: Mapping[str, Reference] | None = None,
    seed: int = 7,
) -> Evaluation:
    """AUC, log loss and calibration error; with `groups` also `group_auc`: one row a customer and group, see `by_group`.

    Both labels must occur. Intervals are percentiles of a bootstrap over customers (all rows of a customer are drawn
    together, since they are not independent), 500 resamples, seeded.
    """
    truth = labels.astype(np.float64)
    drawn = draws_of(customers, seed)
    found = [
        measured("auc", _auc(truth, probabilities), drawn),
        measured("log_loss", _log_loss(truth, probabilities), drawn),
        measured_distance("calibration_error", _calibration_error(truth, probabilities), drawn),
    ]
    if groups is not None:
        who, grouped_truth, grouped = by_group(labels, probabilities, customers=customers, groups=groups)
        found.append(measured("group_auc", _auc(grouped_truth.astype(np.float64), grouped), draws_of(who, seed)))
    known = references or {}
    return Evaluation(
        rows=len(labels),
        positives=int(labels.sum()),
        customers=len(set(customers)),
        metrics=tuple(replace(one, reference=known.get(one.name)) for one in found),
    )


def by_group(
    labels: NDArray[np.uint8], probabilities: Floats, *, customers: Sequence[str], groups: Sequence[str]
) -> tuple[list[str], NDArray[np.uint8], Floats]:
    """Customer, label and probability of each customer and group, ordered by first appearance.

    The label says whether any offer of the group succeeded; the probability is 1 - prod(1 - p) over its offers.
    """
    keys = list(zip(customers, groups, strict=True))
    place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    at = np.array([place[key] for key in keys], dtype=np.int64)
    none = np.bincount(at, weights=np.log1p(-np.minimum(probabilities, 1 - 1e-12)), minlength=len(place))
    some = np.bincount(at, weights=labels, minlength=len(place)) > 0
    return [customer for customer, _ in place], some.astype(np.uint8), -np.expm1(none)


def log_loss(labels: NDArray[np.uint8], probabilities: Floats) -> float:
    """The mean of -log of the probability given to what happened."""
    return _log_loss(labels.astype(np.float64), probabilities)(np.ones(len(labels)))


def auc(labels: NDArray[np.uint8], scores: Floats) -> float:
    """The chance that a positive scores above a negative, ties counting half. Both labels must occur."""
    return _auc(labels.astype(np.float64), scores)(np.ones(len(labels)))


def auc_gained(labels: NDArray[np.uint8], first: Floats, second: Floats, *, customers: Sequence[str], seed: int = 7) -> Metric:
    """The AUC of the first scores less that of the second on the same rows, its interval from the same resamples for both."""
    truth = labels.astype(np.float64)
    ours, theirs = _auc(truth, first), _auc(truth, second)
    return measured("auc_gained", lambda weights: ours(weights) - theirs(weights), draws_of(customers, seed))


def _auc(truth: Floats, scores: Floats) -> Statistic:
    levels, level = np.unique(scores, return_inverse=True)

    def weighted(weights: NDArray[Any]) -> float:
        ups = np.bincount(level, weights=weights * truth, minlength=len(levels))
        downs = np.bincount(level, weights=weights * (1 - truth), minlength=len(levels))
        below = downs.cumsum() - downs
        pairs = ups.sum() * downs.sum()
        return float((ups * (below + downs / 2)).sum() / pairs) if pairs else float("nan")

    return weighted


def _log_loss(truth: Floats, probabilities: Floats) -> Statistic:
    kept = np.clip(probabilities, 1e-12, 1 - 1e-12)
    losses = -(truth * np.log(kept) + (1 - truth) * np.log1p(-kept))
    return lambda weights: float(np.average(losses, weights=weights))


def _calibration_error(truth: Floats, probabilities: Floats) -> Statistic:
    """Bins as in measure.curves.reliability. They stay where the whole test put them; what fell into them varies."""
    order = np.argsort(probabilities, kind="stable")
    bin_of = np.empty(len(order), dtype=np.int64)
    for number, part in enumerate(np.array_split(order, min(10, len(order)))):
        bin_of[part] = number
    distance = probabilities - truth
    return lambda weights: float(np.abs(np.bincount(bin_of, weights=weights * distance)).sum() / weights.sum())
