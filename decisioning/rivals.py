"""Those who may be the highest: their sampled priorities as distributions over t = ln x, in arrays that a kernel reads."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from decisioning.gamma import log_cdf

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_LEAST = 1e-9
"""A smaller chance of reaching its top is none: the top is left out."""
_LOST = 1e-10
"""How much of G may lie below where the integral starts."""


class Rivals(NamedTuple):
    """One entry each, in the order given: x = e^t, and ln y = ln(x + offset) + shift of the tables.

    `below` is log F at the threshold, `low` and `high` are t of the threshold and of where F reaches 1 (by its top where it
    `sticks` there), `width` the distribution's width in t, `jump` by how much log F rises at the top, if it sticks.
    """

    at: Places
    row: Places
    shift: Floats
    offset: Floats
    low: Floats
    high: Floats
    below: Floats
    width: Floats
    jump: Floats
    sticks: NDArray[np.bool_]


@njit(cache=True, nogil=True)
def gathered(
    competes: NDArray[np.bool_],
    scale: Floats,
    offset: Floats,
    top: Floats,
    threshold: Floats,
    rate: Floats,
    row: Places,
    cells: Floats,
    marks: Floats,
) -> Rivals:
    """Those of n that compete and can exceed their thresholds; arguments as in `highest.highest`."""
    size = len(scale)
    rivals = Rivals(
        np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size), np.empty(size), np.empty(size),
        np.empty(size), np.empty(size), np.empty(size), np.zeros(size), np.empty(size, np.bool_),
    )  # fmt: skip
    n = 0
    for i in range(size):
        if not (competes[i] and scale[i] > 0.0 and offset[i] >= 0.0 and top[i] > threshold[i]):
            continue
        table = row[i]
        shift = np.log(rate[i] / scale[i])
        high = _ln(np.exp(marks[table, 2] - shift) - offset[i])
        jump, at_top = 0.0, np.log(top[i])
        if at_top < high:
            jump = -log_cdf(cells[table], marks[table], (at_top if offset[i] == 0.0 else np.log(top[i] + offset[i])) + shift)
        if jump > _LEAST:
            high = at_top
        low = _ln(threshold[i])
        if not high > low:
            continue
        rivals.at[n], rivals.row[n], rivals.shift[n], rivals.offset[n] = i, table, shift, offset[i]
        rivals.low[n], rivals.high[n], rivals.width[n] = low, high, marks[table, 3]
        rivals.sticks[n], rivals.jump[n] = jump > _LEAST, jump if jump > _LEAST else 0.0
        rivals.below[n] = log_cdf(cells[table], marks[table], _ln(threshold[i] + offset[i]) + shift)
        n += 1
    return Rivals(
        rivals.at[:n], rivals.row[:n], rivals.shift[:n], rivals.offset[:n], rivals.low[:n], rivals.high[:n],
        rivals.below[:n], rivals.width[:n], rivals.jump[:n], rivals.sticks[:n],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def log_below(rivals: Rivals, cells: Floats, marks: Floats, t: float) -> float:
    """Log G at e^t, those who stick there included."""
    total, x = 0.0, np.exp(t)
    for i in range(len(rivals.at)):
        if t <= rivals.low[i]:
            total += rivals.below[i]
        elif t < rivals.high[i]:
            total += log_of(rivals, cells, marks, i, t, x)
    return total


@njit(cache=True, nogil=True)
def log_of(rivals: Rivals, cells: Floats, marks: Floats, i: int, t: float, x: float) -> float:
    """Log F_i at x = e^t, its top left out."""
    at = t if rivals.offset[i] == 0.0 else np.log(x + rivals.offset[i])
    return float(log_cdf(cells[rivals.row[i]], marks[rivals.row[i]], at + rivals.shift[i]))


@njit(cache=True, nogil=True)
def start_of(rivals: Rivals, cells: Floats, marks: Floats, silent: float) -> float:
    """A t below which G exceeds `silent`, its least value, by _LOST at most; by bisection, not far below the last such t."""
    low, high, narrowest = rivals.low.min(), rivals.high.max(), rivals.width.min()
    if low == -np.inf:
        low = high - 40.0
        surely = -np.inf
        for i in range(len(rivals.at)):
            if rivals.low[i] == -np.inf and rivals.offset[i] == 0.0:
                c, m = cells[rivals.row[i], 0], marks[rivals.row[i]]
                down = min(m[0], m[0] + (np.log(_LOST) - c[0]) / (c[1] * m[1]))
                surely = max(surely, min(down - rivals.shift[i], rivals.high[i] - 0.01 * rivals.width[i]))
        if surely > -np.inf:
            low = surely
    middle = low + 0.02 * narrowest
    while high - low > 0.02 * narrowest:
        more = np.exp(log_below(rivals, cells, marks, middle)) - silent
        if more > _LOST:
            high = middle
        else:
            low = middle
            if more > 1e-3 * _LOST:
                break
        middle = 0.5 * (low + high)
    return float(low)


@njit(cache=True, nogil=True)
def _ln(x: float) -> float:
    return float(np.log(x)) if x > 0.0 else -np.inf
