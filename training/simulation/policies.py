"""Who decides: a policy is asked round after round, and hears what came of it. Here those that learn nothing."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.simulation import brand
from training.simulation.brand import TOUCHPOINTS
from training.simulation.environment import NOTHING, Asked, Environment, Told
from training.simulation.truth import Chances

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ORACLE_PRICES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Money that an oracle asks a message to be worth beyond its costs, as it tires the customer for later ones."""


class Policy(Protocol):
    def choose(self, asked: Asked, luck: Floats) -> tuple[Ints, Ints]:
        """What to say (n,), a position in NAMES that is allowed or NOTHING, and at which hour outbound messages come (n,).

        `luck` (n,) is uniform in [0, 1), the same for every policy, for those who leave something to chance.
        """

    def hear(self, told: Told) -> None:
        """What was said in a round and what will come of it: each policy waits itself until that has happened."""

    def week_ends(self, week: int) -> None: ...


class Still:
    """A policy that learns nothing."""

    def hear(self, told: Told) -> None:
        pass

    def week_ends(self, week: int) -> None:
        pass


class Random(Still):
    """Any message that is allowed, or nothing, all with one probability."""

    def choose(self, asked: Asked, luck: Floats) -> tuple[Ints, Ints]:
        return any_of(asked.allowed, luck, nothing=True), asked.hour


class Static(Still):
    """One message for all, wherever it is allowed; NOTHING for silence."""

    def __init__(self, action: int) -> None:
        self._action = action

    def choose(self, asked: Asked, luck: Floats) -> tuple[Ints, Ints]:
        if self._action == NOTHING:
            return np.full(len(asked.who), NOTHING), asked.hour
        return np.where(asked.allowed[:, self._action], self._action, NOTHING), asked.hour


class Oracle(Still):
    """Knows the truth of the moment, and says what is worth most to it: see `worth`."""

    def __init__(self, environment: Environment, price: float) -> None:
        self._environment, self._price = environment, price

    def choose(self, asked: Asked, luck: Floats) -> tuple[Ints, Ints]:
        hour = self._environment.population.hour[asked.who]
        true = self._environment.truth(asked, hour)
        return best_of(worth(self._environment, asked, true, price=self._price), asked.allowed), hour


class Informed(Still):
    """Knows the truth as far as it can be seen, from the first day: the mean among customers who look alike.

    What no feature tells, no policy could have learned of a customer it meets for the first time; so this is about as much as
    learning could ever reach. It values messages as the oracle does.
    """

    def __init__(self, environment: Environment, price: float) -> None:
        self._environment, self._price = environment, price

    def choose(self, asked: Asked, luck: Floats) -> tuple[Ints, Ints]:
        true = self._environment.told(asked, asked.hour)
        return best_of(worth(self._environment, asked, true, price=self._price), asked.allowed), asked.hour


def worth(environment: Environment, asked: Asked, true: Chances, *, price: float) -> Floats:
    """(n, A): the money that each message brings by what is true, less the `price` of attention.

    A customer who leaves costs what they would have bought until the end, had they been left in peace. It looks no further
    ahead; the price stands for what else a message takes from later ones.
    """
    margin, population = environment.world.margin, environment.population
    weeks_left = population.weeks - 1 - asked.week
    to_come = margin * true.nothing * population.moments_a_week[asked.who] * weeks_left
    return np.asarray(true.net(margin) - true.leaves * to_come[:, None] - price)


def best_of(worth: Floats, allowed: NDArray[np.bool_]) -> Ints:
    """(n,): the allowed message of the highest worth (n, A) above 0; the first of equal ones; NOTHING where there is none."""
    open_ = np.where(allowed, worth, -np.inf)
    best = open_.argmax(axis=1)
    return np.where(open_[np.arange(len(best)), best] > 0, best, NOTHING)


def any_of(allowed: NDArray[np.bool_], luck: Floats, *, nothing: bool) -> Ints:
    """(n,): one of the allowed messages (n, A), and of nothing too where that may be, each as likely as the others."""
    open_ = np.column_stack([allowed, np.full(len(allowed), nothing) | ~allowed.any(axis=1)])
    reached = open_.cumsum(axis=1)
    drawn = np.floor(luck * reached[:, -1]).astype(np.int64)
    at = np.asarray((reached > drawn[:, None]).argmax(axis=1))
    return np.where(at == allowed.shape[1], NOTHING, at)


def asks_for(touchpoint: int) -> Floats:
    """(A,): what each message must be worth at a touchpoint: its cost and the attention declared there."""
    return np.array(brand.COSTS) + TOUCHPOINTS[touchpoint][1]
