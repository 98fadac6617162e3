"""The test, measured for each group of customers alone: whom a model serves less well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluate import auc
from training.measured import Floats, Metric, draws_of, measured_mean

FEWEST = 30
"""Rows below which a group is counted, not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One label of one feature. `gap` is the mean prediction less the mean of what happened, with its interval; None where
    there are fewer than 30 rows. `auc` is None there too, and where only one label is.
    """

    feature: str
    label: str
    rows: int
    positives: int
    gap: Metric | None
    auc: float | None


def slices_of(
    groups: Mapping[str, Sequence[str]],
    *,
    labels: NDArray[np.uint8],
    seen: Floats,
    said: Floats,
    customers: Sequence[str],
    seed: int = 7,
) -> tuple[Slice, ...]:
    """By feature, in the order given, and by label, from A to Z. `seen` and `said` (n,) are what happened and what was
    predicted (0 or 1 and probabilities, or amounts); `labels` (n,) say whether anything happened.
    """
    found = []
    for feature, label_of in groups.items():
        each = np.asarray(label_of)
        for label in sorted(set(label_of)):
            rows = np.flatnonzero(each == label)
            positives = int(labels[rows].sum())
            enough = len(rows) >= FEWEST
            who = [customers[int(row)] for row in rows]
            found.append(
                Slice(
                    feature=feature,
                    label=label,
                    rows=len(rows),
                    positives=positives,
                    gap=measured_mean("gap", said[rows] - seen[rows], draws_of(who, seed)) if enough else None,
                    auc=auc(labels[rows], said[rows]) if enough and 0 < positives < len(rows) else None,
                )
            )
    return tuple(found)
