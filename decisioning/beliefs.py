"""What is believed of each action's responses here: how many times the model's prediction they come to.

The multiplier m of the predicted response of an action at a touchpoint has the posterior Gamma(shape, rate). After s
successes where e were expected, a prior Gamma(k mu, k) becomes Gamma(k mu + s, k + e): the conjugate of a Poisson count with
known exposure (Gelman et al., Bayesian Data Analysis, 3rd ed., 2.6). The prior mean mu is learned from what is like the action,
level by level (empirical Bayes: Efron and Morris, JASA 1975; Gelman et al., 5.1): everything -> this touchpoint -> the action's
group at this touchpoint -> the action there. Each level weighs the one above as k expected responses and reads only what the
level below it does not, so nothing counts twice on the way down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import frexp, fsum, ldexp

import numpy as np
from numpy.typing import ArrayLike, NDArray

from decisioning import gamma
from decisioning.domain import Evidence, Learner

_BITS = 7
"""Binary digits of a shape: a relative grid of 1/64 to 1/128, so that few tables serve all."""

_RAREST = 1e30
"""A rate that float32 holds, whatever the evidence."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beliefs:
    """The posteriors Gamma(shape, rate) of n candidates of one touchpoint, and the tables that a kernel reads of them.

    `shape`, `rate`: (n,) float64 that float32 holds exactly, so that a short record gives them back bit for bit. `row` (n,):
    which of the k distinct tables each has; `cells` (k, CELLS + 1, 6), `marks` (k, 4): see `gamma.Table`.
    """

    shape: NDArray[np.float64]
    rate: NDArray[np.float64]
    row: NDArray[np.int64]
    cells: NDArray[np.float64]
    marks: NDArray[np.float64]

    @classmethod
    def of(cls, shape: ArrayLike, rate: ArrayLike) -> "Beliefs":
        """From shapes in [gamma.LEAST, gamma.MOST] and rates above 0, as `believe` made them or a record kept them."""
        shapes, rates = np.asarray(shape, dtype=np.float64), np.asarray(rate, dtype=np.float64)
        distinct, row = np.unique(shapes, return_inverse=True)
        tables = [gamma.table(float(one)) for one in distinct]
        return cls(
            shape=shapes,
            rate=rates,
            row=row.astype(np.int64),
            cells=np.array([one.cells for one in tables]).reshape(-1, gamma.CELLS + 1, 6),
            marks=np.array([one.marks for one in tables]).reshape(-1, 4),
        )

    @property
    def mean(self) -> NDArray[np.float64]:
        """The expected multiplier of each (n,)."""
        return self.shape / self.rate


def believe(
    learner: Learner,
    names: Sequence[str],
    groups: Sequence[str],
    *,
    touchpoint: str,
    group_of: Mapping[str, str],
    strength: float,
) -> Beliefs:
    """The beliefs of the candidates `names`, each of the group at its place in `groups`, at a touchpoint.

    `group_of` says the group of every action of the catalog: the evidence of one that is not in it counts for its touchpoint
    and for all, for no group. `strength` > 0 is k: how many expected responses a prediction, and each level, weighs. The
    order in which the learner holds its evidence changes nothing.
    """
    elsewhere, here, by_group = [], [], dict[str, list[Evidence]]()
    for (action, where), seen in learner.evidence.items():
        if where != touchpoint:
            elsewhere.append(seen)
            continue
        here.append(seen)
        if action in group_of:
            by_group.setdefault(group_of[action], []).append(seen)
    anywhere = _shrunk(1.0, _sum(elsewhere), strength)
    all_here = _sum(here)
    together = {group: _sum(seen) for group, seen in by_group.items()}
    means = {group: _shrunk(anywhere, _without(all_here, together.get(group, (0, 0.0))), strength) for group in {*groups}}
    shapes, rates = np.empty(len(names)), np.empty(len(names))
    for at, (name, group) in enumerate(zip(names, groups, strict=True)):
        own = learner.of(name, touchpoint)
        seen_own = (own.successes, own.expected)
        prior = _shrunk(means[group], _without(together.get(group, (0, 0.0)), seen_own), strength)
        shapes[at], rates[at] = rounded(strength * prior + own.successes, strength + own.expected)
    return Beliefs.of(shapes, rates)


def rounded(shape: float, rate: float) -> tuple[float, float]:
    """A shape that has a table, of few binary digits, and the rate, a float32, that keeps the mean to 2^-24."""
    fraction, exponent = frexp(min(max(shape, gamma.LEAST), gamma.MOST))
    coarse = ldexp(round(ldexp(fraction, _BITS)), exponent - _BITS)
    return coarse, float(np.float32(min(coarse * (rate / shape), _RAREST)))


_Seen = tuple[int, float]
"""Successes, and how many were expected."""


def _sum(evidence: Sequence[Evidence]) -> _Seen:
    return sum(one.successes for one in evidence), fsum(one.expected for one in evidence)


def _without(seen: _Seen, part: _Seen) -> _Seen:
    return seen[0] - part[0], max(0.0, seen[1] - part[1])


def _shrunk(above: float, seen: _Seen, strength: float) -> float:
    return (strength * above + seen[0]) / (strength + seen[1])
