"""Trials with a known truth: customers come in week by week, buy or not, and more or less than before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from measure.lift import GROUPS, Metric

START = datetime(2018, 1, 1, tzinfo=UTC)
SHARES = {"treatment": 0.85, "control": 0.1, "random": 0.05}


@dataclass(frozen=True, kw_only=True)
class Measured:
    name: str
    values: NDArray[np.float64]
    rises: bool = True
    answered: bool = False
    possible: NDArray[np.bool_] | None = None


@dataclass(frozen=True, kw_only=True)
class MadeUp:
    group: NDArray[np.int64]
    closed: NDArray[np.bool_]
    before: NDArray[np.float64]
    metrics: Sequence[Metric]
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)
    since: datetime = START
    counted: Mapping[str, int] = field(default_factory=dict)


def trial(
    random: np.random.Generator,
    customers: int,
    *,
    effect: float = 0.0,
    shares: Mapping[str, float] = SHARES,
    habit: float = 0.8,
) -> MadeUp:
    """Values are mostly 0 and else skewed, alike what was before (`habit` is the correlation of their logarithms).

    The treatment adds `effect` to the mean of all.
    """
    group = random.choice(3, size=customers, p=[shares[name] for name in GROUPS])
    kind = random.normal(size=customers)
    before = np.where(random.random(customers) < 0.6, np.exp(kind), 0.0)
    after = np.exp(habit * kind + np.sqrt(1 - habit**2) * random.normal(size=customers))
    value = np.where(random.random(customers) < 0.4 * (1 + (before > 0)), after, 0.0)
    return MadeUp(
        group=group,
        closed=np.ones(customers, dtype=np.bool_),
        before=np.column_stack([(before > 0).astype(np.float64), before]),
        metrics=[Measured(name="value", values=value + effect * (group == 0))],
        shares=shares,
    )
