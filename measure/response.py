"""Successes beside what was expected of messages: how far apart, and whether chance alone explains it.

The count of successes is compared with a binomial of the mean chance that was expected: exact where they are few, and a little
strict, since chances that differ vary less. Messages to one customer are alike: where customers, put into lots by chance, lie
further apart than their messages alone would, all counts are divided by how much (the design effect, Kish, Survey Sampling,
1965). The interval of the share is Wilson's (JASA 1927).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from measure.tails import binomial_tails


class Sums(Protocol):
    """Over some messages; see `features.shows.Sums`."""

    @property
    def shows(self) -> int: ...
    @property
    def expected(self) -> float: ...
    @property
    def variance(self) -> float: ...
    @property
    def successes(self) -> int: ...
    @property
    def lots(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The share of `shows` that succeeded, with its 95% interval, beside the one `expected`; `p` is that of chance alone."""

    shows: int
    expected: float
    observed: float
    low: float
    high: float
    design_effect: float
    p: float

    @property
    def ratio(self) -> float:
        """How many times as many successes as expected."""
        return self.observed / self.expected


def kept(several: Iterable[Sums], *, level: float = 0.95) -> Kept | None:
    """Of all of them together; None where there is no message."""
    cells = list(several)
    shows, successes = sum(one.shows for one in cells), sum(one.successes for one in cells)
    expected, variance = sum(one.expected for one in cells), sum(one.variance for one in cells)
    if shows == 0 or variance <= 0:
        return None
    lots = np.sum([one.lots for one in cells], axis=0)
    spread = float(((lots - lots.mean()) ** 2).sum()) * len(lots) / (len(lots) - 1)
    design = max(1.0, spread / variance)
    trials = round(shows / design)
    count = min(trials, round(successes / design))
    low, high = wilson(successes / design, shows / design, level=level)
    return Kept(
        shows=shows,
        expected=expected / shows,
        observed=successes / shows,
        low=low,
        high=high,
        design_effect=design,
        p=binomial_tails(count, trials, expected / shows),
    )


def wilson(count: float, trials: float, *, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a share; `trials` above 0.

    >>> [round(end, 3) for end in wilson(0, 10)]
    [0.0, 0.278]
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, doubt = count / trials, z * z / trials
    middle, reach = share + doubt / 2, z * sqrt(share * (1 - share) / trials + doubt / (4 * trials))
    return max(0.0, (middle - reach) / (1 + doubt)), min(1.0, (middle + reach) / (1 + doubt))
