"""What a model of timing says: how much more one hour of the week is worth than another for writing to one customer.

Plain arrays, the same in training and in a request. Hours are those of the brand's week, Monday 0:00 first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from decisioning.habits import PARTS, VISITS, answers

Floats = NDArray[np.float64]

WEEK = 168
"""The hours of a week."""

HOUR, EXPECTED = "hour_of_week", "expected"
"""Columns of a row: the hour of the week of a message, and what was expected of it, a probability, when it was decided."""

_DAY = 24
_PARTS = len(PARTS)
_CERTAIN = 1e-6
_MOST, _HIGHEST = 1e9, 500.0


class Timing(msgspec.Struct, frozen=True, kw_only=True, tag="timing", tag_field="says"):
    """The odds of an answer at an hour are those of the customer and message times a factor of the hour, f.

        ln f(hour) = curve[hour] + visits * ln own visits' lift(hour) + answers * ln own answers' lift(hour)

    The lift of an hour is that of its hour of the day times that of its day: the share of the customer's own habit there,
    pooled with everybody's as the mean of a Dirichlet posterior is, over everybody's share (see `lifts`). So a customer
    without habits has the curve. `curve` (168,) is everybody's; `visits_of_all`, `answers_of_all` (31,) are the shares, by
    `decisioning.habits.PARTS`; `pool` is how many visits, or answers, everybody's count for.

    `allowed` (168,) are the hours outside the quiet ones. `base` are the coefficients (1, ln(1 + own visits), ln(1 + own
    answers), log odds of what was expected or 0 where nothing was) of the log odds without the hour. `response` is the mean
    response: with it odds become responses; 0 where the hours are those of visits, whose shares f is. `learned_from` says of
    what, `randomised` whether chance chose the hours of the messages that taught.
    """

    channel: str
    learned_from: Literal["answers", "visits"]
    randomised: bool
    curve: tuple[float, ...]
    visits: float
    answers: float
    pool: float
    visits_of_all: tuple[float, ...]
    answers_of_all: tuple[float, ...]
    allowed: tuple[bool, ...]
    base: tuple[float, float, float, float]
    response: float

    def __post_init__(self) -> None:
        numbers = (*self.curve, *self.base, self.visits, self.answers, self.pool)
        shares = (*self.visits_of_all, *self.answers_of_all)
        if (len(self.curve), len(self.allowed), len(shares)) != (WEEK, WEEK, 2 * _PARTS):
            raise ValueError("timing: the curve and the allowed hours have 168 entries, shares 31")
        if not all(map(math.isfinite, (*numbers, *shares))) or min(shares) <= 0 or self.pool <= 0:
            raise ValueError("timing: numbers must be finite, shares and pool above 0")
        if not any(self.allowed) or not 0 <= self.response < 1:
            raise ValueError("timing: some hour must be allowed, and the response must be a probability below 1")

    @property
    def own(self) -> bool:
        """Whether a customer's own habits count."""
        return (self.visits, self.answers) != (0.0, 0.0)

    @property
    def about(self) -> Literal["customer"]:
        return "customer"

    @property
    def forests(self) -> tuple[str, ...]:
        return ()

    def factors(self, own: NDArray[np.float32]) -> Floats:
        """(n, 62) own visits and answers, by part, to (n, 168): see `Prepared.factors`."""
        return np.stack([Prepared.of(self).factors(one) for one in own])

    def probabilities(self, names: Sequence[str], matrix: NDArray[np.float32]) -> Floats:
        """(n,): the chance of an answer to messages, of rows (n, C) with these columns, at their hour."""
        hours = matrix[:, list(names).index(HOUR)].astype(np.int64)
        return self.chance(own_of(self.channel, names, matrix), hours, expected(names, matrix))

    def chance(self, own: NDArray[np.float32], hours: NDArray[np.int64], said: Floats) -> Floats:
        """The same of habits (n, 62), hours (n,) and the log odds (n,) of what was expected."""
        visits, answered = self._lifts(own)
        by_own = self.visits * at_hours(visits, hours) + self.answers * at_hours(answered, hours)
        return sigmoid(basis(own, said) @ np.array(self.base) + np.array(self.curve)[hours] + by_own)

    def _lifts(self, own: NDArray[np.float32]) -> tuple[Floats, Floats]:
        return (
            lifts(own[..., :_PARTS], self.visits_of_all, self.pool),
            lifts(own[..., _PARTS:], self.answers_of_all, self.pool),
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model's arrays, made ready once for many requests."""

    curve: Floats
    numbers: Floats
    of_all: Floats
    allowed: NDArray[np.bool_]

    @classmethod
    def of(cls, model: Timing) -> "Prepared":
        return cls(
            curve=np.array(model.curve),
            numbers=np.array([model.visits, model.answers, model.pool, model.response]),
            of_all=np.array([model.visits_of_all, model.answers_of_all]),
            allowed=np.array(model.allowed),
        )

    def factors(self, own: NDArray[np.float32]) -> Floats:
        """(62,) own visits and answers, by part, to (168,): the response at each hour over the mean of those at all allowed
        hours. Missing and negative numbers count as 0.
        """
        return np.asarray(_factors(own, self.curve, self.numbers, self.of_all, self.allowed), dtype=np.float64)


def habits_of(channel: str) -> tuple[str, ...]:
    """The features that the model reads: own visits, then own answers at a channel; 62."""
    return (*VISITS, *answers(channel))


def own_of(channel: str, names: Sequence[str], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 62): the habits among the columns of rows (n, C); NaN for those that the rows do not have."""
    positions = {name: at for at, name in enumerate(names)}
    found = np.full((len(matrix), 2 * _PARTS), np.nan, dtype=np.float32)
    for at, name in enumerate(habits_of(channel)):
        if name in positions:
            found[:, at] = matrix[:, positions[name]]
    return found


def lifts(own: NDArray[np.float32], of_all: Sequence[float], pool: float) -> Floats:
    """Ln of a customer's pooled shares over everybody's: numbers (..., 31) by part to (..., 31); 0 where there are none.

        (number + pool * share of all) / (sum + pool) / share of all

    for the hours of a day and the days of a week apart. Of the number of an hour a quarter counts for the hour before and
    one for the hour after, around midnight too: habits are not kept to the minute.
    """
    shares = np.asarray(of_all, dtype=np.float64)
    # float64 before anything is added: what is learned and what is served are the same to the last digit but a few
    numbers = np.where(own > 0, own, np.float32(0)).astype(np.float64)  # NaN is not above 0
    numbers = np.minimum(numbers, _MOST)
    hours, days = numbers[..., :_DAY], numbers[..., _DAY:]
    hours = 0.5 * hours + 0.25 * (np.roll(hours, 1, axis=-1) + np.roll(hours, -1, axis=-1))
    return np.concatenate(
        [
            np.log((part / share + pool) / (part.sum(axis=-1, keepdims=True) + pool))
            for part, share in ((hours, shares[:_DAY]), (days, shares[_DAY:]))
        ],
        axis=-1,
    )


def at_hours(parts: Floats, hours: NDArray[np.int64]) -> Floats:
    """Of numbers (n, 31) by part, the sum of those of an hour's two parts: (n,)."""
    row = np.arange(len(hours))
    return np.asarray(parts[row, hours % _DAY] + parts[row, _DAY + hours // _DAY], dtype=np.float64)


def basis(own: NDArray[np.float32], expected: Floats) -> Floats:
    """(n, 4): what is known of an answer besides the hour: (1, ln(1 + own visits), ln(1 + own answers), expected log odds)."""
    known = np.where(own > 0, own, np.float32(0)).astype(np.float64)
    visits, answered = known[:, :_DAY].sum(axis=1), known[:, _PARTS : _PARTS + _DAY].sum(axis=1)
    return np.column_stack([np.ones(len(own)), np.log1p(visits), np.log1p(answered), expected])


def expected(names: Sequence[str], matrix: NDArray[np.float32]) -> Floats:
    """(n,): the log odds of what was expected; 0 where nothing is known of it."""
    if EXPECTED not in names:
        return np.zeros(len(matrix))
    said = matrix[:, list(names).index(EXPECTED)].astype(np.float64)
    inside = np.clip(said, _CERTAIN, 1 - _CERTAIN)
    return np.where(np.isnan(said), 0.0, np.log(inside / (1 - inside)))


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e^-x), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


@njit(cache=True, nogil=True)
def _factors(own: NDArray[np.float32], curve: Floats, numbers: Floats, of_all: Floats, allowed: NDArray[np.bool_]) -> Floats:
    parts = np.zeros(_PARTS)
    pool, response = numbers[2], numbers[3]
    for level in range(2):
        if numbers[level] == 0.0:
            continue
        for start, end in ((0, _DAY), (_DAY, _PARTS)):
            size, total = end - start, 0.0
            known = np.zeros(size)
            for at in range(size):
                number = own[level * _PARTS + start + at]
                if number > 0:  # NaN is not
                    known[at] = min(float(number), _MOST)
                    total += known[at]
            for at in range(size):
                number = known[at]
                if size == _DAY:
                    number = 0.5 * number + 0.25 * (known[at - 1] + known[(at + 1) % size])
                parts[start + at] += numbers[level] * np.log((number / of_all[level, start + at] + pool) / (total + pool))
    factors, mean, many = np.empty(WEEK), 0.0, 0
    for hour in range(WEEK):
        odds = np.exp(min(curve[hour] + parts[hour % _DAY] + parts[_DAY + hour // _DAY], _HIGHEST))
        factors[hour] = odds / (1.0 - response + response * odds)
        if allowed[hour]:
            mean += factors[hour]
            many += 1
    return factors * (many / mean)
