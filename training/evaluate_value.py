"""How good expected amounts are on rows that the model has not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.measured import Evaluation, Floats, Statistic, draws_of, measured
from training.parameters import Reference


def evaluate_value(
    seen: Floats,
    expected: Floats,
    *,
    customers: Sequence[str],
    references: Mapping[str, Reference] | None = None,
    seed: int = 7,
) -> Evaluation:
    """Of amounts (n,) and what was expected of each, with intervals as in `training.evaluate`: `mae`, the mean absolute error;
    `gini`, see there; `total_ratio`, all that was expected over all that was seen. The last is NaN where nothing was seen.
    """
    draws = draws_of(customers, seed)
    found = (
        measured("mae", _error(seen, expected), draws),
        measured("gini", gini_of(seen, expected), draws),
        measured("total_ratio", lambda weights: _share(float(weights @ expected), float(weights @ seen)), draws),
    )
    known = references or {}
    return Evaluation(
        rows=len(seen),
        positives=int((seen > 0).sum()),
        customers=len(set(customers)),
        metrics=tuple(replace(one, reference=known.get(one.name)) for one in found),
    )


def gini(seen: Floats, expected: Floats) -> float:
    """How well expectations order the rows: the area between the Lorenz curve by expectation and equality, over the area that
    the perfect order has. 1 is perfect, 0 is chance. Rows of one expectation are read together.
    """
    return gini_of(seen, expected)(np.ones(len(seen)))


def gini_of(seen: Floats, expected: Floats) -> Statistic:
    """The same of weighted rows."""
    by_expectation, by_amount = _concentrated(seen, expected), _concentrated(seen, seen)

    def weighted(weights: NDArray[Any]) -> float:
        return _share(by_expectation(weights), by_amount(weights))

    return weighted


def _concentrated(seen: Floats, score: Floats) -> Statistic:
    """The area between the curve of the highest scores first and the straight line."""
    levels, level = np.unique(-score, return_inverse=True)

    def weighted(weights: NDArray[Any]) -> float:
        rows = np.bincount(level, weights=weights, minlength=len(levels)).cumsum()
        amount = np.bincount(level, weights=weights * seen, minlength=len(levels)).cumsum()
        read, found = np.concatenate([[0.0], rows / rows[-1]]), np.concatenate([[0.0], amount])
        return float(np.trapezoid(found, read) - found[-1] / 2)

    return weighted


def _error(seen: Floats, expected: Floats) -> Statistic:
    distance = np.abs(seen - expected)
    return lambda weights: float(np.average(distance, weights=weights))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
