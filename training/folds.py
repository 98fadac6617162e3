"""Training rows held out in time: each block is predicted by forests that learned only from what had closed before it began."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training import models

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]
Scorer = Callable[[NDArray[np.float32]], Floats]
"""Rows (n, C) to scores (n,)."""

FEWEST = 20
"""Successes, and failures, below which rows neither teach nor judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Rows in time, n each: the block a row is in, when it begins and when its label is known (microseconds)."""

    block: NDArray[np.int32]
    at_us: NDArray[np.int64]
    closes_us: NDArray[np.int64]

    def of(self, among: Flags) -> "Timed":
        """Some of the rows."""
        return Timed(block=self.block[among], at_us=self.at_us[among], closes_us=self.closes_us[among])


def held_out(
    timed: Timed,
    matrix: NDArray[np.float32],
    *,
    among: Flags,
    enough: Callable[[Flags], bool],
    grow: Callable[[Flags], Mapping[str, str | Scorer]],
    threads: int,
) -> tuple[Rows, dict[str, Floats]]:
    """Rows of `among`, by block, and their raw scores by forest; no rows and no forests where nothing can be held out.

    `grow` makes texts of forests, or what scores rows itself, of some rows of `among`, if these are `enough`. The first block
    is never held out; nor is one before which too little had closed.
    """
    held: list[Rows] = []
    scores: list[dict[str, Floats]] = []
    for number in np.unique(timed.block[among]):
        rows = np.flatnonzero(among & (timed.block == number))
        before = among & (timed.block < number) & (timed.closes_us <= timed.at_us[rows].min())
        if enough(before):
            held.append(rows)
            grown = grow(before).items()
            scores.append(
                {
                    name: one(matrix[rows]) if callable(one) else models.raw(one, matrix[rows], threads=threads)
                    for name, one in grown
                }
            )
    if not held:
        return np.array([], dtype=np.intp), {}
    return np.concatenate(held), {name: np.concatenate([one[name] for one in scores]) for name in scores[0]}


def fewest(labels: NDArray[np.uint8], among: Flags) -> int:
    """How many successes, or failures where these are fewer."""
    successes = int(labels[among].sum())
    return min(successes, int(among.sum()) - successes)
