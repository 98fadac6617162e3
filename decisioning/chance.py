"""Chance as an argument: salted hashes, and probabilities as integers that sum exactly.

A probability is an integer number of units of 2^-40. Integers are logged, drawn from and added up without rounding, so a
decision draws the same on every machine.
"""

from hashlib import blake2b
from math import frexp, ldexp

import numpy as np
from numba import njit
from numpy.typing import NDArray

UNIT_BITS = 40
WHOLE = 1 << UNIT_BITS


def hashed(salt: str, *parts: str) -> int:
    """A number in [0, 2^40), uniform over salts and parts, the same on every machine."""
    text = "\x1f".join((salt, *parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> (64 - UNIT_BITS)


@njit(cache=True, nogil=True)
def apportion(weights: NDArray[np.float64], units: NDArray[np.int64]) -> bool:
    """Fill `units` (n,) with the shares of weights (n,) as integers that sum to exactly 2^40, by largest remainder.

    Ties go to the first; a weight of exactly 0 stays exactly 0. False where a weight is not finite or below 0, or none is
    above 0: `units` say nothing then. The weights are first read as integers, cut off 52 bits below the largest (from 512
    weights on, earlier, so that their sum stays below 2^61); from there on all arithmetic is exact.
    """
    size, largest = len(weights), 0.0
    for i in range(size):
        if not 0.0 <= weights[i] < np.inf:
            return False
        largest = max(largest, weights[i])
    if largest == 0.0:
        return False
    bits = 52
    while size >> (61 - bits):
        bits -= 1
    bits -= frexp(largest)[1]
    total = 0
    for i in range(size):
        units[i] = np.int64(ldexp(weights[i], bits))
        total += units[i]
    # rest < total of each, in units of 1 / total; wrapped products differ by less than 2^63, so their difference is right
    rest, per = np.empty(size, np.int64), WHOLE / total
    left = np.int64(WHOLE)
    for i in range(size):
        share = np.int64(units[i] * per)
        over = units[i] * WHOLE - share * total
        if over < 0:
            share, over = share - 1, over + total
        elif over >= total:
            share, over = share + 1, over - total
        units[i], rest[i] = share, over
        left -= share
    # the largest remainder that is too small for one more: by bisection over its value
    low, high = -1, total
    while high - low > 1:
        middle = (low + high) >> 1
        more = 0
        for i in range(size):
            more += rest[i] > middle
        if more <= left:
            high = middle
        else:
            low = middle
    for i in range(size):
        if rest[i] > high:
            units[i] += 1
            left -= 1
    for i in range(size):
        if left > 0 and rest[i] == high:
            units[i] += 1
            left -= 1
    return True
