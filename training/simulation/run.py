"""One policy in one world: week after week, round after round; what it earned, whom it left alone and whom it reached."""

from collections.abc import Callable
from dataclasses import dataclass

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

QUARTILES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What became of a world under a policy, week by week, (W,) each.

    `value` is expected money: orders less the cost of messages and of complaints, given what was said. `contacts`,
    `complaints` count; `left` is how many customers have left for good by then. A *sleeping dog* is a customer whom, rested
    and in peace, every message makes less likely to order; they are `dogs` moments at which something could have been said,
    `alone` of these nothing was. A *persuadable* is one for whom some message then pays more than it costs, declared
    attention included; of `persuadables` moments at which one that still pays could have been said, at `reached` one was
    said that makes an order likelier. `quartiles` (4, 2) are the contacts and the moments, by quarter of the customers
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
    quartiles: Floats


def live(world: World, population: Population, made: Callable[[Environment], Policy], *, price: float = 0.0) -> Path:
    """Every policy of a world meets the same customers with the same luck. `price` is that of the oracle's attention."""
    environment = Environment(world, population)
    policy = made(environment)
    weeks = population.weeks
    counted = {
        name: np.zeros(weeks)
        for name in ("value", "contacts", "complaints", "left", "dogs", "alone", "persuadables", "reached")
    }
    quarter, quartiles = _quarters(population), np.zeros((QUARTILES, 2))
    luck = np.random.default_rng([world.seed, 3]).random((weeks, ROUNDS, population.size))
    for week in range(weeks):
        for round_ in range(ROUNDS):
            asked = environment.ask(week, round_)
            action, hour = policy.choose(asked, luck[week, round_, asked.who])
            told, true = environment.tell(asked, action, hour)
            policy.hear(told)
            for name, number in _counts(environment, asked, told, true, price=price).items():
                counted[name][week] += number
            could = np.asarray(asked.allowed.any(axis=1))
            np.add.at(quartiles[:, 0], quarter[asked.who], told.action != NOTHING)
            np.add.at(quartiles[:, 1], quarter[asked.who], could)
        environment.end_of_week(week)
        policy.week_ends(week)
        counted["left"][week] = np.isfinite(environment.left_at).sum()
    return Path(**counted, quartiles=quartiles)


def _counts(environment: Environment, asked: Asked, told: Told, true: Chances, *, price: float) -> dict[str, float]:
    margin, row = environment.world.margin, np.arange(len(asked.who))
    says, said = told.action != NOTHING, np.maximum(told.action, 0)
    orders = np.where(says, true.treated[row, said], true.nothing)
    costs = np.where(says, np.array(COSTS)[said] + COMPLAINT_COSTS * true.complains[row, said], 0.0)
    wish = truth.rested(environment.population, asked.who, asked.week / max(1, environment.population.weeks - 1))
    base = environment.population.base[asked.who]
    rested = truth.sigmoid(base[:, None] + wish) - truth.sigmoid(base)[:, None]
    asks = asks_for(asked.touchpoint)
    could = asked.allowed.any(axis=1)
    dogs = (wish < 0).all(axis=1) & could
    speaks = best_of(worth(environment, asked, true, price=price), asked.allowed) != NOTHING
    persuadables = (margin * rested > asks).any(axis=1) & speaks
    return {
        "value": float((margin * orders - costs).sum()),
        "contacts": float(says.sum()),
        "complaints": float(np.isfinite(told.complained_at).sum()),
        "dogs": float(dogs.sum()),
        "alone": float((dogs & ~says).sum()),
        "persuadables": float(persuadables.sum()),
        "reached": float((persuadables & says & (true.uplift[row, said] > 0)).sum()),
    }


def _quarters(population: Population) -> NDArray[np.int64]:
    """(N,): in which quarter each is by the best that any message does for them, rested, in the first week; 0 the lowest."""
    best = (truth.sigmoid(population.base[:, None] + population.wish[0]) - truth.sigmoid(population.base)[:, None]).max(axis=1)
    return np.argsort(np.argsort(best, kind="stable"), kind="stable") * QUARTILES // len(best)
