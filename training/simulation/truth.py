"""What is true of customers at their moments: what they would do without a message, and with each."""

from dataclasses import dataclass, fields

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
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Customers `who` (n,) at a `share` of the whole time: how many messages are still `felt`, how `sour` they are, and by how
    many hours a message misses their own hour (`away`), each (n,).
    """

    who: Ints
    share: float
    felt: Floats
    sour: Floats
    away: Floats


def chances(world: World, population: Population, of: Moments) -> Chances:
    wish = rested(population, of.who, of.share)
    return _chances(world, of, population.base[of.who], wish, population.prickly[of.who])


def told(world: World, population: Population, of: Moments) -> Chances:
    """The mean chances among customers who look alike: over what traits do not tell, by Gauss and Hermite's rule."""
    turned = of.share * world.drift
    alike = 1 - world.own_taste + world.own_taste * ((1 - turned) ** 2 + turned**2)
    spread = np.sqrt(world.hidden) * world.base_spread, np.sqrt(world.hidden * alike) * world.lift_spread
    base, wish = population.told_base[of.who], _blend(population.told_wish, of.who, of.share)
    usual = np.ones(len(of.who))
    parts = [
        (weight * more, _chances(world, of, base + spread[0] * one, wish + spread[1] * other, usual))
        for one, weight in zip(_NODES, _WEIGHTS, strict=True)
        for other, more in zip(_NODES, _WEIGHTS, strict=True)
    ]
    return Chances(
        **{one.name: np.asarray(sum(weight * getattr(part, one.name) for weight, part in parts)) for one in fields(Chances)}
    )


def _chances(world: World, of: Moments, base: Floats, wish: Floats, prickly: Floats) -> Chances:
    wish = np.where(wish > 0, wish * (1 - world.hour_loss * (of.away > OFF_HOURS))[:, None], wish)
    changes = wish - (world.tiring * of.felt + world.souring * of.sour)[:, None]
    repels = np.maximum(0.0, -changes)
    return Chances(
        nothing=sigmoid(base),
        treated=sigmoid(base[:, None] + changes),
        refuses=np.minimum(0.5, REFUSES * (1 + 2 * repels)),
        complains=np.minimum(0.5, world.complaining * repels * prickly[:, None]),
        leaves=np.minimum(0.5, world.leaving * repels),
    )


def rested(population: Population, who: Ints, share: float) -> Floats:
    """(n, A): what each message adds to the log odds of an order for one who is rested and in peace."""
    return _blend(population.wish, who, share)


def _blend(wish: Floats, who: Ints, share: float) -> Floats:
    return np.asarray((1 - share) * wish[0, who] + share * wish[1, who])


def sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def left_of(amount: Floats, since: Floats, half_life: float) -> Floats:
    """What is left of amounts after a time, in hours."""
    return np.asarray(amount * 2.0 ** (-np.maximum(0.0, since) / half_life))
