"""One policy in one world: week after week, round after round; what it earned, whom it left alone and whom it reached."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from training.simulation import truth
from training.simulation.brand import COSTS
from training.simulation.environment import NOTHING, Asked, Environment, Told
from training.simulation.policies import Policy, asks_for, best_of, worth
from training.simulation.population import ROUNDS, Population
from training.simulation.ranges import World
from training.simulation.truth import COMPLAINT_COSTS, Chances

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

QUARTILES = 4
PERIOD = 4
"""Weeks in which whoever is reached once counts as reached: reach, as media are planned by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What became of a world under a policy, week by week, (W,) each.

    `value` is expected money: orders less the cost of messages and of complaints, given what was said. `contacts`,
    `complaints` count; `left` is how many customers have left for good by then. A *sleeping dog* is a customer whom, rested
    and in peace, every message makes less likely to order; they are `dogs` moments at which something could have been said,
    `alone` of these nothing was. A *persuadable* is one for whom some message then pays more than it costs, declared
    attention included; of `persuadables` moments at which one that still pays could have been said, at `reached` one was
    said that makes an order likelier. These moments had `attainable` money in them, by what was said `attained`. The four
    that end in `_own` leave out the customers for whom Kairos chooses at random.

    `audience` (P,) counts, by periods of PERIOD weeks, customers who were persuadable at some moment, `met` (P,) those of
    them who were reached at one. `quartiles` (4, 2) are the contacts and the moments, by quarter of the customers
    in the order of their best rested uplift at the start, the lowest first.
    """

    value: Floats
    contacts: Floats
    complaints: Floats
    left: Floats
    dogs: Floats
    alone: Floats
    persuadables: Floats
    reached: Floats
    attainable: Floats
    attained: Floats
    dogs_own: Floats
    alone_own: Floats
    persuadables_own: Floats
    reached_own: Floats
    audience: Floats
    met: Floats
    quartiles: Floats


_WEEKLY = tuple(one.name for one in fields(Path) if one.name not in ("audience", "met", "quartiles"))


def live(world: World, population: Population, made: Callable[[Environment], Policy], *, price: float = 0.0) -> Path:
    """Every policy of a world meets the same customers with the same luck. `price` is that of the oracle's attention."""
    environment = Environment(world, population)
    policy = made(environment)
    weeks = population.weeks
    counted = {name: np.zeros(weeks) for name in _WEEKLY}
    periods = -(-weeks // PERIOD)
    audience, met = np.zeros((periods, population.size), np.bool_), np.zeros((periods, population.size), np.bool_)
    quarter, quartiles = _quarters(population), np.zeros((QUARTILES, 2))
    luck = np.random.default_rng([world.seed, 3]).random((weeks, ROUNDS, population.size))
    for week in range(weeks):
        for round_ in range(ROUNDS):
            asked = environment.ask(week, round_)
            action, hour = policy.choose(asked, luck[week, round_, asked.who])
            told, true = environment.tell(asked, action, hour)
            policy.hear(told)
            found = _found(environment, asked, told, true, price=price)
            for name, number in found.counts(environment).items():
                counted[name][week] += number
            np.logical_or.at(audience[week // PERIOD], asked.who, found.persuadable)
            np.logical_or.at(met[week // PERIOD], asked.who, found.reached)
            could = np.asarray(asked.allowed.any(axis=1))
            np.add.at(quartiles[:, 0], quarter[asked.who], told.action != NOTHING)
            np.add.at(quartiles[:, 1], quarter[asked.who], could)
        environment.end_of_week(week)
        policy.week_ends(week)
        counted["left"][week] = np.isfinite(environment.left_at).sum()
    return Path(**counted, audience=audience.sum(axis=1).astype(float), met=met.sum(axis=1).astype(float), quartiles=quartiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """n moments: expected `money`, who `says` something, who is a `dog` that could be disturbed, who is `persuadable` and
    `reached`, and the money `attainable` and `attained` there, (n,) each.
    """

    told: Told
    money: Floats
    says: Flags
    dog: Flags
    persuadable: Flags
    reached: Flags
    attainable: Floats
    attained: Floats

    def counts(self, environment: Environment) -> dict[str, float]:
        own = ~environment.population.random[self.told.asked.who]
        return {
            "value": float(self.money.sum()),
            "contacts": float(self.says.sum()),
            "complaints": float(np.isfinite(self.told.complained_at).sum()),
            "dogs": float(self.dog.sum()),
            "alone": float((self.dog & ~self.says).sum()),
            "persuadables": float(self.persuadable.sum()),
            "reached": float(self.reached.sum()),
            "attainable": float(self.attainable.sum()),
            "attained": float(self.attained.sum()),
            "dogs_own": float((self.dog & own).sum()),
            "alone_own": float((self.dog & ~self.says & own).sum()),
            "persuadables_own": float((self.persuadable & own).sum()),
            "reached_own": float((self.reached & own).sum()),
        }


def _found(environment: Environment, asked: Asked, told: Told, true: Chances, *, price: float) -> _Found:
    margin, row = environment.world.margin, np.arange(len(asked.who))
    says, said = told.action != NOTHING, np.maximum(told.action, 0)
    orders = np.where(says, true.treated[row, said], true.nothing)
    costs = np.where(says, np.array(COSTS)[said] + COMPLAINT_COSTS * true.complains[row, said], 0.0)
    wish = truth.rested(environment.population, asked.who, asked.week / max(1, environment.population.weeks - 1))
    base = environment.population.base[asked.who]
    rested = truth.sigmoid(base[:, None] + wish) - truth.sigmoid(base)[:, None]
    could, worths = np.asarray(asked.allowed.any(axis=1)), worth(environment, asked, true, price=price)
    best = best_of(worths, asked.allowed)
    persuadable = (margin * rested > asks_for(asked.touchpoint)).any(axis=1) & (best != NOTHING)
    brings = worths + price
    return _Found(
        told=told,
        money=margin * orders - costs,
        says=says,
        dog=np.asarray((wish < 0).all(axis=1) & could),
        persuadable=np.asarray(persuadable),
        reached=np.asarray(persuadable & says & (true.uplift[row, said] > 0)),
        attainable=np.where(persuadable, brings[row, np.maximum(best, 0)], 0.0),
        attained=np.where(persuadable & says, brings[row, said], 0.0),
    )


def _quarters(population: Population) -> NDArray[np.int64]:
    """(N,): in which quarter each is by the best that any message does for them, rested, in the first week; 0 the lowest."""
    best = (truth.sigmoid(population.base[:, None] + population.wish[0]) - truth.sigmoid(population.base)[:, None]).max(axis=1)
    return np.argsort(np.argsort(best, kind="stable"), kind="stable") * QUARTILES // len(best)
