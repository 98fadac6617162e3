"""The usual next best action: a forest predicts who responds to what, and whoever responds best to something gets it."""

import numpy as np
from numpy.typing import NDArray

from features.calibration import Calibration, Platt
from training import models
from training.calibrate import calibrate
from training.simulation.environment import NOTHING, Asked, Told
from training.simulation.experience import COLUMNS, Experience, Rows, of_customers, with_each, with_message
from training.simulation.forests import PARAMETERS
from training.simulation.policies import any_of, asks_for, best_of
from training.simulation.ranges import World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXPLORES = 0.05
"""Share of moments at which any allowed message is said, as much as Kairos gives to exploring."""
FEWEST = 20
CALIBRATES_EVERY = 4
"""Weeks, after as many first ones in which it is calibrated each week."""


class Propensity:
    """Learns again each week, from every message whose window has closed; until it can, it says any message.

    It says the message of the highest predicted margin, where that is more than its cost and the attention it takes: it asks
    who responds, not who would not have without it.
    """

    def __init__(self, world: World) -> None:
        self._margin = world.margin
        self._experience = Experience(world)
        self._model: str | None = None
        self._calibration: Calibration = Platt()

    def choose(self, asked: Asked, luck: Floats) -> tuple[Ints, Ints]:
        if self._model is None:
            return any_of(asked.allowed, luck, nothing=False), asked.hour
        matrix = with_each(of_customers(asked))
        response = self._calibration.apply(models.raw(self._model, matrix)).reshape(len(asked.who), -1)
        best = best_of(self._margin * response - asks_for(asked.touchpoint), asked.allowed)
        return np.where(luck < EXPLORES, any_of(asked.allowed, luck / EXPLORES % 1.0, nothing=False), best), asked.hour

    def hear(self, told: Told) -> None:
        self._experience.add(told, told.action, told.action != NOTHING)

    def week_ends(self, week: int) -> None:
        rows = self._experience.closed(week)
        if _teaches(rows):
            self._model = self._fit(rows)
            if week < CALIBRATES_EVERY or week % CALIBRATES_EVERY == 0:
                self._calibration = self._calibrated(rows)

    def _calibrated(self, rows: Rows) -> Calibration:
        """Fitted on the last fifth, as a forest sees it that learned from what had closed before."""
        begins = float(np.quantile(rows.at, 0.8))
        before, after = rows.among(rows.closes <= begins), rows.among(rows.at >= begins)
        if not (_teaches(before) and _teaches(after)):
            return Platt()
        return calibrate(models.raw(self._fit(before), with_message(after.customers, after.action)), after.ordered)

    def _fit(self, rows: Rows) -> str:
        matrix = with_message(rows.customers, rows.action)
        return models.fit(matrix, rows.ordered, columns=COLUMNS, parameters=PARAMETERS)


def _teaches(rows: Rows) -> bool:
    orders = int(rows.ordered.sum())
    return min(orders, len(rows.ordered) - orders) >= FEWEST
