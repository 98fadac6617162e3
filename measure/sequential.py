"""Intervals that stay true however often somebody looks, beside those that are true for one look only.

An estimate of n independent units with standard error se lies within se x factor of the truth. The fixed factor is the
normal quantile: it holds with the stated probability at one moment that was chosen beforehand. The always-valid factor is
that of an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit
theory and asymptotic confidence sequences", Annals of Statistics 2024, Theorem 2.2; Robbins' normal mixture): with that
probability it holds at all moments together, so that whoever stops when the numbers please them is not misled.

Both are asymptotic: they take the standard error for known. Where few customers make most of the sum it is not, and the
factors are widened as Student's t is beside the normal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

TIGHTEST_AT = 5_000
"""The number of units at which the always-valid interval is narrowest beside the fixed one. Chosen before any data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """`low` to `high` holds the truth at one look, `always_low` to `always_high` at all of them, with probability `level`."""

    estimate: float
    low: float
    high: float
    always_low: float
    always_high: float
    level: float

    @property
    def says(self) -> int:
        """1 where the truth is above 0, -1 where below, 0 where this cannot be told; by the interval that holds always."""
        return (self.always_low > 0) - (self.always_high < 0)


def interval(estimate: float, standard_error: float, *, units: int, freedom: float = inf, level: float = 0.95) -> Interval:
    """Both intervals of an estimate over `units` independent units, at least 1; `level` in (0, 1).

    `freedom` is how many degrees of freedom the standard error was estimated with (see `freedom_of`).
    """
    fixed = standard_error * widened(fixed_factor(level), freedom)
    always = standard_error * widened(always_factor(units, level), freedom)
    return Interval(
        estimate=estimate,
        low=estimate - fixed,
        high=estimate + fixed,
        always_low=estimate - always,
        always_high=estimate + always,
        level=level,
    )


def fixed_factor(level: float) -> float:
    """How many standard errors a two-sided normal interval reaches.

    >>> round(fixed_factor(0.95), 3)
    1.96
    """
    return NormalDist().inv_cdf(0.5 + level / 2)


def always_factor(units: int, level: float) -> float:
    """How many standard errors the always-valid interval reaches at `units`: about 3 at best, slowly more beyond.

    >>> [round(always_factor(n, 0.95), 2) for n in (500, 5_000, 50_000)]
    [3.76, 3.04, 3.26]
    """
    miss = 1 - level
    narrow = (-2 * log(miss) + log(-2 * log(miss)) + 1) / TIGHTEST_AT  # rho squared, their equation for one best moment
    spread = units * narrow
    return sqrt(2 * (spread + 1) / spread * log(sqrt(spread + 1) / miss))


def widened(factor: float, freedom: float) -> float:
    """The quantile of Student's t where the normal one is `factor` (Abramowitz and Stegun, 26.7.5, to the second order).

    >>> round(widened(1.96, 20), 2), widened(1.96, float("inf"))
    (2.09, 1.96)
    """
    first = (factor**3 + factor) / 4
    second = (5 * factor**5 + 16 * factor**3 + 3 * factor) / 96
    return factor + first / freedom + second / freedom**2


def freedom_of(parts: Sequence[tuple[float, NDArray[np.float64]]]) -> float:
    """The degrees of freedom of a variance that is a sum of parts: what each adds, and the values that it was estimated from.

    Satterthwaite's, with the variance of each part by the kurtosis of its values: n for normal ones, far fewer where a few
    values make most of it. Infinite where there is no variance.
    """
    whole, doubt = sum(variance for variance, _ in parts), 0.0
    for variance, values in parts:
        apart = values - values.mean()
        if (second := float((apart**2).mean())) > 0:
            kurtosis = float((apart**4).mean()) / second**2
            doubt += variance**2 * (kurtosis - 1) / (2 * len(values))
    return float(whole**2 / doubt) if doubt > 0 else inf
