"""Which hours of the week are good for writing: one curve for everybody, and what a customer's own habits add to it.

Arrays in, arrays out. The curve is `training.week_curve`'s; own habits count with two exponents (`features.receptive`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisioning.customer import FeatureIndex, Profile
from decisioning.habits import Habits
from features.receptive import HOUR, WEEK, Timing, at_hours, basis, expected, habits_of, lifts, own_of, sigmoid
from training import models
from training.errors import TrainingError
from training.folds import FEWEST, Timed, fewest
from training.measured import Metric, draws_of, measured
from training.parameters import Parameters
from training.week_curve import CURVES, PLAIN, Asked, Solved, newton, solve

Floats = NDArray[np.float64]
Rival = Literal["flat", "everybody", "own"]
"""No hour is better than another; some are, for everybody alike; and each customer has their own."""

PROBABILITY = "hour_probability"
"""The column of the probability with which the hour of a message was drawn, where chance chose it."""
POOLS = (4.0, 16.0, 64.0)
"""How many own visits, or answers, everybody's may count for."""

_MOST_WEIGHT = 10.0
_PARTS = 31
_BASE = 4
_NO_INDEX = FeatureIndex(())
_FOREST = ("hour", "day", "own_visits", "own_answers", "visits", "answers", "expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Messages, or visits and hours without one: `own` (n, 62) habits, `hours` (n,) of the week, `said` (n,) the log odds of
    what was expected, `labels` (n,) 0 or 1, `weights` (n,) with mean 1.
    """

    own: NDArray[np.float32]
    hours: NDArray[np.int64]
    said: Floats
    labels: Floats
    weights: Floats

    def of(self, among: NDArray[np.bool_] | NDArray[np.intp]) -> "Rows":
        """Some of them."""
        return Rows(
            own=self.own[among],
            hours=self.hours[among],
            said=self.said[among],
            labels=self.labels[among],
            weights=self.weights[among],
        )

    @property
    def by_own(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Own visits and own answers, (n, 31) each."""
        return self.own[:, :_PARTS], self.own[:, _PARTS:]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a model is of; see `features.receptive.Timing`."""

    channel: str
    learned_from: Literal["answers", "visits"]
    randomised: bool
    allowed: tuple[bool, ...]


Chance = Callable[[NDArray[np.float32], NDArray[np.int64], Floats], Floats]
"""From habits (n, 62), hours of the week (n,) and the log odds (n,) of what was expected to chances (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedTiming:
    """`rivals` were fitted on all rows, `answer` is that of everybody or that with own habits; one more rival, habits, is the
    rule that decides where there is no model. `folds` is what was measured on rows held out in time.
    """

    answer: Timing
    rivals: Mapping[str, Chance]
    folds: Mapping[str, float] = field(default_factory=dict)


def learn_timing(*, rows: Rows, about: About, timed: Timed, customers: Sequence[str], parameters: Parameters) -> FittedTiming:
    """Everybody's curve; with what own habits add only where that is shown to predict better: where the 95% interval of the
    gain on rows held out in time, drawn by customer, lies above 0. So also everybody's where nothing can be held out.

    A forest of the same columns is measured on the same rows: `forest_gain` is what the arrays leave on the table.
    """
    held, losses = _held_out(rows, about, timed, parameters)
    folds = {"rows": float(len(held))}
    chosen: Rival = "everybody"
    if len(held):
        draws = draws_of([customers[int(row)] for row in held], parameters.seed)
        own = gain("own_gain", losses["everybody"], losses["own"], draws)
        chosen = "own" if own.low > 0 else "everybody"
        for one in (own, gain("forest_gain", losses[chosen], losses["forest"], draws)):
            folds |= {one.name: one.value, f"{one.name}_low": one.low, f"{one.name}_high": one.high}
    fitted = fits(rows, about)
    rivals = {"flat": fitted["flat"].chance, "everybody": fitted["everybody"].chance, "habits": _by_habits(rows, about)}
    return FittedTiming(answer=fitted[chosen], rivals=rivals, folds=folds)


def rows_of(names: Sequence[str], matrix: NDArray[np.float32], labels: NDArray[np.uint8], about: About) -> Rows:
    """Rows (n, C) with these columns. Where chance chose the hours, each counts by 1 over its probability.

    Raises TrainingError where the hours do not vary.
    """
    if HOUR not in names:
        raise TrainingError(
            "timing: all rows that teach are of one hour of the week, so that no hour can be compared with another; let "
            "messages go at more hours, or take in more history"
        )
    weights = np.ones(len(matrix))
    if about.randomised and PROBABILITY in names:
        inverse = 1.0 / matrix[:, list(names).index(PROBABILITY)].astype(np.float64)
        weights = np.minimum(inverse, _MOST_WEIGHT * float(np.median(inverse)))
    return Rows(
        own=own_of(about.channel, names, matrix),
        hours=matrix[:, list(names).index(HOUR)].astype(np.int64),
        said=expected(names, matrix),
        labels=labels.astype(np.float64),
        weights=weights / weights.mean(),
    )


def fits(rows: Rows, about: About) -> dict[Rival, Timing]:
    """Each rival on n rows."""
    columns = basis(rows.own, rows.said)
    visits_of_all, answers_of_all = (_shares(own) for own in rows.by_own)
    alone = newton(Asked(columns, rows.labels, rows.weights), np.full(_BASE, PLAIN))
    flat = Timing(
        channel=about.channel,
        learned_from=about.learned_from,
        randomised=about.randomised,
        curve=(0.0,) * WEEK,
        visits=0.0,
        answers=0.0,
        pool=POOLS[0],
        visits_of_all=visits_of_all,
        answers_of_all=answers_of_all,
        allowed=about.allowed,
        base=tuple(alone.numbers.tolist()),
        response=float(np.average(rows.labels, weights=rows.weights)) if about.learned_from == "answers" else 0.0,
    )
    found = solve(Asked(columns, rows.labels, rows.weights, rows.hours))
    return {"flat": flat, "everybody": _with_curve(flat, found.numbers), "own": _with_own(flat, rows, columns, found)}


def _with_curve(flat: Timing, numbers: Floats) -> Timing:
    """With the coefficients of the base and, after them, those of the curves."""
    curve = CURVES @ numbers[_BASE:]
    return msgspec.structs.replace(flat, base=tuple(numbers[:_BASE].tolist()), curve=tuple(curve.tolist()))


def _with_own(flat: Timing, rows: Rows, columns: Floats, before: Solved) -> Timing:
    """With the two exponents, their priors of width 1, and the pool that makes the labels most likely."""
    start, precision = np.insert(before.numbers, _BASE, (0.0, 0.0)), np.insert(before.precision, _BASE, (1.0, 1.0))
    tried: list[tuple[float, Timing]] = []
    for pool in POOLS:
        one = msgspec.structs.replace(flat, pool=pool)
        asked = Asked(np.column_stack([columns, *_own_at(rows, one)]), rows.labels, rows.weights, rows.hours)
        found = newton(asked, precision, start)
        visits, answers = found.numbers[_BASE : _BASE + 2].tolist()
        made = _with_curve(one, np.delete(found.numbers, (_BASE, _BASE + 1)))
        tried.append((found.likelihood, msgspec.structs.replace(made, visits=visits, answers=answers)))
    return max(tried, key=lambda one: one[0])[1]


def _by_habits(rows: Rows, about: About) -> Chance:
    """The chances that follow from `decisioning.habits`, whose weights count with an exponent that fits the rows best."""
    names = habits_of(about.channel)
    sums = np.where(rows.own > 0, rows.own, np.float32(0)).sum(axis=0, dtype=np.float64)
    population = dict(zip(names, sums.tolist(), strict=True))
    habits = Habits(names=names, positions=np.arange(len(names)))

    def columns(own: NDArray[np.float32], hours: NDArray[np.int64], said: Floats) -> Floats:
        profiles = (Profile(index=_NO_INDEX, values=one, present=~np.isnan(one)) for one in own)
        weights = [habits.week(one, population).weights[hour] for one, hour in zip(profiles, hours, strict=True)]
        return np.column_stack([basis(own, said), np.log(np.maximum(weights, 1e-12) * WEEK)])

    found = newton(Asked(columns(rows.own, rows.hours, rows.said), rows.labels, rows.weights), np.full(_BASE + 1, PLAIN))
    return lambda own, hours, said: sigmoid(columns(own, hours, said) @ found.numbers)


def log_losses(labels: Floats, said: Floats) -> Floats:
    """(n,) of probabilities (n,)."""
    inside = np.clip(said, 1e-9, 1 - 1e-9)
    return np.asarray(-np.where(labels > 0, np.log(inside), np.log1p(-inside)), dtype=np.float64)


def gain(name: str, rival: Floats, model: Floats, draws: Sequence[NDArray[np.uint8]]) -> Metric:
    """By which share the losses (n,) of a model add up to less than those of a rival on the same rows, drawn together."""
    return measured(name, lambda weights: float(1 - (weights @ model) / max(float(weights @ rival), 1e-12)), draws)


def _shares(own: NDArray[np.float32]) -> tuple[float, ...]:
    """Everybody's habits by part (31,): shares of the hours of a day, then of the days; nearly alike where there are few."""
    sums = np.where(own > 0, own, np.float32(0)).astype(np.float64).sum(axis=0)
    hours = 0.5 * sums[:24] + 0.25 * (np.roll(sums[:24], 1) + np.roll(sums[:24], -1))
    parts = [part + 1.0 + 1e-3 * part.sum() for part in (hours, sums[24:])]
    return tuple(np.concatenate([part / part.sum() for part in parts]).tolist())


def _own_at(rows: Rows, model: Timing) -> tuple[Floats, Floats]:
    """The lifts (n,) of own visits and own answers at the rows' hours."""
    visits, answers = rows.by_own
    return (
        at_hours(lifts(visits, model.visits_of_all, model.pool), rows.hours),
        at_hours(lifts(answers, model.answers_of_all, model.pool), rows.hours),
    )


def _held_out(rows: Rows, about: About, timed: Timed, parameters: Parameters) -> tuple[NDArray[np.intp], dict[str, Floats]]:
    """Rows of later blocks and each rival's losses (n,) on them: a block is predicted from what had closed before it."""
    held: list[NDArray[np.intp]] = []
    losses: dict[str, list[Floats]] = {"everybody": [], "own": [], "forest": []}
    for number in np.unique(timed.block):
        later = np.flatnonzero(timed.block == number)
        before = (timed.block < number) & (timed.closes_us <= timed.at_us[later].min())
        if fewest(rows.labels.astype(np.uint8), before) < FEWEST:
            continue
        held.append(later)
        known, asked = rows.of(before), rows.of(later)
        fitted = fits(known, about)
        forest = models.fit(_seen(known, fitted["own"]), known.labels, columns=_FOREST, parameters=parameters)
        said = {
            "everybody": fitted["everybody"].chance(asked.own, asked.hours, asked.said),
            "own": fitted["own"].chance(asked.own, asked.hours, asked.said),
            "forest": models.chance(forest, _seen(asked, fitted["own"]), threads=parameters.num_threads),
        }
        for name, chances in said.items():
            losses[name].append(log_losses(asked.labels, chances))
    if not held:
        return np.array([], dtype=np.intp), {}
    return np.concatenate(held), {name: np.concatenate(found) for name, found in losses.items()}


def _seen(rows: Rows, model: Timing) -> NDArray[np.float32]:
    """What the forest sees of them, (n, 7)."""
    known = basis(rows.own, rows.said)[:, 1:]
    return np.column_stack([rows.hours % 24, rows.hours // 24, *_own_at(rows, model), known]).astype(np.float32)
