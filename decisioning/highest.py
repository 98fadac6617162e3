"""The probability that one of many sampled priorities is the highest: exact, by integration, without drawing any.

Action i samples X_i = min(top_i, scale_i m_i - offset_i) with m_i ~ Gamma(shape_i, rate_i), and competes where X_i exceeds its
threshold T_i (Thompson, Biometrika 1933). With F_i the distribution of X_i, flat below T_i, and G = prod F_j the one of the
highest, P(i) = integral of G d(log F_i) from T_i up, and P(nothing) = prod F_i(T_i).

Over t = ln x every F_i is smooth but at its own threshold and top, so the axis is cut there and each piece is gone through in
panels as wide as the narrowest posterior that still varies allows, each with Gauss and Legendre's rule (exponential
convergence: Trefethen, SIAM Review 2008, 50(1)). A top that is hardly ever reached does not cut the axis: its small step is
integrated as a polynomial (see `steps`), with an error of the order of the step's square. A panel proves itself: the sum over
i must be the rise of G, which is known at its ends; where it is not, more points are taken, then half the panel. Many that
share a top at which they stick share the chance of being there as if each broke the tie with a lot of its own.

Against brute force the error stays below 1e-6; the probabilities sum to 1 up to rounding, and none is negative.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from decisioning.gamma import CELLS
from decisioning.rivals import Floats, Places, Rivals, gathered, log_below, log_of, start_of
from decisioning.steps import FIRST, POINTS, SIZES, WEIGHTS, step

_CLOSE = 2e-8
"""How far the sum over a panel may be from the rise of G; the error of each probability is some ten times less."""
_SLIGHT = 5e-4
"""How much the log F_i may jump together between two cuts, at tops that cut no axis."""
_WIDE = 3.0
"""Width of a first panel, in widths of the narrowest posterior in it."""
_ENOUGH = 4000
"""Panels after which every further one counts as proven: numbers that are no numbers end too."""
_ROOM = 17
"""The points of the largest rule, and the panel's end."""


@njit(cache=True, nogil=True)
def highest(
    competes: NDArray[np.bool_],
    scale: Floats,
    offset: Floats,
    top: Floats,
    threshold: Floats,
    rate: Floats,
    row: Places,
    cells: Floats,
    marks: Floats,
    best: Floats,
) -> float:
    """Fill `best` (n,) with the probability of each of n actions, 0 where it does not compete; returns that of nothing.

    `scale`, `offset` >= 0, `top`, `threshold` >= 0 and `rate` > 0 are (n,); `row` (n,) says which of the tables each has:
    `cells` (k, CELLS + 1, 6) and `marks` (k, 4) of `gamma.Table`. What cannot exceed its threshold with a chance above
    2^-45 has exactly 0.
    """
    best[:] = 0.0
    rivals = gathered(competes, scale, offset, top, threshold, rate, row, cells, marks)
    n = len(rivals.at)
    if n == 0:
        return 1.0
    silent = float(np.exp(rivals.below.sum()))
    if n == 1:
        best[rivals.at[0]] = -np.expm1(rivals.below[0])
        return silent
    shares = np.zeros(n)
    _integrate(rivals, cells, marks, start_of(rivals, cells, marks, silent), shares)
    # a step as a polynomial swings about what it stands for
    shares = np.maximum(shares, 0.0)
    whole = shares.sum()
    if whole > 0.0:
        shares *= (1.0 - silent) / whole
    else:
        silent = 1.0
    for i in range(n):
        best[rivals.at[i]] = shares[i]
    return silent


@njit(cache=True, nogil=True)
def _integrate(rivals: Rivals, cells: Floats, marks: Floats, start: float, shares: Floats) -> None:
    """Add to `shares` (n,) what each wins above `start`."""
    n = len(rivals.at)
    slight = np.zeros(n, np.bool_)
    cuts = _cuts(rivals, start, slight)
    varies, slopes = np.empty(n, np.int64), np.empty((n, _ROOM))
    points, total, slope = np.empty(_ROOM), np.empty(_ROOM), np.empty(_ROOM)
    room = np.empty((5, _ROOM))
    reached = np.exp(log_below(rivals, cells, marks, start))
    panels = 0
    for end in cuts:
        growth = 1.0
        while start < end:
            # who varies here, what those who still wait at their thresholds are, and the narrowest
            count, waiting, narrowest = 0, 0.0, np.inf
            for i in range(n):
                if rivals.low[i] > start:
                    waiting += rivals.below[i]
                elif rivals.high[i] > start:
                    varies[count] = i
                    count += 1
                    narrowest = min(narrowest, rivals.width[i])
            wide = _WIDE * narrowest * growth
            stop = end if end - start < 1.3 * wide else start + wide
            while True:
                panels += 1
                span = stop - start
                rule = 3 if span > 1.2 * narrowest else 2 if span > 0.3 * narrowest else 1 if span > 0.03 * narrowest else 0
                rising, off = 0.0, 1.0
                while True:
                    size, first = SIZES[rule], FIRST[rule]
                    for j in range(size):
                        points[j] = start + 0.5 * span * (1.0 + POINTS[first + j])
                    points[size] = stop
                    total[: size + 1] = waiting
                    slope[: size + 1] = 0.0
                    _sum_up(rivals, varies[:count], slight, cells, marks, rule, start, points, total, slope, slopes, room)
                    rising = np.exp(total[size])
                    risen = 0.0
                    for j in range(size):
                        total[j] = 0.5 * span * WEIGHTS[first + j] * np.exp(total[j])
                        risen += total[j] * slope[j]
                    off = abs(risen - (rising - reached))
                    if off <= _CLOSE or rule == len(SIZES) - 1:
                        break
                    rule += 1
                if off <= _CLOSE or span < 0.01 * narrowest or panels > _ENOUGH:
                    break
                stop = 0.5 * (start + stop)
                growth *= 0.5
            if off < 1e-2 * _CLOSE:
                growth *= 2.0
            for at in range(count):
                won = 0.0
                for j in range(size):
                    won += total[j] * slopes[at, j]
                shares[varies[at]] += won
            start, reached = stop, rising
        reached = _stuck(rivals, slight, cells, marks, end, shares, reached)


@njit(cache=True, nogil=True)
def _cuts(rivals: Rivals, start: float, slight: NDArray[np.bool_]) -> Floats:
    """Where the axis is cut above `start`, in order, the last where G reaches 1; `slight` (n,): whose tops do not cut it.

    They are those whose jumps since the last cut come to _SLIGHT at most. Who share a top are slight all or none.
    """
    cuts, count = np.empty(2 * len(rivals.at) + 1), 1
    cuts[0] = rivals.high.max()
    for low in rivals.low:
        if low > start:
            cuts[count] = low
            count += 1
    order = np.argsort(np.where(rivals.sticks, rivals.high, np.inf))
    first, many, jumped = 0, rivals.sticks.sum(), 0.0
    while first < many:
        top, last, jump = rivals.high[order[first]], first, 0.0
        while last < many and rivals.high[order[last]] == top:
            jump += rivals.jump[order[last]]
            last += 1
        if top > start:
            jumped += jump
            if jumped <= _SLIGHT:
                slight[order[first:last]] = True
            else:
                cuts[count] = top
                count += 1
                jumped = 0.0
        first = last
    return np.unique(cuts[:count])


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_up(
    rivals: Rivals, varies: Places, slight: NDArray[np.bool_], cells: Floats, marks: Floats, rule: int, start: float,
    points: Floats, total: Floats, slope: Floats, slopes: Floats, room: Floats,
) -> None:  # fmt: skip
    """Add log F of those who vary at the points t of a panel, and at its end, to `total`; their slopes in t to `slope`.

    The slopes of each are kept in its row of `slopes`. Written for the compiler to go through several points at once.
    """
    size = SIZES[rule]
    stop = points[size]
    span = stop - start
    place, factor, value, risen, rising = room[0], room[1], room[2], room[3], room[4]
    for at in range(len(varies)):
        i = varies[at]
        table, offset = rivals.row[i], rivals.offset[i]
        per, left, down = marks[table, 1], marks[table, 0] - rivals.shift[i], cells[table, 0, 1]
        if offset > 0.0:
            for j in range(size + 1):
                x = np.exp(points[j])
                place[j] = (np.log(x + offset) - left) * per
                factor[j] = per * x / (x + offset)
        else:
            for j in range(size + 1):
                place[j] = (points[j] - left) * per
                factor[j] = per
        for j in range(size + 1):
            under = min(place[j], 0.0)
            z = min(place[j] - under, float(CELLS))
            cell = np.uint32(np.int32(z))
            z -= cell
            zz = z * z
            c0, c1, c2 = cells[table, cell, 0], cells[table, cell, 1], cells[table, cell, 2]
            c3, c4, c5 = cells[table, cell, 3], cells[table, cell, 4], cells[table, cell, 5]
            value[j] = under * down + ((c0 + c1 * z) + (c2 + c3 * z) * zz) + (c4 + c5 * z) * (zz * zz)
            slopes[at, j] = factor[j] * (((c1 + 2.0 * c2 * z) + (3.0 * c3 + 4.0 * c4 * z) * zz) + 5.0 * c5 * (zz * zz))
        if slight[i] and rivals.high[i] <= stop:
            step(rule, 2.0 * (rivals.high[i] - start) / span - 1.0, risen, rising)
            for j in range(size):
                slopes[at, j] = slopes[at, j] * (1.0 - risen[j]) + rivals.jump[i] * rising[j] * (2.0 / span)
                value[j] *= 1.0 - risen[j]
            value[size] = 0.0
        for j in range(size + 1):
            total[j] += value[j]
            slope[j] += slopes[at, j]


@njit(cache=True, nogil=True)
def _stuck(
    rivals: Rivals, slight: NDArray[np.bool_], cells: Floats, marks: Floats, end: float, shares: Floats, reached: float
) -> float:  # fmt: skip
    """Share the chance that the highest is exactly at e^end, the top of those who stick there; returns G at e^end.

    `reached` is G just below. With lots u_i uniform in [0, 1] for ties, P(i) = R a_i integral of prod (F_j + a_j u) over the
    others j at the top, where F_j is below it, a_j = 1 - F_j, and R the rest of the rivals: a polynomial in u.
    """
    here, jump = 0, 0.0
    tied = np.empty(len(rivals.at), np.int64)
    for i in range(len(rivals.at)):
        if rivals.sticks[i] and not slight[i] and rivals.high[i] == end:
            tied[here] = i
            jump += rivals.jump[i]
            here += 1
    if here == 0:
        return reached
    rest = reached * np.exp(jump)
    if jump > 1.0:
        # G may be too small below to be read from it above
        others, x = 0.0, np.exp(end)
        for i in range(len(rivals.at)):
            if rivals.low[i] >= end:
                others += rivals.below[i]
            elif rivals.high[i] > end:
                others += log_of(rivals, cells, marks, i, end, x)
        rest = np.exp(others)
    below = np.exp(-rivals.jump[tied[:here]])
    for j in range(SIZES[-1]):
        lot = 0.5 * (1.0 + POINTS[FIRST[-1] + j])
        won = 0.5 * WEIGHTS[FIRST[-1] + j] * rest
        for k in range(here):
            won *= below[k] + (1.0 - below[k]) * lot
        for k in range(here):
            shares[tied[k]] += won * (1.0 - below[k]) / (below[k] + (1.0 - below[k]) * lot)
    return float(rest)
