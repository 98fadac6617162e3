"""A curve over the hours of a week, learned with what else tells an answer, as smooth and as flat as the rows say.

A logistic regression with Gaussian priors on the curve's parts, whose widths are learned from the same rows (empirical Bayes:
the generalised Fellner-Schall update of Wood and Fasiolo, Biometrics 2017). What the rows do not show is shrunk to 0.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.receptive import WEEK, sigmoid

Floats = NDArray[np.float64]

_WAVES = 12
_WAVES_OF_A_DAY = 3
PLAIN = 1e-4
"""The precision of the prior of what is no curve: next to none."""
_FIRST_WIDTH, _WIDEST, _NARROWEST = 10.0, 1e-2, 1e6
_STEPS, _ROUNDS = 30, 12


@dataclass(frozen=True, slots=True)
class Solved:
    """`numbers` (P,) in the order of the columns, the precisions (P,) of their priors, and the log likelihood with these."""

    numbers: Floats
    precision: Floats
    likelihood: float


def _made() -> tuple[Floats, Floats, tuple[NDArray[np.intp], ...]]:
    hour, day = np.arange(WEEK) % 24, np.arange(WEEK) // 24
    waves = [wave(2 * np.pi * k * hour / 24) for k in range(1, _WAVES) for wave in (np.cos, np.sin)]
    waves.append(np.cos(2 * np.pi * _WAVES * hour / 24))
    steep = np.array([(at // 2 + 1.0) ** 4 for at in range(len(waves))])
    days = (day[:, None] == np.arange(7)).astype(np.float64)
    few = 2 * _WAVES_OF_A_DAY
    own = [days[:, [one]] * np.column_stack(waves[:few]) for one in range(7)]
    ends = np.cumsum([0, len(waves), 7, 7 * few])
    parts = tuple(np.arange(start, end) for start, end in pairwise(ends))
    return np.hstack([np.column_stack(waves), days, *own]), np.concatenate([steep, np.ones(7), np.tile(steep[:few], 7)]), parts


CURVES, _STEEP, _OF_PARTS = _made()
"""The curves (168, 72) that add up to any: harmonics of the day, which come round at midnight, the k-th with a prior as narrow
as k^4 (a curve's second derivative, squared and summed up); a level for each day; and for each day the first harmonics again.
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Labels (n,), their weights (n,), and what tells them: columns (n, Q); where a curve does, at hours (n,) of the week."""

    columns: Floats
    labels: Floats
    weights: Floats
    hours: NDArray[np.int64] | None = None

    @property
    def plain(self) -> int:
        return int(self.columns.shape[1])

    def odds(self, numbers: Floats) -> Floats:
        """(n,), logarithms."""
        plain = self.columns @ numbers[: self.plain]
        return plain if self.hours is None else plain + (CURVES @ numbers[self.plain :])[self.hours]

    def slope(self, missed: Floats) -> Floats:
        """(P,) of what is missed (n,)."""
        plain = self.columns.T @ missed
        return plain if self.hours is None else np.concatenate([plain, CURVES.T @ self._by_hour(missed)])

    def curvature(self, weights: Floats) -> Floats:
        """(P, P). Rows of one hour share their curves, so they are added up first."""
        plain = (self.columns.T * weights) @ self.columns
        if self.hours is None:
            return np.asarray(plain, dtype=np.float64)
        both = np.stack([self._by_hour(weights * column) for column in self.columns.T]) @ CURVES
        curves = (CURVES.T * self._by_hour(weights)) @ CURVES
        return np.block([[plain, both], [both.T, curves]])

    def _by_hour(self, numbers: Floats) -> Floats:
        assert self.hours is not None
        return np.bincount(self.hours, weights=numbers, minlength=WEEK).astype(np.float64)


def solve(asked: Asked) -> Solved:
    """The log odds of labels from the columns and a curve, whose parts have priors as wide as the rows say."""
    plain = asked.plain
    precision = np.concatenate([np.full(plain, PLAIN), _FIRST_WIDTH * _STEEP])
    found = newton(asked, precision)
    widths = np.full(len(_OF_PARTS), _FIRST_WIDTH)
    for _ in range(_ROUNDS):
        chance = sigmoid(asked.odds(found.numbers))
        curvature = asked.curvature(asked.weights * chance * (1 - chance))
        variance = np.diag(np.linalg.inv(curvature + np.diag(found.precision)))[plain:]
        numbers, before = found.numbers[plain:], widths.copy()
        for at, part in enumerate(_OF_PARTS):
            known = len(part) - before[at] * float(_STEEP[part] @ variance[part])
            spread = float(_STEEP[part] @ numbers[part] ** 2)
            widths[at] = np.clip(max(known, 1e-9) / max(spread, 1e-12), _WIDEST, _NARROWEST)
            precision[plain + part] = widths[at] * _STEEP[part]
        found = newton(asked, precision.copy(), found.numbers)
        if np.allclose(np.log(widths), np.log(before), atol=0.05):
            break
    return found


def newton(asked: Asked, precision: Floats, start: Floats | None = None) -> Solved:
    """The numbers (P,) most likely after the labels, each with a prior around 0; steps that overshoot are halved."""
    numbers = np.zeros(len(precision)) if start is None else start
    value = _likelihood(asked, precision, numbers)
    for _ in range(_STEPS):
        chance = sigmoid(asked.odds(numbers))
        slope = asked.slope(asked.weights * (asked.labels - chance)) - precision * numbers
        step = np.linalg.solve(asked.curvature(asked.weights * chance * (1 - chance)) + np.diag(precision), slope)
        size = 1.0
        while (tried := _likelihood(asked, precision, numbers + size * step)) < value and size > 1e-3:
            size /= 2
        if tried - value < 1e-8 * len(asked.labels):
            break
        numbers, value = numbers + size * step, tried
    return Solved(numbers, precision, value)


def _likelihood(asked: Asked, precision: Floats, numbers: Floats) -> float:
    odds = asked.odds(numbers)
    return float(asked.weights @ (asked.labels * odds - np.logaddexp(0.0, odds)) - 0.5 * precision @ numbers**2)
