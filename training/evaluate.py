"""How good a model is on rows that it has not seen: metrics with their intervals, beside what others reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.calibration import Calibration
from training.measured import Evaluation, Floats, Metric, Statistic, draws_of, measured, measured_distance
from training.parameters import Reference


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouped:
    """A row a customer and group, in the order of their first appearance: whether any offer of the group succeeded, the
    probability of it, and the share of the successes to come that is known by now. `log_odds` are those that it would have
    if offers were independent.
    """

    customers: Sequence[str] | NDArray[np.int64]
    labels: NDArray[np.uint8]
    log_odds: Floats
    probabilities: Floats
    known: Floats


def evaluate(
    labels: NDArray[np.uint8],
    probabilities: Floats,
    *,
    customers: Sequence[str],
    known: Floats | None = None,
    groups: Sequence[str] | None = None,
    together: Calibration | None = None,
    references: Mapping[str, Reference] | None = None,
    seed: int = 7,
) -> Evaluation:
    """AUC, log loss and calibration error; with `groups` also `group_auc` and `group_calibration_error`: one row a customer and
    group, see `by_group`. Log loss and calibration errors are of the probabilities times `known` (n,), the share of the
    successes to come that is known by now (see `training.arrival`); 1 where it is left out.

    Both labels must occur. Intervals are percentiles of a bootstrap over customers (all rows of a customer are drawn
    together, since they are not independent), 500 resamples, seeded.
    """
    truth = labels.astype(np.float64)
    so_far = probabilities if known is None else probabilities * known
    drawn = draws_of(customers, seed)
    found = [
        measured("auc", auc_of(truth, probabilities), drawn),
        measured("log_loss", _log_loss(truth, so_far), drawn),
        measured_distance("calibration_error", _calibration_error(truth, so_far), drawn),
    ]
    if groups is not None:
        grouped = by_group(labels, probabilities, customers=customers, groups=groups, known=known, together=together)
        truth, so_far, drawn = (
            grouped.labels.astype(np.float64),
            grouped.probabilities * grouped.known,
            draws_of(grouped.customers, seed),
        )
        found.append(measured("group_auc", auc_of(truth, grouped.probabilities), drawn))
        found.append(measured_distance("group_calibration_error", _calibration_error(truth, so_far), drawn))
    elsewhere = references or {}
    return Evaluation(
        rows=len(labels),
        positives=int(labels.sum()),
        customers=len(set(customers)),
        metrics=tuple(replace(one, reference=elsewhere.get(one.name)) for one in found),
    )


def by_group(
    labels: NDArray[np.uint8],
    probabilities: Floats,
    *,
    customers: Sequence[str] | NDArray[np.int64],
    groups: Sequence[str] | NDArray[np.int64],
    known: Floats | None = None,
    together: Calibration | None = None,
) -> Grouped:
    """Of each customer and group, whether any of its offers succeeded and how probable that was.

    The probability is 1 - prod(1 - p) over its offers, as if they were independent, calibrated by `together`: who takes one
    offer often takes another, so that fewer take any. What is known of a group is the mean of `known` over its offers, each
    weighted by its probability.
    """
    keys = list(zip(customers, groups, strict=True))
    place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    at = np.array([place[key] for key in keys], dtype=np.int64)
    none = np.bincount(at, weights=np.log1p(-np.minimum(probabilities, 1 - 1e-12)), minlength=len(place))
    some = np.bincount(at, weights=labels, minlength=len(place)) > 0
    log_odds: Floats = np.log(np.maximum(-np.expm1(none), 1e-300)) - none
    weight = np.bincount(at, weights=probabilities, minlength=len(place))
    came = weight if known is None else np.bincount(at, weights=probabilities * known, minlength=len(place))
    return Grouped(
        customers=[customer for customer, _ in place]
        if isinstance(customers, Sequence)
        else np.array([one for one, _ in place]),
        labels=some.astype(np.uint8),
        log_odds=log_odds,
        probabilities=-np.expm1(none) if together is None else together.apply(log_odds),
        known=np.divide(came, weight, out=np.ones(len(place)), where=weight > 0),
    )


def log_loss(labels: NDArray[np.uint8], probabilities: Floats) -> float:
    """The mean of -log of the probability given to what happened."""
    return _log_loss(labels.astype(np.float64), probabilities)(np.ones(len(labels)))


def auc(labels: NDArray[np.uint8], scores: Floats) -> float:
    """The chance that a positive scores above a negative, ties counting half. Both labels must occur."""
    return auc_of(labels.astype(np.float64), scores)(np.ones(len(labels)))


def auc_gained(labels: NDArray[np.uint8], first: Floats, second: Floats, *, customers: Sequence[str], seed: int = 7) -> Metric:
    """The AUC of the first scores less that of the second on the same rows, its interval from the same resamples for both."""
    truth = labels.astype(np.float64)
    ours, theirs = auc_of(truth, first), auc_of(truth, second)
    return measured("auc_gained", lambda weights: ours(weights) - theirs(weights), draws_of(customers, seed))


def auc_of(truth: Floats, scores: Floats) -> Statistic:
    """The AUC of weighted rows; NaN where no weight is left on one of the labels."""
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
