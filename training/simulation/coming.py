"""What is on its way: it happens to a customer at a time, and is taken out once that customer is met after it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(slots=True)
class Coming:
    """`at` when, `who` to whom, `flag` what is to be known of it besides; all of one length."""

    at: Floats = field(default_factory=lambda: np.empty(0))
    who: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    flag: Flags = field(default_factory=lambda: np.empty(0, dtype=np.bool_))

    def add(self, at: Floats, who: Ints, flag: Flags | None = None) -> None:
        """All of these that ever happen; inf is never."""
        real = np.isfinite(at)
        self.at = np.concatenate([self.at, at[real]])
        self.who = np.concatenate([self.who, who[real]])
        self.flag = np.concatenate([self.flag, np.zeros(int(real.sum()), np.bool_) if flag is None else flag[real]])

    def until(self, moment: Floats) -> tuple[Floats, Ints, Flags]:
        """What has happened until the `moment` of each customer (N,), in the order of time; it is on its way no longer."""
        happened = self.at <= moment[self.who]
        taken = self.at[happened], self.who[happened], self.flag[happened]
        self.at, self.who, self.flag = self.at[~happened], self.who[~happened], self.flag[~happened]
        order = np.argsort(taken[0], kind="stable")
        return taken[0][order], taken[1][order], taken[2][order]
