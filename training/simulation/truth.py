"""What is true of customers at their moments: what they would do without a message, and with each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulation.brand import COSTS
from training.simulation.population import Population
from training.simulation.ranges import World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OFF_HOURS = 2
"""By more hours than these an outbound message comes at a bad time."""
COMPLAINT, BREACH = 0.9, 0.7
"""How sour a complaint, and a broken promise, leave a customer: the intensity of a bad feeling."""
COMPLAINT_COSTS = 8.0
"""Money that answering a complaint takes."""
REFUSES = 0.01
ACCEPTS_SORRY = 0.7
SOUR_LEAVES = 2.0
"""Weekly churn of the sourest customer: e to this times the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """Of n moments: an order without a message (n,) and with each (n, A); a refusal, a complaint, leaving for each (n, A)."""

    nothing: Floats
    treated: Floats
    refuses: Floats
    complains: Floats
    leaves: Floats

    @property
    def uplift(self) -> Floats:
        return np.asarray(self.treated - self.nothing[:, None])

    def net(self, margin: float) -> Floats:
        """(n, A): expected money of each message, more than without it: orders, what it costs, and what complaints cost."""
        return np.asarray(margin * self.uplift - np.array(COSTS) - COMPLAINT_COSTS * self.complains)


def chances(
    world: World, population: Population, *, who: Ints, share: float, felt: Floats, sour: Floats, away: Floats
) -> Chances:
    """Of customers `who` (n,), at a `share` of the whole time, with so many messages still `felt`, so `sour`, each (n,).

    `away` (n,) is by how many hours a message misses the customer's own hour.
    """
    wish = rested(population, who, share)
    wish = np.where(wish > 0, wish * (1 - world.hour_loss * (away > OFF_HOURS))[:, None], wish)
    changes = wish - (world.tiring * felt + world.souring * sour)[:, None]
    repels = np.maximum(0.0, -changes)
    base = population.base[who]
    return Chances(
        nothing=sigmoid(base),
        treated=sigmoid(base[:, None] + changes),
        refuses=np.minimum(0.5, REFUSES * (1 + 2 * repels)),
        complains=np.minimum(0.5, world.complaining * repels * population.prickly[who][:, None]),
        leaves=np.minimum(0.5, world.leaving * repels),
    )


def rested(population: Population, who: Ints, share: float) -> Floats:
    """(n, A): what each message adds to the log odds of an order for one who is rested and in peace."""
    return np.asarray((1 - share) * population.wish[0, who] + share * population.wish[1, who])


def sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def left_of(amount: Floats, since: Floats, half_life: float) -> Floats:
    """What is left of amounts after a time, in hours."""
    return np.asarray(amount * 2.0 ** (-np.maximum(0.0, since) / half_life))
