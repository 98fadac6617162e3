"""What is known of the hours at which somebody comes and answers: 168 weights of the hours of a week."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from decisioning.customer import FeatureIndex, Profile

PARTS: tuple[str, ...] = (*(f"{hour:02d}" for hour in range(24)), "mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The hours of a day, then the days of a week: a habit is a number of each."""

VISITS: tuple[str, ...] = tuple(f"hour_{part}" if part.isdigit() else f"day_{part}" for part in PARTS)
"""The features that count when somebody comes."""

POOL_WEIGHT = 4.0
"""What is known on the level above counts as much as this many visits, or answers, of the level itself."""

Source = Literal["visits of all", "answers of all", "own visits", "own answers"]
"""The levels on which a habit is learned, the most personal one last."""

_SOURCES: tuple[Source, ...] = ("visits of all", "answers of all", "own visits", "own answers")
_SPEAKS = 1.0 + 1e-9
_HOURS = 24
_PARTS = 31


def answers(channel: str) -> tuple[str, ...]:
    """The features that count when somebody answers what comes by a channel, in the order of `PARTS`."""
    return tuple(f"answers_{channel}_{part}" for part in PARTS)


@dataclass(frozen=True, slots=True)
class Week:
    """What the hours of a week are worth, and why.

    `weights` (168,) sum to 1, Monday 0:00 first, the brand's time. `lifts` (4, 31) tell by how much each level (in the order
    of `Source`) raised each of `PARTS` over what was expected before it, `seen` (4,) how much each level had to go by.
    """

    weights: NDArray[np.float64]
    lifts: NDArray[np.float64]
    seen: NDArray[np.float64]

    def source(self, hour: int) -> Source | None:
        """What speaks for an hour of the week: the level without which it would weigh less. None where no level does.

        Of several the most personal one that has seen at least POOL_WEIGHT; where none has, the one that says it loudest.
        """
        lifts = (self.lifts[:, hour % _HOURS] * self.lifts[:, _HOURS + hour // _HOURS]).tolist()
        for level in (3, 2, 1, 0):
            if lifts[level] > _SPEAKS and self.seen[level] >= POOL_WEIGHT:
                return _SOURCES[level]
        loudest = max(range(4), key=lifts.__getitem__)
        return _SOURCES[loudest] if lifts[loudest] > _SPEAKS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Where a profile holds the habits that count at one channel; compiled once for a touchpoint.

    `names` are those of the visits, then those of the answers, in the order of `PARTS`: 62. `positions` (62,) int64 are
    theirs in the profile, -1 for a feature that it does not have.
    """

    names: tuple[str, ...]
    positions: NDArray[np.int64]

    @classmethod
    def of(cls, index: FeatureIndex, channel: str) -> "Habits":
        names = (*VISITS, *answers(channel))
        return cls(names=names, positions=np.array([index.positions.get(name, -1) for name in names], dtype=np.int64))

    def week(self, profile: Profile, population: Mapping[str, float]) -> Week:
        """What each hour of a week is worth for writing to a customer.

        The weight of an hour is its share among the hours of a day times the share of its day in the week. `population`
        holds, by name, what all customers' numbers add up to. Shares are learned level by level, each pooled with the one
        above as the mean of a Dirichlet posterior is: (number + POOL_WEIGHT * share above) / (sum + POOL_WEIGHT).

            visits of all < all hours alike;   answers of all < visits of all;   own visits < visits of all
            own answers < answers of all * own visits / visits of all, made to sum to 1

        The last: customers answer when people do, more so when they themselves are about more than people are, as if both
        were independent. Without own visits that is the answers of all, without anybody's answers the own visits. Missing
        and negative numbers count as 0.
        """
        # float32, as a record of the decision keeps them
        crowd = np.fromiter(map(population.get, self.names, repeat(0.0)), dtype=np.float32, count=len(self.names))
        own = profile.values.take(self.positions, mode="wrap") if len(profile.values) else np.zeros(len(self.names), np.float32)
        return Week(*_week(own, self.positions, crowd.astype(np.float64)))


@njit(cache=True, nogil=True)
def _week(
    own: NDArray[np.float32], positions: NDArray[np.int64], crowd: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    numbers = np.zeros((4, _PARTS))
    for at in range(2 * _PARTS):
        level, part = at // _PARTS, at % _PARTS
        if 0.0 < crowd[at] < np.inf:  # NaN is not
            numbers[level, part] = crowd[at]
        if positions[at] >= 0 and 0.0 < own[at] < np.inf:
            numbers[2 + level, part] = own[at]
    shares, lifts, seen = np.empty((4, _PARTS)), np.empty((4, _PARTS)), np.empty(4)
    above = np.ones(_PARTS)
    for start, end in ((_HOURS, _PARTS), (0, _HOURS)):
        for level in range(4):
            total, expected = 0.0, 0.0
            for part in range(start, end):
                if level == 3:
                    above[part] = shares[1, part] * (shares[2, part] / shares[0, part])
                elif level > 0:
                    above[part] = shares[0, part]
                total += numbers[level, part]
                expected += above[part]
            for part in range(start, end):
                prior = above[part] / expected
                shares[level, part] = (numbers[level, part] + POOL_WEIGHT * prior) / (total + POOL_WEIGHT)
                lifts[level, part] = shares[level, part] / prior
            seen[level] = total
    weights = np.empty(7 * _HOURS)
    for day in range(7):
        for hour in range(_HOURS):
            weights[day * _HOURS + hour] = shares[3, hour] * shares[3, _HOURS + day]
    return weights, lifts, seen
