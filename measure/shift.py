"""Whether numbers are distributed otherwise than they were: the population stability index, and what chance makes of it.

    PSI = sum over bins of (q - p) ln(q / p)

p and q are the shares of a bin before and now (Siddiqi, Credit Risk Scorecards, 2006, who takes .1 for a shift to look at and
.25 for one to act on; it is Jeffreys' divergence of the two, 1946). Bins are tenths of what was before, one for what is
missing, and one for each value where there are few of them; half a row is added to each, so that an empty one does no harm.

Without any shift PSI is not 0. For rows independent of each other it is on average (bins - 1) (1/n + 1/m), and distributed as
chi-squared (Yurdakul and Naranjo, Statistical properties of the population stability index, 2020). But rows of one customer
are alike, and a customer may be in both windows. To the first order PSI is the sum of d^2 / p over bins, d = q - p: a sum of
chi-squared weighted by the eigenvalues of diag(1/p) V, V the covariance of d, measured here between customers. It is
compared with a scaled chi-squared of the same mean and variance (Rao and Scott, The analysis of categorical data from complex
sample surveys, JASA 1981; Satterthwaite 1946).
"""

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from measure.sequential import widened
from measure.tails import chi_squared_point, chi_squared_tail

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TENTHS = 10
FEW = 12
"""Of so many different values or fewer, each is a bin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`values` (n,), NaN for missing, and whose each row is: `customers` (n,), numbers that mean the same in every sample."""

    values: Floats
    customers: NDArray[np.uint64]

    @property
    def size(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """`values`: a bin each, and one between any two; else `cuts`: a bin up to each, that included, and one above the last.

    The last bin of all is for what is missing.
    """

    cuts: Floats
    discrete: bool

    @classmethod
    def of(cls, values: Floats) -> "Bins":
        known = values[~np.isnan(values)]
        different = np.unique(known)
        if len(different) <= FEW:
            return cls(cuts=different, discrete=True)
        return cls(cuts=np.unique(np.quantile(known, np.arange(1, TENTHS) / TENTHS)), discrete=False)

    @property
    def count(self) -> int:
        return (2 * len(self.cuts) + 1 if self.discrete else len(self.cuts) + 1) + 1

    def place(self, values: Floats) -> Ints:
        """(n,) the bin of each value."""
        left = np.searchsorted(self.cuts, values, side="left")
        places = left + np.searchsorted(self.cuts, values, side="right") if self.discrete else left
        return np.where(np.isnan(values), self.count - 1, places).astype(np.int64)

    def names(self) -> list[str]:
        """What each bin holds, in words."""
        cuts = [f"{cut:.4g}" for cut in self.cuts]
        if not cuts:
            return ["any", "missing"]
        if not self.discrete:
            return [
                f"to {cuts[0]}",
                *(f"{a} to {b}" for a, b in pairwise(cuts)),
                f"above {cuts[-1]}",
                "missing",
            ]
        between = [name for a, b in pairwise(cuts) for name in (a, f"between {a} and {b}")]
        return [f"below {cuts[0]}", *between, cuts[-1], f"above {cuts[-1]}", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """`psi` beside `by_chance`, its mean without any shift, and `p`, how often it is as large then.

    `scale` and `freedom` are those of the chi-squared that it follows then. `before` and `now` are the shares of `bins`.
    """

    psi: float
    by_chance: float
    p: float
    scale: float
    freedom: float
    bins: tuple[str, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]

    def bound(self, level: float) -> float:
        """What PSI exceeds without any shift with probability `level`."""
        return self.scale * chi_squared_point(level, self.freedom) if self.scale > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The mean of the present values before and now, and their difference with its 95% interval, by customers."""

    before: float
    now: float
    low: float
    high: float

    @property
    def change(self) -> float:
        return self.now - self.before


def shift(before: Sample, now: Sample) -> Shift:
    """Both samples have at least one row (else ValueError). Values that are all alike before and now shift by nothing."""
    if not before.size or not now.size:
        raise ValueError("a shift needs rows before and now")
    bins = Bins.of(before.values)
    places = [bins.place(one.values) for one in (before, now)]
    counts = np.stack([np.bincount(place, minlength=bins.count) for place in places]).astype(np.float64)
    used = counts.sum(axis=0) > 0
    names = tuple(name for name, is_used in zip(bins.names(), used, strict=True) if is_used)
    counts = counts[:, used]
    shares = counts / counts.sum(axis=1, keepdims=True)
    kept = (counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True)
    psi = float(np.sum((kept[1] - kept[0]) * np.log(kept[1] / kept[0])))
    where = np.cumsum(used) - 1
    scale, freedom = _by_chance([where[place] for place in places], (before, now), counts)
    return Shift(
        psi=psi,
        by_chance=scale * freedom,
        p=chi_squared_tail(psi / scale, freedom) if scale > 0 else 1.0,
        scale=scale,
        freedom=freedom,
        bins=names,
        before=tuple(shares[0].tolist()),
        now=tuple(shares[1].tolist()),
    )


def change(before: Sample, now: Sample, *, level: float = 0.95) -> Change | None:
    """None where one of the samples has no present value."""
    samples = [
        Sample(values=one.values[known], customers=one.customers[known])
        for one in (before, now)
        for known in [~np.isnan(one.values)]
    ]
    if not all(one.size for one in samples):
        return None
    means = [float(one.values.mean()) for one in samples]
    apart = [sign * (one.values - mean) / one.size for one, mean, sign in zip(samples, means, (-1.0, 1.0), strict=True)]
    sums = _by_customer(samples, [one[:, None] for one in apart])
    freedom = max(1, len(sums) - 1)
    error = sqrt(float((sums**2).sum()) * len(sums) / freedom)
    reach = error * widened(NormalDist().inv_cdf(0.5 + level / 2), freedom)
    return Change(before=means[0], now=means[1], low=means[1] - means[0] - reach, high=means[1] - means[0] + reach)


def _by_chance(places: list[Ints], samples: tuple[Sample, Sample], counts: Floats) -> tuple[float, float]:
    """Scale and degrees of freedom of the chi-squared that PSI follows where nothing shifted."""
    pooled = counts.sum(axis=0) / counts.sum()
    if len(pooled) < 2:
        return 0.0, 1.0
    parts = []
    for place, sign in zip(places, (-1.0, 1.0), strict=True):
        rows = np.zeros((len(place), len(pooled)))
        rows[np.arange(len(place)), place] = 1.0
        # from what both have in common: a sample that lies in one bin alone would else have no variance
        parts.append(sign * (rows - pooled) / len(place) / np.sqrt(pooled))
    sums = _by_customer(list(samples), parts)
    weights = sums.T @ sums * (len(sums) / max(1, len(sums) - 1))
    mean, square = float(np.trace(weights)), float((weights**2).sum())
    return (square / mean, mean**2 / square) if mean > 0 else (0.0, 1.0)


def _by_customer(samples: list[Sample], parts: list[Floats]) -> Floats:
    """(C, k): the rows of both samples, summed for each customer of either."""
    _, which = np.unique(np.concatenate([one.customers for one in samples]), return_inverse=True)
    rows = np.concatenate(parts)
    return np.stack([np.bincount(which, weights=column) for column in rows.T], axis=1)
