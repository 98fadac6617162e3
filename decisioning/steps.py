"""A step as a polynomial: functions that jump within a panel, for Gauss and Legendre's rule, which knows smooth ones only.

Of f, smooth, given at the m points u_j of the rule with weights w_j, let p be the polynomial of degree m - 1 through them. The
integral of p from tau to 1, and p(tau), are sums over the points too, sum w_j f_j h_j and sum w_j f_j d_j, with the projections
of the step and of its derivative on Legendre's polynomials P_k (Abramowitz and Stegun, 1964, 22.13.8 and 22.18):

    h_j = (1 - tau) / 2 + sum_k P_k(u_j) (P_(k-1)(tau) - P_(k+1)(tau)) / 2        d_j = sum_k (k + 1/2) P_k(u_j) P_k(tau)

So to first order in its height a step costs no accuracy, wherever in the panel it is.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIZES = (2, 4, 8, 16)
"""How many points each of the rules has."""
FIRST = np.array([0, 2, 6, 14])
"""Where the points of each begin."""
POINTS = np.concatenate([np.polynomial.legendre.leggauss(size)[0] for size in SIZES])
WEIGHTS = np.concatenate([np.polynomial.legendre.leggauss(size)[1] for size in SIZES])

_MOST = max(SIZES)
_LEGENDRE = np.ascontiguousarray(np.polynomial.legendre.legvander(POINTS, _MOST - 1).T)
"""P_k at all points: (_MOST, 30)."""


@njit(cache=True, nogil=True)
def step(rule: int, tau: float, risen: Floats, rising: Floats) -> None:
    """Fill the first m of `risen` with h_j and of `rising` with d_j of a step at tau in [-1, 1]."""
    size, first = SIZES[rule], FIRST[rule]
    before, here = 1.0, tau
    for j in range(size):
        risen[j] = 0.5 * (1.0 - tau)
        rising[j] = 0.5
    for k in range(1, size):
        after = ((2 * k + 1) * tau * here - k * before) / (k + 1)
        up, at = 0.5 * (before - after), (k + 0.5) * here
        for j in range(size):
            risen[j] += up * _LEGENDRE[k, first + j]
            rising[j] += at * _LEGENDRE[k, first + j]
        before, here = here, after
