"""Kairos in a simulated world: each moment is a call of `decide`, over states, evidence and models kept as a server does."""

from contextlib import suppress
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from decisioning.chance import WHOLE
from decisioning.customer import Profile
from decisioning.decide import decide
from decisioning.domain import Evidence, Learner, Ledger, Predictions, Request
from training.errors import TrainingError
from training.parameters import Parameters
from training.simulation import brand
from training.simulation.brand import NAMES, PRIOR, SALT, SORRY, START, TOUCHPOINTS, WEEK
from training.simulation.environment import NOTHING, Asked, Told
from training.simulation.experience import COLUMNS, MESSAGE, Experience, Rows, of_customers, with_each, with_message
from training.simulation.population import Population
from training.simulation.ranges import World
from training.simulation.standing import Standings
from training.uplift import FittedUplift, learn_uplift

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCKS = 2
"""Of the time that taught; each but the first is held out once."""
_PARAMETERS = Parameters(num_iterations=48, learning_rate=0.05)
"""Few trees: most of the log odds is the line's."""


class Kairos:
    """`uplift` is the model that it decides by, None before there is one; it learns by what live training learns by."""

    def __init__(self, world: World, population: Population) -> None:
        self.rulebook = brand.rulebook(world)
        self.uplift: FittedUplift | None = None
        self._experience = Experience(world)
        self._standings = Standings(population.size, world)
        self._evidence: dict[tuple[str, str], Evidence] = {}
        self._successes: list[tuple[float, tuple[str, str]]] = []
        self._expected: Floats = np.empty(0)
        self._told: Floats = np.empty(0)

    def choose(self, asked: Asked, luck: Floats) -> tuple[Ints, Ints]:
        """Whom nothing is said to, and which message, `decide` says; of `luck` it takes none, it has its own."""
        with_it, without = self._predicted(asked)
        self._expected = with_it
        learner = Learner(evidence=dict(self._evidence))
        crowd = np.asarray(asked.came.sum(axis=0))
        population = {name: float(number) for name, number in zip(brand.HOURS, crowd, strict=True)}
        ledger = {NAMES[brand.PROMISES]: Ledger(ended=asked.promises[0], kept=asked.promises[1])}
        values = np.column_stack([asked.seen, asked.came]).astype(np.float32)
        present, assumed = ~np.isnan(values), np.full(len(NAMES) + 1, self.uplift is None)
        action, hour = np.full(len(asked.who), NOTHING), asked.hour.copy()
        self._told = np.full(len(asked.who), np.nan)
        for at, (who, now) in enumerate(zip(asked.who.tolist(), map(moment, asked.now.tolist()), strict=True)):
            decision = decide(
                request=Request(
                    decision_id=f"{asked.week}/{asked.round}/{who}",
                    customer_id=str(who),
                    touchpoint=TOUCHPOINTS[asked.touchpoint][0],
                ),
                profile=Profile(index=self.rulebook.index, values=values[at], present=present[at]),
                state=self._standings.state(who, now),
                predictions=Predictions(response=with_it[at], assumed=assumed, customer={}, nothing=without[at]),
                learner=learner,
                stock={},
                population=population,
                ledger=ledger,
                rulebook=self.rulebook,
                brand="Simulated",
                now=now,
                salt=SALT,
            )
            if decision.group != "control":
                self._told[at] = 1 - decision.nothing_units / WHOLE
            result = decision.results[0]
            if result.action is not None and result.action != SORRY:
                assert result.send_at is not None
                action[at], hour[at] = NAMES.index(result.action), result.send_at.hour
        return action, hour

    def hear(self, told: Told) -> None:
        asked, row = told.asked, np.flatnonzero(told.action != NOTHING)
        place = TOUCHPOINTS[asked.touchpoint][0]
        for at in row.tolist():
            key = (NAMES[told.action[at]], place)
            seen = self._evidence.get(key, Evidence())
            expected = float(np.float32(self._expected[at, told.action[at]]))
            self._evidence[key] = Evidence(shows=seen.shows + 1, expected=seen.expected + expected, successes=seen.successes)
            if np.isfinite(told.ordered_at[at]):
                self._successes.append((float(told.ordered_at[at]), key))
        self._standings.hear(told)
        # who was left in peace, in the control group or by choice, tells what happens without a message
        self._experience.add(told, told.action, asked.could, share=self._told)

    def week_ends(self, week: int) -> None:
        until = WEEK * (week + 1)
        for _, key in (one for one in self._successes if one[0] <= until):
            seen = self._evidence[key]
            self._evidence[key] = Evidence(shows=seen.shows, expected=seen.expected, successes=seen.successes + 1)
        self._successes = [one for one in self._successes if one[0] > until]
        self._train(self._experience.closed(week))

    def _train(self, rows: Rows) -> None:
        treated = rows.action != NOTHING
        if not len(treated):
            return
        edges = np.quantile(rows.at, np.arange(1, _BLOCKS) / _BLOCKS)
        # with too little to learn from, what was learned before goes on, or what was declared
        with suppress(TrainingError):
            self.uplift = learn_uplift(
                matrix=with_message(rows.customers, rows.action),
                labels=rows.ordered,
                treated=treated,
                block=np.searchsorted(edges, rows.at, side="right").astype(np.int32),
                at_us=(rows.at * 3.6e9).astype(np.int64),
                closes_us=(rows.closes * 3.6e9).astype(np.int64),
                columns=COLUMNS,
                parameters=_PARAMETERS,
                share=rows.share * np.mean(~np.isnan(rows.share)),
                only_with_message=MESSAGE,
            )

    def _predicted(self, asked: Asked) -> tuple[Floats, Floats]:
        """(n, A + 1) each, in the order of the catalog: the response with each message and without, NaN where not known."""
        shape = (len(asked.who), len(NAMES) + 1)
        with_it, without = np.full(shape, PRIOR), np.full(shape, np.nan)
        if self.uplift is not None:
            treated, nothing = self.uplift.predict(with_each(of_customers(asked)))
            with_it[:, :-1], without[:, :-1] = treated.reshape(shape[0], -1), nothing.reshape(shape[0], -1)
        return with_it, without


def moment(hours: float) -> datetime:
    return START + timedelta(hours=hours)
