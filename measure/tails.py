"""How far out a statistic lies: the upper tail of chi-squared of any degrees of freedom, both tails of a binomial count."""

from math import exp, inf, lgamma, log

import numpy as np

_DIGITS = 1e-12


def chi_squared_tail(statistic: float, freedom: float) -> float:
    """P(chi-squared > statistic), for any degrees of freedom above 0, to ten digits.

    The incomplete gamma function: its series below the mean, else Legendre's continued fraction (Abramowitz and Stegun,
    Handbook of Mathematical Functions, 1964, 6.5.29 and 6.5.31).

    >>> round(chi_squared_tail(3.841459, 1), 4), chi_squared_tail(0.0, 2.5)
    (0.05, 1.0)
    """
    shape, x = freedom / 2, statistic / 2
    if x <= 0:
        return 1.0
    head = exp(shape * log(x) - x - lgamma(shape))
    return max(0.0, 1.0 - head * _series(shape, x)) if x < shape + 1 else head * _fraction(shape, x)


def chi_squared_point(level: float, freedom: float) -> float:
    """What chi-squared exceeds with probability `level`, in (0, 1), by halving.

    >>> round(chi_squared_point(0.05, 1), 3)
    3.841
    """
    low, high = 0.0, 1.0
    while chi_squared_tail(high, freedom) > level:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if chi_squared_tail(middle, freedom) > level else (low, middle)
    return high


def binomial_tails(count: int, trials: int, chance: float) -> float:
    """The two-sided exact p of a count: twice the smaller tail, at most 1. `chance` in (0, 1), `count` from 0 to `trials`.

    >>> round(binomial_tails(8, 10, 0.5), 4)
    0.1094
    """
    if trials == 0:
        return 1.0
    below = count <= trials * chance
    counts = np.arange(0, count + 1) if below else np.arange(count, trials + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    terms = logs[trials] - logs[counts] - logs[trials - counts] + counts * log(chance) + (trials - counts) * log(1 - chance)
    return min(1.0, 2.0 * float(np.exp(terms).sum()))


def _series(shape: float, x: float) -> float:
    term = whole = 1.0 / shape
    step = shape
    while abs(term) > _DIGITS * abs(whole):
        step += 1.0
        term *= x / step
        whole += term
    return whole


def _fraction(shape: float, x: float) -> float:
    """By Lentz's method: from one convergent to the next."""
    b = x + 1.0 - shape
    c, d = inf, 1.0 / b
    value, step = d, 0
    while True:
        step += 1
        a = -step * (step - shape)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        value *= d * c
        if abs(d * c - 1.0) < _DIGITS:
            return value
