"""The line of a pooled uplift model: log odds as weighted terms of what the customer and the message are like.

A row's numbers are its columns, made comparable; of a coded column one number a code. The terms are: a constant; each number
of the customer; crossings of two of these; the same again for any message at all; each number of the message, and that
number crossed with each of the customer. Without the message only the first three stay.
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

FAR = 3.0
"""A number counts no further from the mean than so many spreads."""
_STEEP = 1.5
"""Two numbers are crossed once each is squashed to -1 to 1, so steeply."""
NO_CODE = -1


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """E numbers of a row: from which column each is, which code it stands for (NO_CODE: the column's own number), and the
    `mean` and `spread` (above 0) that make it comparable. What is missing is 0 then: as the mean, or as no code.
    """

    columns: tuple[int, ...]
    codes: tuple[int, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    def __post_init__(self) -> None:
        if len({len(one) for one in (self.columns, self.codes, self.mean, self.spread)}) != 1:
            raise ValueError("line: columns, codes, mean and spread must have one length")
        if not all(math.isfinite(one) for one in self.mean) or not all(0 < one < math.inf for one in self.spread):
            raise ValueError("line: means must be finite numbers, and spreads above 0")

    def of(self, matrix: Matrix) -> Floats:
        """(n, C) to (n, E)."""
        values, codes = matrix[:, list(self.columns)].astype(np.float64), np.array(self.codes)
        values = np.where((codes >= 0) & ~np.isnan(values), values == codes, values)
        made = np.nan_to_num((values - np.array(self.mean)) / np.array(self.spread))
        return np.asarray(np.clip(made, -FAR, FAR))


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`customer` and `message` are the numbers of a row. Whether two of the customer's are crossed, `pairs`, and the message's
    with the customer's, `each`, says which terms there are: with K and M numbers and P = K (K - 1) / 2 pairs the `weights` are
    those of 1 + K (+ P), of 1 + K (+ P) for any message, and of M (+ M K). `middle` (P,) is taken off the pairs.
    """

    customer: Numbers
    message: Numbers
    pairs: bool
    each: bool
    middle: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.weights) != sum(self.sizes) or not all(math.isfinite(one) for one in (*self.weights, *self.middle)):
            raise ValueError(f"line: weights must be {sum(self.sizes)} finite numbers")

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many terms there are of each kind: a constant, K, P; the same for any message; M, M K."""
        return sizes_of(len(self.customer.columns), len(self.message.columns), pairs=self.pairs, each=self.each)

    def terms(self, matrix: Matrix) -> tuple[Floats, Floats]:
        """(n, D0) that a row has without the message, (n, D1) those that the message adds."""
        own, said = self.customer.of(matrix), self.message.of(matrix)
        alone = np.column_stack([np.ones(len(own)), own, *([pairs_of(own) - np.array(self.middle)] if self.pairs else [])])
        each = [said[:, [at]] * own for at in range(said.shape[1])] if self.each else []
        return alone, np.column_stack([alone, said, *each])

    def log_odds(self, matrix: Matrix) -> tuple[Floats, Floats]:
        """(with the message (n,), without it (n,))."""
        alone, added = self.terms(matrix)
        weights = np.array(self.weights)
        without = alone @ weights[: alone.shape[1]]
        return np.asarray(without + added @ weights[alone.shape[1] :]), np.asarray(without)


def sizes_of(own: int, said: int, *, pairs: bool, each: bool) -> tuple[int, ...]:
    """The `Line.sizes` of K = `own` and M = `said` numbers."""
    crossed = own * (own - 1) // 2 if pairs else 0
    return 1, own, crossed, 1, own, crossed, said, said * own if each else 0


def pairs_of(numbers: Floats) -> Floats:
    """(n, E) to (n, E (E - 1) / 2): each two, squashed, times each other."""
    first, second = np.triu_indices(numbers.shape[1], 1)
    squashed = np.tanh(_STEEP * numbers)
    return np.asarray(squashed[:, first] * squashed[:, second])
