"""How good a model is on rows that it has not seen: metrics with their intervals, beside what others reached."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.settings import Reference

Floats = NDArray[np.float64]

RESAMPLES = 500
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A value with the ends of its 95% interval. `reference` is what was reached elsewhere, where something was."""

    name: str
    value: float
    low: float
    high: float
    reference: Reference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """`rows`, `positives` and `customers` of the test, and the metrics in a fixed order."""

    rows: int
    positives: int
    customers: int
    metrics: tuple[Metric, ...]

    def __getitem__(self, name: str) -> Metric:
        return next(metric for metric in self.metrics if metric.name == name)

    @property
    def numbers(self) -> dict[str, float]:
        """Flat: each metric's value under its name, the ends of its interval under name_low and name_high."""
        ends = (
            (f"{one.name}{end}", value)
            for one in self.metrics
            for end, value in (("", one.value), ("_low", one.low), ("_high", one.high))
        )
        return dict(ends)


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
    draws = _draws(customers, seed)
    found = [
        _measured("auc", _auc(truth, probabilities), draws),
        _measured("log_loss", _log_loss(truth, probabilities), draws),
        _measured_distance("calibration_error", _calibration_error(truth, probabilities), draws),
    ]
    if groups is not None:
        who, grouped_truth, grouped = by_group(labels, probabilities, customers=customers, groups=groups)
        found.append(_measured("group_auc", _auc(grouped_truth.astype(np.float64), grouped), _draws(who, seed)))
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


def auc(labels: NDArray[np.uint8], scores: Floats) -> float:
    """The chance that a positive scores above a negative, ties counting half. Both labels must occur."""
    return _auc(labels.astype(np.float64), scores)(np.ones(len(labels)))


# A statistic takes a weight for each row (how often it was drawn) and gives a number.
_Statistic = Callable[[NDArray[Any]], float]


def _auc(truth: Floats, scores: Floats) -> _Statistic:
    levels, level = np.unique(scores, return_inverse=True)

    def weighted(weights: NDArray[Any]) -> float:
        ups = np.bincount(level, weights=weights * truth, minlength=len(levels))
        downs = np.bincount(level, weights=weights * (1 - truth), minlength=len(levels))
        below = downs.cumsum() - downs
        pairs = ups.sum() * downs.sum()
        return float((ups * (below + downs / 2)).sum() / pairs) if pairs else float("nan")

    return weighted


def _log_loss(truth: Floats, probabilities: Floats) -> _Statistic:
    kept = np.clip(probabilities, 1e-12, 1 - 1e-12)
    losses = -(truth * np.log(kept) + (1 - truth) * np.log1p(-kept))
    return lambda weights: float(np.average(losses, weights=weights))


def _calibration_error(truth: Floats, probabilities: Floats) -> _Statistic:
    """Bins as in measure.curves.reliability. They stay where the whole test put them; what fell into them varies."""
    order = np.argsort(probabilities, kind="stable")
    bin_of = np.empty(len(order), dtype=np.int64)
    for number, part in enumerate(np.array_split(order, min(10, len(order)))):
        bin_of[part] = number
    distance = probabilities - truth
    return lambda weights: float(np.abs(np.bincount(bin_of, weights=weights * distance)).sum() / weights.sum())


def _draws(customers: Sequence[str], seed: int) -> list[NDArray[np.uint8]]:
    """For each resample, how often each row was drawn."""
    _, who = np.unique(np.asarray(customers), return_inverse=True)
    many = int(who.max()) + 1
    random, chance = np.random.default_rng(seed), np.full(many, 1 / many)
    return [random.multinomial(many, chance)[who].astype(np.uint8) for _ in range(RESAMPLES)]


def _measured(name: str, statistic: _Statistic, draws: Sequence[NDArray[np.uint8]]) -> Metric:
    """With the percentiles of the resampled values as interval."""
    low, high = _quantiles(statistic, draws)
    return Metric(name=name, value=_whole(statistic, draws), low=low, high=high)


def _measured_distance(name: str, statistic: _Statistic, draws: Sequence[NDArray[np.uint8]]) -> Metric:
    """For a distance from 0, which resampling inflates: its interval errs on the side of caution, and holds the value."""
    value, (low, high) = _whole(statistic, draws), _quantiles(statistic, draws)
    return Metric(name=name, value=value, low=min(value, low), high=max(value, high))


def _whole(statistic: _Statistic, draws: Sequence[NDArray[np.uint8]]) -> float:
    return statistic(np.ones(len(draws[0]), dtype=np.uint8))


def _quantiles(statistic: _Statistic, draws: Sequence[NDArray[np.uint8]]) -> tuple[float, float]:
    drawn = np.array([statistic(weights) for weights in draws])
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
