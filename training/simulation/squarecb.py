"""The only door to Vowpal Wabbit: SquareCB (Foster and Rakhlin, ICML 2020) over each message and over saying nothing.

A contextual bandit with an action for nothing learns what a message adds without any control group: it tries nothing, too.
It sees what the others see, pays what they pay, and learns from a moment once its window has closed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError
from training.simulation.brand import COSTS, DAY, NAMES, TOUCHPOINTS, WEEK
from training.simulation.environment import NOTHING, Asked, Told
from training.simulation.experience import CUSTOMER, of_customers
from training.simulation.ranges import World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

INSTALL = "pip install 'kairos-nba[simulate]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """`greed` is VW's gamma_scale, `rate` its learning rate; `crossed` lets pairs of features speak for a message."""

    greed: float
    rate: float
    crossed: bool

    def __str__(self) -> str:
        return f"gamma_scale {self.greed:g}, learning_rate {self.rate:g}{', features crossed' if self.crossed else ''}"


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(greed=greed, rate=rate, crossed=crossed)
    for greed, rate, crossed in product((100.0, 1000.0), (0.1, 0.5), (False, True))
)
"""Those that are tried in every world, on customers of its own kind; the best goes on to be compared."""


def installed() -> bool:
    return find_spec("vowpalwabbit") is not None


class SquareCB:
    """Raises TrainingError where Vowpal Wabbit is not installed."""

    def __init__(self, world: World, setting: Setting) -> None:
        try:
            from vowpalwabbit import Workspace
        except ModuleNotFoundError as error:
            raise TrainingError(f"Vowpal Wabbit is not installed; to compare with it: {INSTALL}") from error
        crossed = "-q UA -q UU --cubic UUA" if setting.crossed else "-q UA"
        least = -1.0  # an order, for nothing
        most = max(COSTS) + max(attention for _, attention in TOUCHPOINTS)
        self._vw = Workspace(
            f"--cb_explore_adf --squarecb --gamma_scale {setting.greed} --learning_rate {setting.rate} --cb_type mtr {crossed} "
            f"--cb_min_cost {least} --cb_max_cost {most / world.margin} --quiet --random_seed 1"
        )
        self._world = world
        self._waiting: list[tuple[float, list[str]]] = []
        self._asked: list[list[str]] = []
        self._chances: Floats = np.empty(0)

    def choose(self, asked: Asked, luck: Floats) -> tuple[Ints, Ints]:
        action, self._chances, self._asked = np.full(len(asked.who), NOTHING), np.ones(len(asked.who)), []
        for at, shared in enumerate(_texts(asked)):
            open_ = np.flatnonzero(asked.passes[at]).tolist()
            self._asked.append([shared, *(f"|A {name}" for name in ("nothing", *(NAMES[one] for one in open_)))])
            if open_ and not asked.held[at]:
                chances = np.asarray(self._vw.predict(self._asked[-1]))
                drawn = min(int(np.searchsorted(chances.cumsum(), luck[at] * chances.sum(), side="right")), len(chances) - 1)
                action[at], self._chances[at] = [NOTHING, *open_][drawn], chances[drawn]
        return action, asked.hour

    def hear(self, told: Told) -> None:
        """A moment without a choice teaches nothing; in the control group nothing was said for certain."""
        attention = TOUCHPOINTS[told.asked.touchpoint][1]
        for at, lines in enumerate(self._asked):
            if len(lines) > 2:
                said = int(told.action[at])
                earned = self._world.margin * float(np.isfinite(told.ordered_at[at]))
                cost = 0.0 if said == NOTHING else COSTS[said] + attention
                name = "nothing" if said == NOTHING else NAMES[said]
                place = next(place for place, line in enumerate(lines) if line == f"|A {name}")
                label = f"0:{(cost - earned) / self._world.margin:.5f}:{self._chances[at]:.6f} "
                learned = [label + line if one == place else line for one, line in enumerate(lines)]
                self._waiting.append((float(told.at[at]) + self._world.delay_days * DAY, learned))

    def week_ends(self, week: int) -> None:
        until = WEEK * (week + 1)
        for _, lines in sorted((one for one in self._waiting if one[0] <= until), key=lambda one: one[0]):
            self._vw.learn(lines)
        self._waiting = [one for one in self._waiting if one[0] > until]


def _texts(asked: Asked) -> Iterator[str]:
    """The shared line of each moment. Missing numbers are left out; days since an order are told in months."""
    numbers = of_customers(asked)
    numbers[:, CUSTOMER.index("days_since_order")] /= 30.0
    for row in numbers.tolist():
        yield "shared |U " + _told(row)


def _told(row: Sequence[float]) -> str:
    return " ".join(f"{name}:{value:.4f}" for name, value in zip(CUSTOMER, row, strict=True) if value == value)
