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


_LONG = 1_000
"""Rows of a customer from which on they are folded by doubling: the others take turns, one row of each at a time."""


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
    The values lie column by column in memory. Every factor is taken from a difference of times: nothing can overflow.
    """
    starts = np.flatnonzero(first)
    lengths = np.diff(starts, append=len(times_us))
    if not len(starts) or lengths.max() <= _LONG:
        return _in_turns(columns, terms, times_us, starts, lengths)
    if lengths.min() > _LONG:
        return _by_doubling(columns, terms, times_us, starts, lengths)
    made = Folded(np.empty((len(columns), len(times_us))).T, np.empty_like(times_us))
    long = np.repeat(lengths > _LONG, lengths)
    for mine, how in ((~long, _in_turns), (long, _by_doubling)):
        rows = np.flatnonzero(mine)
        its = np.flatnonzero(first[rows])
        part = how(columns, terms[rows], times_us[rows], its, np.diff(its, append=len(rows)))
        made.values[rows], made.as_of_us[rows] = part.values, part.as_of_us
    return made


def restarted(columns: Sequence[Aggregate], values: Floats, as_of_us: Ints) -> Floats:
    """The terms (n, C) of rows that fold on from stored values."""
    terms = values.copy()
    for at, column in enumerate(columns):
        if column.how != "sum":
            terms[:, at] = as_of_us - values[:, at] * DAY_US
    return terms


def _groups(columns: Sequence[Aggregate]) -> dict[tuple[str, float], Ints]:
    """The positions of the columns that fold alike."""
    groups: dict[tuple[str, float], list[int]] = {}
    for at, column in enumerate(columns):
        groups.setdefault((column.how, column.half_life_days), []).append(at)
    return {alike: np.array(positions) for alike, positions in groups.items()}


def _in_turns(columns: Sequence[Aggregate], terms: Floats, times_us: Ints, starts: Ints, lengths: Ints) -> Folded:
    """First every customer's first row, then every second one onto it, and so on: each row is met once.

    In memory the rows stand in that order, customers with the most rows first, so that those who have another one are
    always the first ones of the turn before.
    """
    by_length = np.argsort(-lengths, kind="stable")
    left = np.bincount(lengths)[::-1].cumsum()[::-1][1:] if len(lengths) else np.empty(0, dtype=np.int64)  # with a row k
    begins = np.concatenate([[0], np.cumsum(left)]).astype(np.int64)
    turn = np.arange(len(times_us)) - np.repeat(starts, lengths)
    place = np.empty_like(starts)
    place[by_length] = np.arange(len(starts))
    where = begins[turn] + np.repeat(place, lengths)
    rows = np.empty_like(where)
    rows[where] = np.arange(len(where))

    happened = times_us[rows]
    as_of, since = happened.copy(), np.zeros_like(happened)
    turns = [
        (slice(before, before + count), slice(begin, begin + count))
        for before, begin, count in zip(begins[:-2].tolist(), begins[1:-1].tolist(), left[1:].tolist(), strict=True)
    ]
    for before, now in turns:
        np.maximum(as_of[now], as_of[before], out=as_of[now])
        np.subtract(as_of[now], as_of[before], out=since[now])
    late = as_of - happened
    values = np.empty((len(columns), len(times_us)))
    for (how, half_life), positions in _groups(columns).items():
        some = np.empty((len(positions), len(rows)))
        for at, column in zip(positions.tolist(), some, strict=True):
            np.take(terms[:, at], rows, out=column, mode="clip")
        if how == "sum":
            if late.any():
                some *= _factor(late, half_life)
            kept = _factor(since, half_life)
            for before, now in turns:
                some[:, now] += some[:, before] * kept[now]
        else:
            keep = np.fmax if how == "last" else np.fmin
            for before, now in turns:
                keep(some[:, now], some[:, before], out=some[:, now])
            some = (as_of - some) / DAY_US
        for at, column in zip(positions.tolist(), some, strict=True):
            np.take(column, where, out=values[at], mode="clip")
    return Folded(values.T, as_of[where])


def _by_doubling(columns: Sequence[Aggregate], terms: Floats, times_us: Ints, starts: Ints, lengths: Ints) -> Folded:
    """After the pass with shift s each row holds the sum over the 2s rows up to it: the passes number the logarithm of the
    longest history."""
    place = np.arange(len(times_us)) - np.repeat(starts, lengths)
    shifts = [1 << power for power in range(int(place.max(initial=0)).bit_length())]
    as_of = times_us.copy()
    for shift in shifts:
        np.maximum(as_of[shift:], as_of[:-shift], out=as_of[shift:], where=place[shift:] >= shift)
    values = np.empty((len(columns), len(times_us))).T
    for (how, half_life), at in _groups(columns).items():
        if how == "sum":
            values[:, at] = _running_sums(terms[:, at], times_us, as_of, place, shifts, half_life)
        else:
            values[:, at] = (as_of[:, None] - _running_ends(terms[:, at], place, shifts, last=how == "last")) / DAY_US
    return Folded(values, as_of)


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
