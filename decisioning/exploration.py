"""Who is chosen with what probability. The whole distribution first, then one draw from it.

Thompson sampling without simulation: the probability that an action's sampled priority is the highest, and above its own
threshold, is integrated over the posteriors (see `highest`). On top of it a fixed mass explores uniformly among the actions
that can help.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from decisioning.beliefs import Beliefs
from decisioning.chance import apportion
from decisioning.domain import Job, TrialGroup
from decisioning.highest import highest

JOBS_IN_DISTRESS: tuple[Job, ...] = ("recover", "serve", "inform", "onboard", "retain", "celebrate")
"""While selling is suppressed the jobs come in this order, whatever the priorities."""

JOBS: tuple[Job, ...] = (*JOBS_IN_DISTRESS, "sell", "refer")
"""All jobs; their positions stand for them in arrays."""

_CARING = len(JOBS_IN_DISTRESS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contenders:
    """The candidates of one touchpoint, weighed for one customer: arrays (n,), in the order of the candidates' names.

    The sampled priority of candidate i is min(top, scale * m - offset), m from its belief. `p` is its expected increment of
    success, `priority` p x C x V x L, `threshold` >= 0 what a sampled priority must exceed, `jobs` (int8) its position in
    JOBS. `scale` and `offset` are not below 0, `offset` what is had without it, in priority.
    """

    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    top: NDArray[np.float64]
    threshold: NDArray[np.float64]
    p: NDArray[np.float64]
    priority: NDArray[np.float64]
    jobs: NDArray[np.int8]
    mandatory: NDArray[np.bool_]


def distribution(
    contenders: Contenders,
    beliefs: Beliefs,
    *,
    alive: NDArray[np.bool_],
    group: TrialGroup,
    mass: float,
    in_distress: bool,
) -> NDArray[np.int64]:
    """The probability of each of n candidates and, last, of nothing: (n + 1,) units of 2^-40 that sum to exactly 2^40.

    Only those `alive` (n,) can have any. A mandatory one comes before all others, in every group: of several the one of the
    highest priority, the first of those. Random: uniform over all alive. Else Thompson sampling, with `mass` in [0, 1) shared
    among those with p > 0, and none for the others. In distress only the candidates of the first job of JOBS_IN_DISTRESS
    compete that is expected to be worth its attention, and nothing is said only where none is.
    """
    units = np.empty(len(alive) + 1, dtype=np.int64)
    known = _distribute(
        alive, contenders.scale, contenders.offset, contenders.top, contenders.threshold, contenders.p,
        contenders.priority, contenders.jobs, contenders.mandatory,
        beliefs.rate, beliefs.row, beliefs.cells, beliefs.marks,
        group == "random", float(mass), in_distress, units,
    )  # fmt: skip
    if not known:
        raise ValueError("a candidate's numbers are no numbers")
    return units


@njit(cache=True, nogil=True)
def choose(units: NDArray[np.int64], at: int) -> int:
    """The position drawn by `at` in [0, 2^40); len(units) - 1 for nothing.

    The stretch of nothing comes first, then those of the candidates in their order.
    """
    nothing = len(units) - 1
    reached = units[nothing]
    if at < reached:
        return nothing
    for position in range(nothing):
        reached += units[position]
        if at < reached:
            return position
    raise ValueError("the units do not sum to 2^40")


@njit(cache=True, nogil=True)
def _distribute(
    alive: NDArray[np.bool_],
    scale: NDArray[np.float64],
    offset: NDArray[np.float64],
    top: NDArray[np.float64],
    threshold: NDArray[np.float64],
    p: NDArray[np.float64],
    priority: NDArray[np.float64],
    jobs: NDArray[np.int8],
    mandatory: NDArray[np.bool_],
    rate: NDArray[np.float64],
    row: NDArray[np.int64],
    cells: NDArray[np.float64],
    marks: NDArray[np.float64],
    at_random: bool,
    mass: float,
    in_distress: bool,
    units: NDArray[np.int64],
) -> bool:
    """Fill `units` as `distribution` says; False where the weights are no numbers."""
    n = len(alive)
    weights = np.zeros(n + 1)
    first = -1
    for i in range(n):
        if alive[i] and mandatory[i] and (first < 0 or priority[i] > priority[first]):
            first = i
    if first >= 0:
        weights[first] = 1.0
        return bool(apportion(weights, units))
    competes = np.empty(n, np.bool_)
    if at_random:
        for i in range(n):
            competes[i] = alive[i]
            weights[i] = 1.0 if alive[i] else 0.0
    else:
        _let_compete(alive, p, priority, threshold, jobs, in_distress, competes)
    count = competes.sum()
    if count == 0:
        weights[n] = 1.0
    elif not at_random:
        best = weights[:n]
        nothing = highest(competes, scale, offset, top, threshold, rate, row, cells, marks, best)
        if in_distress:
            # whether care is worth the attention is no question for an experiment, only which care is
            mass, nothing = 0.0, 0.0
            if best.sum() == 0.0:
                mass = 1.0
        for i in range(n):
            if competes[i]:
                best[i] = (1.0 - mass) * best[i] + mass / count
        weights[n] = (1.0 - mass) * nothing
    return bool(apportion(weights, units))


@njit(cache=True, nogil=True)
def _let_compete(
    alive: NDArray[np.bool_],
    p: NDArray[np.float64],
    priority: NDArray[np.float64],
    threshold: NDArray[np.float64],
    jobs: NDArray[np.int8],
    in_distress: bool,
    competes: NDArray[np.bool_],
) -> None:
    """Those who can help; in distress those of the first caring job that is worth it."""
    first = _CARING
    for i in range(len(alive)):
        competes[i] = alive[i] and p[i] > 0.0
        if in_distress:
            competes[i] = competes[i] and jobs[i] < _CARING and priority[i] > threshold[i]
            if competes[i] and jobs[i] < first:
                first = jobs[i]
    if in_distress:
        for i in range(len(alive)):
            competes[i] = competes[i] and jobs[i] == first
