"""The difference between two groups of customers drawn by chance, with less noise where what they did before tells of it.

Plain: the difference of means, each with its own variance. Adjusted: each group's values are regressed on what its customers
did before they came in, and the means are compared where both groups had done the same (Lin, "Agnostic notes on regression
adjustments to experimental data", Annals of Applied Statistics 2013; with one covariate and equal slopes it is the CUPED of
Deng, Xu, Kohavi and Walker, WSDM 2013). It moves the estimate by noise alone, and is taken only where it pays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from measure.sequential import freedom_of

Floats = NDArray[np.float64]

PAYS = 0.05
"""The least share of the variance that an adjustment must take away."""
_ROWS_A_COLUMN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One group: `values` (n,), finite, and `before` (n, k), numbers known before their customer was in the group."""

    values: Floats
    before: Floats

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return float(self.values.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`estimate` of the first group's mean less the second's, `freedom` the degrees of freedom of its standard error.

    `reduction` is the share of the plain variance that the adjustment took away, 0 where it was not taken.
    """

    estimate: float
    standard_error: float
    freedom: float
    reduction: float


def difference(one: Sample, other: Sample) -> Difference:
    """The adjusted difference where that pays, else the plain one. At least two customers in each (ValueError)."""
    if min(one.size, other.size) < 2:
        raise ValueError("a difference needs at least two customers in each group")
    parts = [(float(sample.values.var(ddof=1)) / sample.size, sample.values) for sample in (one, other)]
    plain = _Estimate(value=one.mean - other.mean, variance=sum(part for part, _ in parts), freedom=freedom_of(parts))
    adjusted = _adjusted(one, other)
    pays = adjusted is not None and adjusted.variance < (1 - PAYS) * plain.variance
    taken = adjusted if adjusted is not None and pays else plain
    return Difference(
        estimate=taken.value,
        standard_error=float(np.sqrt(taken.variance)),
        freedom=taken.freedom,
        reduction=1 - taken.variance / plain.variance if pays else 0.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimate:
    value: float
    variance: float
    freedom: float


def _adjusted(one: Sample, other: Sample) -> _Estimate | None:
    """The adjusted difference; None where there is nothing to adjust by, or too little to learn it from."""
    both = np.concatenate([one.before, other.before])
    varies = (one.before.std(axis=0) > 0) & (other.before.std(axis=0) > 0)
    columns = int(varies.sum())
    if columns == 0 or min(one.size, other.size) < _ROWS_A_COLUMN * (columns + 1):
        return None
    scaled = (both[:, varies] - both[:, varies].mean(axis=0)) / both[:, varies].std(axis=0)
    mean_one, slope_one, left_one = _fitted(scaled[: one.size], one.values)
    mean_other, slope_other, left_other = _fitted(scaled[one.size :], other.values)
    parts = [(float(left @ left) / (len(left) - columns - 1) / len(left), left) for left in (left_one, left_other)]
    apart = slope_one - slope_other
    # where the slopes differ, the mean of what was done before is itself an estimate
    of_mean = float(apart @ np.atleast_2d(np.cov(scaled, rowvar=False)) @ apart) / len(scaled)
    variance = sum(part for part, _ in parts) + of_mean
    return _Estimate(value=mean_one - mean_other, variance=variance, freedom=freedom_of(parts))


def _fitted(before: Floats, values: Floats) -> tuple[float, Floats, Floats]:
    """The mean where `before` is 0, the slopes, and what they leave of the values."""
    design = np.column_stack([np.ones(len(values)), before])
    coefficients = np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], dtype=np.float64)
    return float(coefficients[0]), coefficients[1:], values - design @ coefficients
