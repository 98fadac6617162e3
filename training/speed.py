"""What a model costs a server: how long it takes a row, how large it is."""

import time
from collections.abc import Callable
from functools import partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.receptive import Prepared, Timing, habits_of
from training.learn import Fitted

ROWS = 100
"""As many as the candidates of a large catalog."""
ROUNDS = 9


def microseconds_a_row(fitted: Fitted, matrix: NDArray[np.float32], *, clock: Callable[[], float] = time.process_time) -> float:
    """Of a processor's time, not the clock's on the wall: scoring 100 rows at once with every forest, read from its text
    before, the median of 9 rounds by `clock` (seconds).
    """
    rows = np.ascontiguousarray(np.resize(matrix, (ROWS, matrix.shape[1])))
    score = _each(fitted.answer, rows) if isinstance(fitted.answer, Timing) else partial(fitted.scorer(), rows)
    score()
    took = []
    for _ in range(ROUNDS):
        began = clock()
        score()
        took.append(clock() - began)
    return float(np.median(took)) / ROWS * 1e6


def kilobytes(fitted: Fitted) -> float:
    """The size of its texts, or of its arrays as text."""
    return sum(len(text.encode()) for text in fitted.forests.values() or [msgspec.json.encode(fitted.answer).decode()]) / 1024


def _each(answer: Timing, rows: NDArray[np.float32]) -> Callable[[], object]:
    """All hours of the week for one customer after the other, as in a request."""
    own, prepared = np.resize(np.nan_to_num(rows), (ROWS, len(habits_of(answer.channel)))), Prepared.of(answer)
    return lambda: [prepared.factors(one) for one in own]
