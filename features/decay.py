"""How records fold into a profile. The one definition, offline and online; `ageing` has how it moves on from there.

A behavioural feature is a decayed aggregate: value(t) = sum of x_i * 2^(-(t - t_i) / half_life), stored as a value and the
moment `as_of` it is exact for. Moving it is one multiplication, folding in a record is one addition, and the order of
folding does not matter: a late record counts exactly what it would have counted in time.

Times are microseconds since 1970 in UTC, ages are days.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.tables import Aggregate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Folded:
    """`values` (n, C): the running value after each row, exact as of `as_of_us` (n,). NaN where nothing happened yet."""

    values: Floats
    as_of_us: Ints


def fold(columns: Sequence[Aggregate], terms: Floats, times_us: Ints, first: NDArray[np.bool_]) -> Folded:
    """Running values of many customers at once.

    Rows stand customer by customer, in the order in which they became known; `first` marks each customer's first row.
    `terms` (n, C) is what a row brings: the number it adds (0 for none), or for last and first its time in microseconds
    (NaN for none). `times_us` (n,) is when it happened, in any order. A folded row can itself be a row (see `restarted`).

    Works by doubling: after the pass with shift s each row holds the sum over the 2s rows up to it, so the passes number
    the logarithm of the longest history, and every factor is taken from a difference of times: nothing can overflow.
    """
    starts = np.flatnonzero(first)
    place = np.arange(len(times_us)) - np.repeat(starts, np.diff(starts, append=len(times_us)))
    shifts = [1 << power for power in range(int(place.max(initial=0)).bit_length())]
    as_of = times_us.copy()
    for shift in shifts:
        np.maximum(as_of[shift:], as_of[:-shift], out=as_of[shift:], where=place[shift:] >= shift)
    values = np.empty_like(terms)
    for how, half_life in dict.fromkeys((column.how, column.half_life_days) for column in columns):
        at = [n for n, column in enumerate(columns) if (column.how, column.half_life_days) == (how, half_life)]
        if how == "sum":
            values[:, at] = _running_sums(terms[:, at], times_us, as_of, place, shifts, half_life)
        else:
            values[:, at] = (as_of[:, None] - _running_ends(terms[:, at], place, shifts, last=how == "last")) / DAY_US
    return Folded(values, as_of)


def restarted(columns: Sequence[Aggregate], values: Floats, as_of_us: Ints) -> Floats:
    """The terms (n, C) of rows that fold on from stored values."""
    terms = values.copy()
    for at, column in enumerate(columns):
        if column.how != "sum":
            terms[:, at] = as_of_us - values[:, at] * DAY_US
    return terms


def _running_sums(terms: Floats, times_us: Ints, as_of: Ints, place: Ints, shifts: Sequence[int], half_life: float) -> Floats:
    sums = terms * _factor(as_of - times_us, half_life)[:, None]
    for shift in shifts:
        factor = np.where(place[shift:] >= shift, _factor(as_of[shift:] - as_of[:-shift], half_life), 0.0)
        # the product is made before the addition, so that each row still reads its predecessor's old sum
        sums[shift:] += sums[:-shift] * factor[:, None]
    return sums


def _running_ends(times: Floats, place: Ints, shifts: Sequence[int], *, last: bool) -> Floats:
    ends, keep = times.copy(), np.fmax if last else np.fmin
    for shift in shifts:
        same = (place[shift:] >= shift)[:, None]
        ends[shift:] = keep(ends[shift:], np.where(same, ends[:-shift], np.nan))
    return ends


def _factor(elapsed_us: Ints, half_life: float) -> Floats:
    # rows of different customers stand beside each other: their differences may be negative, and are not used
    return np.exp2(-np.maximum(elapsed_us, 0) / (DAY_US * half_life))
