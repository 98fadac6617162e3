"""Who is chosen with what probability. The whole distribution first, then one draw from it.

Thompson sampling (Thompson, Biometrika 1933) without simulation: the probability that an action's sampled priority is the
highest, and above its own threshold, is integrated numerically over the posteriors. On top of it a fixed mass explores
uniformly among the actions that can help.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from decisioning import gamma
from decisioning.arbitration import Worth
from decisioning.chance import draw, hashed, to_units
from decisioning.domain import Job, TrialGroup

NOTHING = ""
"""The name of doing nothing among the choices; no action has an empty name."""

JOBS_IN_DISTRESS: tuple[Job, ...] = ("recover", "serve", "inform", "onboard", "retain", "celebrate")
"""While selling is suppressed the jobs come in this order, whatever the priorities."""


def probabilities(worths: Sequence[Worth], *, group: TrialGroup, mass: float, in_distress: bool = False) -> dict[str, int]:
    """The probability of each action and of NOTHING, in units of 2^-40 that sum to exactly 2^40.

    Treatment: Thompson sampling, with `mass` in [0, 1) shared among the actions with P > 0. Random: uniform over all that
    passed. In distress only the actions of the first job of JOBS_IN_DISTRESS compete that is expected to be worth its
    attention, and nothing is said only where none is.
    """
    if group == "random" and worths:
        return to_units({worth.action.name: 1.0 for worth in worths} | {NOTHING: 0.0})
    helpful = [worth for worth in worths if worth.terms.p > 0.0]
    rivals = _of_first_job(helpful) if in_distress else helpful
    weights = {worth.action.name: 0.0 for worth in worths}
    if not rivals:
        return to_units(weights | {NOTHING: 1.0})
    best, nothing = highest(rivals)
    if in_distress:
        # whether care is worth the attention is no question for an experiment, only which care is
        mass, nothing = 0.0, 0.0
    for worth, probability in zip(rivals, best, strict=True):
        weights[worth.action.name] = (1.0 - mass) * float(probability) + mass / len(rivals)
    return to_units(weights | {NOTHING: (1.0 - mass) * nothing})


def choose(units: Mapping[str, int], *, salt: str, decision_id: str, slot: str) -> str:
    """One draw: the same decision id, slot and salt always choose the same."""
    return draw(units, hashed(salt, "draw", decision_id, slot))


def trial_group(customer_id: str, *, control: float, random: float, salt: str) -> TrialGroup:
    """The customer's group for as long as the salt and the shares stay."""
    at = hashed(salt, "group", customer_id) / (1 << 40)
    return "control" if at < control else "random" if at < control + random else "treatment"


def highest(worths: Sequence[Worth], points: int = 33) -> tuple[NDArray[np.float64], float]:
    """P(action i has the highest sampled priority and exceeds its threshold) for each i, and P(none exceeds its own).

    With F_i the distribution of action i's priority, flat below its threshold, the highest of all lies in a cell
    (x, x'] with probability prod F(x') - prod F(x); the cell's probability is shared in proportion to each action's change
    of log F. The shares sum to 1 - prod F_i(threshold_i) exactly, whatever the grid; the grid has `points` per action,
    spread over its own posterior, so that the shares' error falls with the square of the cells' width.
    """
    grid = _grid(worths, points)
    shape = np.array([worth.shape for worth in worths])[:, None]
    scale = np.array([worth.unit / worth.rate for worth in worths])[:, None]
    top = np.array([worth.top for worth in worths])[:, None]
    threshold = np.array([worth.threshold for worth in worths])[:, None]
    x = np.maximum(grid[None, :], threshold)
    # a scale of 0 belongs to a top of 0, which no x lies below
    with np.errstate(over="ignore"):
        # beside a response too small to divide by, any priority above 0 is far beyond the posterior
        multiples = np.minimum(np.minimum(x, top) / np.where(scale > 0.0, scale, 1.0), 1e300)
    below = np.where(x >= top, 1.0, gamma.cdf(shape, multiples))
    # rising but for the last digit of each value; a falling step would be a probability below 0
    log_below = np.log(np.maximum(np.maximum.accumulate(below, axis=1), 1e-300))
    product = np.exp(log_below.sum(axis=0))
    changes = np.diff(log_below, axis=1)
    total = changes.sum(axis=0)
    cell = np.diff(product)
    shares = np.divide(changes, total, out=np.zeros_like(changes), where=total > 0.0)
    return (shares * cell).sum(axis=1), float(product[0])


def _grid(worths: Sequence[Worth], points: int) -> NDArray[np.float64]:
    """Priorities from 0 to above every posterior, dense where any posterior has its mass."""
    spread = np.linspace(-5.0, 9.0, points)
    marks = [np.zeros(1)]
    for worth in worths:
        # Wilson and Hilferty's cube: quantiles of a gamma variable from those of a normal one, close enough for a grid
        ninth = 1.0 / (9.0 * worth.shape)
        cube = np.maximum(1.0 - ninth + spread * np.sqrt(ninth), 0.0) ** 3
        marks.append(np.minimum(worth.unit / worth.rate * worth.shape * cube, worth.top))
        # a priority may lie exactly at its top: that chance gets a cell of its own, which no rival's density shares
        marks.append(np.array([worth.threshold, np.nextafter(worth.top, 0.0), worth.top]))
    return np.unique(np.concatenate(marks))


def _of_first_job(worths: Sequence[Worth]) -> list[Worth]:
    worthwhile = [worth for worth in worths if worth.terms.priority > worth.threshold]
    for job in JOBS_IN_DISTRESS:
        if found := [worth for worth in worthwhile if worth.action.job == job]:
            return found
    return []
