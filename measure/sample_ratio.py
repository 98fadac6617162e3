"""Whether the groups have as many customers as chance would give them: where not, nothing that compares them can be trusted.

A missing tenth of the control group is rarely missing by chance: an error lost those whose decision failed, or a caller asks
for some only. Two tests of the counts against the declared shares: Pearson's chi-squared, true for one look, and the
sequential multinomial test of Lindon and Malek ("Anytime-valid inference for multinomial count data", NeurIPS 2022), which
may be looked at after every customer. The second one decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.01
"""Below this always-valid p the groups do not compare."""

_STRENGTH = 1_000.0
"""How many customers the prior of the alternative weighs: it expects shares off by some hundredths of themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """`counts` of customers beside the declared `shares`; `p` for one look, `p_always` for as many as one likes.

    `holds` where the latter is not below the threshold.
    """

    counts: Mapping[str, int]
    shares: Mapping[str, float]
    p: float
    p_always: float
    holds: bool

    def line(self) -> str:
        told = ", ".join(
            f"{name} {count:,} ({count / max(1, sum(self.counts.values())):.2%}, declared {self.shares[name]:.2%})"
            for name, count in self.counts.items()
        )
        verdict = "as declared" if self.holds else "NOT AS DECLARED"
        return f"{verdict}: {told}; p {self.p:.3g}, always-valid p {self.p_always:.3g}"


def sample_ratio(
    groups: NDArray[np.int64], names: Sequence[str], shares: Sequence[float], *, threshold: float = THRESHOLD
) -> SampleRatio:
    """The test of `groups` (n,), the position in `names` of each customer's group, in the order in which they came.

    `shares` sum to 1. A group of share 0 in which somebody is can be no chance: then both p are 0.
    """
    counts = np.bincount(groups, minlength=len(names))
    expected = np.asarray(shares, dtype=np.float64)
    declared = expected > 0
    impossible = bool(counts[~declared].any())
    p_always = 0.0 if impossible else _always(groups, expected)
    return SampleRatio(
        counts={name: int(count) for name, count in zip(names, counts, strict=True)},
        shares={name: float(share) for name, share in zip(names, expected, strict=True)},
        p=0.0 if impossible else _chi_squared(counts[declared], expected[declared]),
        p_always=p_always,
        holds=p_always >= threshold,
    )


def _chi_squared(counts: NDArray[np.int64], shares: NDArray[np.float64]) -> float:
    """The upper tail of Pearson's statistic; 1 where there is nothing to compare."""
    expected = counts.sum() * shares
    if len(counts) < 2 or counts.sum() == 0:
        return 1.0
    return _tail(float(((counts - expected) ** 2 / expected).sum()), len(counts) - 1)


def _tail(statistic: float, freedom: int) -> float:
    """P(chi-squared > statistic), by the recursion over degrees of freedom from 1 or 2."""
    half = statistic / 2
    odd = freedom % 2
    tail, term = (erfc(sqrt(half)), 2 * sqrt(half / pi) * exp(-half)) if odd else (exp(-half), half * exp(-half))
    for degrees in range(2 - odd, freedom, 2):
        tail, term = tail + term, term * half / (degrees / 2 + 1)
    return tail


def _always(groups: NDArray[np.int64], shares: NDArray[np.float64]) -> float:
    """1 over the largest Bayes factor against the shares that any prefix of the customers reached, at most 1."""
    if len(groups) == 0:
        return 1.0
    before = np.arange(len(groups), dtype=np.float64)
    # how many of one's own group came before each customer
    own = np.empty(len(groups), dtype=np.float64)
    for group in range(len(shares)):
        mine = groups == group
        own[mine] = np.arange(mine.sum())
    share = shares[groups]
    predicted = (_STRENGTH * share + own) / (_STRENGTH + before)
    factor = np.cumsum(np.log(predicted) - np.log(share))
    return float(np.exp(-max(0.0, factor.max())))
