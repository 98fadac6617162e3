"""What a model costs a server: how long it takes a row, how large it is."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.learn import Fitted

ROWS = 100
"""As many as the candidates of a large catalog."""
ROUNDS = 9


def microseconds_a_row(fitted: Fitted, matrix: NDArray[np.float32], *, clock: Callable[[], float] = time.process_time) -> float:
    """Of a processor's time, not the clock's on the wall: scoring 100 rows at once with every forest, read from its text
    before, the median of 9 rounds by `clock` (seconds).
    """
    rows = np.ascontiguousarray(np.resize(matrix, (ROWS, matrix.shape[1])))
    score = fitted.scorer()
    score(rows)
    took = []
    for _ in range(ROUNDS):
        began = clock()
        score(rows)
        took.append(clock() - began)
    return float(np.median(took)) / ROWS * 1e6


def kilobytes(fitted: Fitted) -> float:
    """The size of its texts."""
    return sum(len(text.encode()) for text in fitted.forests.values()) / 1024
