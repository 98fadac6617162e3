"""Windows that are still open: which share of the successes that will come has come by now."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 30
"""Successes, below which nothing is said of when they come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """After which shares of their windows past successes came, rising, each 0 to 1. Empty: nobody knows when they come.

    The label of an offer whose window is open says what is known so far. A probability, which is of the whole window, is
    compared with it times the share of successes that come so early (the delayed feedback of Chapelle, "Modeling delayed
    feedback in display advertising", KDD 2014, with the delay as a share of the window and its distribution as observed).
    """

    shares: tuple[float, ...] = ()

    @classmethod
    def of(cls, success_shares: Floats) -> "Arrival":
        """From closed windows: after which share of it each success (n,) came. Empty where these are fewer than 30."""
        return cls(shares=tuple(np.sort(success_shares).tolist())) if len(success_shares) >= FEWEST else cls()

    def known(self, over: Floats) -> Floats:
        """The share of all successes that has come when the shares `over` (n,) of the windows are over: 0 to 1, never falling
        in `over`, and 1 when all is over. Between past successes a line; 1 where nobody knows.
        """
        if not self.shares:
            return np.ones_like(over)
        came = np.linspace(0.0, 1.0, len(self.shares) + 2)
        return np.asarray(np.interp(over, (0.0, *self.shares, 1.0), came), dtype=np.float64)
