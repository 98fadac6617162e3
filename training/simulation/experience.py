"""What a policy has lived through, as rows that a model learns from: each once its window has closed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from training.simulation.brand import DAY, NAMES, SEEN, WEEK
from training.simulation.environment import NOTHING, Asked, Told
from training.simulation.ranges import World

Matrix = NDArray[np.float32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

CUSTOMER = (*SEEN, "touchpoint")
COLUMNS = (*CUSTOMER, *(f"is_{name}" for name in NAMES))
"""What every model reads: the customer, the touchpoint, and which message it is."""
MESSAGE = COLUMNS[len(CUSTOMER) :]


def of_customers(asked: Asked) -> Matrix:
    """(n, len(CUSTOMER))."""
    return np.column_stack([asked.seen, np.full(len(asked.who), asked.touchpoint)]).astype(np.float32)


def with_message(customers: Matrix, action: Ints) -> Matrix:
    """(n, len(COLUMNS)): customers beside one message each; NOTHING is no message."""
    shown = np.zeros((len(customers), len(NAMES)), dtype=np.float32)
    said = np.flatnonzero(action != NOTHING)
    shown[said, action[said]] = 1.0
    return np.column_stack([customers, shown])


def with_each(customers: Matrix) -> Matrix:
    """(n A, len(COLUMNS)): each customer beside every message, customer after customer."""
    count, messages = len(customers), len(NAMES)
    return with_message(np.repeat(customers, messages, axis=0), np.tile(np.arange(messages), count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """n moments: `customers` (n, len(CUSTOMER)), what was said (NOTHING: nothing), whether an order came of it, when.

    `share` (n,) is the probability with which anything was said, NaN where it is not known.
    """

    customers: Matrix
    action: Ints
    ordered: NDArray[np.uint8]
    at: NDArray[np.float64]
    closes: NDArray[np.float64]
    share: NDArray[np.float64]

    def among(self, rows: Flags) -> "Rows":
        return Rows(**{name: getattr(self, name)[rows] for name in _PARTS})


_PARTS = tuple(one.name for one in fields(Rows))


@dataclass(slots=True)
class Experience:
    world: World
    _parts: list[Rows] = field(default_factory=list)

    def add(self, told: Told, action: Ints, rows: Flags, *, share: NDArray[np.float64] | None = None) -> None:
        """Those of the moments told; `action` (n,) is what counts as said, `share` (n,) with which probability anything was."""
        self._parts.append(
            Rows(
                customers=of_customers(told.asked)[rows],
                action=action[rows],
                ordered=np.isfinite(told.ordered_at[rows]).astype(np.uint8),
                at=told.at[rows],
                closes=told.at[rows] + self.world.delay_days * DAY,
                share=np.full(int(rows.sum()), np.nan) if share is None else share[rows],
            )
        )

    def closed(self, week: int) -> Rows:
        """Those whose window has closed by the end of a week."""
        whole = _joined(self._parts)
        return whole.among(whole.closes <= WEEK * (week + 1))


def _joined(parts: Sequence[Rows]) -> Rows:
    if not parts:
        none = np.empty(0)
        return Rows(
            customers=np.empty((0, len(CUSTOMER)), np.float32),
            action=none.astype(np.int64),
            ordered=none.astype(np.uint8),
            at=none,
            closes=none,
            share=none,
        )
    return Rows(**{name: np.concatenate([getattr(one, name) for one in parts]) for name in _PARTS})
