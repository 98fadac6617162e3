"""A value with its interval: percentiles of a bootstrap over customers, whose rows are drawn together, since they are not
independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.parameters import Reference

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


Statistic = Callable[[NDArray[Any]], float]
"""Takes a weight for each row (how often it was drawn) and gives a number."""


def draws_of(customers: Sequence[str] | NDArray[np.int64], seed: int) -> list[NDArray[np.uint8]]:
    """For each of 500 resamples of the customers, seeded, how often each row was drawn."""
    _, who = np.unique(np.asarray(customers), return_inverse=True)
    many = int(who.max()) + 1
    random, chance = np.random.default_rng(seed), np.full(many, 1 / many)
    return [random.multinomial(many, chance)[who].astype(np.uint8) for _ in range(RESAMPLES)]


def measured(name: str, statistic: Statistic, draws: Sequence[NDArray[np.uint8]]) -> Metric:
    """With the percentiles of the resampled values as interval."""
    low, high = _quantiles(statistic, draws)
    return Metric(name=name, value=_whole(statistic, draws), low=low, high=high)


def measured_mean(name: str, values: Floats, draws: Sequence[NDArray[np.uint8]]) -> Metric:
    """The mean of values (n,)."""
    return measured(name, lambda weights: float(weights @ values) / max(float(weights.sum()), 1.0), draws)


def measured_distance(name: str, statistic: Statistic, draws: Sequence[NDArray[np.uint8]]) -> Metric:
    """For a distance from 0, which resampling inflates: its interval errs on the side of caution, and holds the value."""
    value, (low, high) = _whole(statistic, draws), _quantiles(statistic, draws)
    return Metric(name=name, value=value, low=min(value, low), high=max(value, high))


def _whole(statistic: Statistic, draws: Sequence[NDArray[np.uint8]]) -> float:
    return statistic(np.ones(len(draws[0]), dtype=np.uint8))


def _quantiles(statistic: Statistic, draws: Sequence[NDArray[np.uint8]]) -> tuple[float, float]:
    drawn = np.array([statistic(weights) for weights in draws])
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
