"""A challenger beside the champion on the same rows: how much more it loses, and how much better or worse it ranks.

Both are resampled together, and all rows of a customer with them: what makes a row hard is hard for both, and falls out.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from measure.intervals import LEVEL, Terms, bootstrap
from measure.qini import uplift_curve
from training import folds
from training.evaluate import auc_of, by_group
from training.evaluate_value import gini_of
from training.measured import Metric, Statistic, draws_of, measured
from training.predicted import Predicted
from training.slices import FEWEST

RANKINGS = ("auc", "group_auc", "gini", "qini")
"""Metrics, the higher the better, that can be compared."""

SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """How much more the challenger loses than the champion, as a share of what the champion loses: 0.05 is 5% more, -0.1 is
    10% less. An end of the interval is None where so few rows differ that it cannot be said.
    """

    loss: str
    rows: int
    value: float
    low: float | None
    high: float | None
    level: float

    def told(self) -> str:
        low, high = ("?" if end is None else f"{end:+.1%}" for end in (self.low, self.high))
        return f"{self.value:+.1%} [{low}, {high}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class LostBySlice:
    """`lost` is None where the group has fewer than 30 rows, or too few successes or failures to judge by (20)."""

    feature: str
    label: str
    rows: int
    lost: Lost | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`gained` holds the challenger's AUC and so on, less the champion's."""

    lost: Lost
    gained: tuple[Metric, ...]
    slices: tuple[LostBySlice, ...]


def compared(challenger: Predicted, champion: Predicted) -> Comparison:
    """Both predicted the same n rows; where one says nothing of a row, it counts for neither. Seeded.

    The intervals of slices hold all at once with 95% (Bonferroni): with many groups, some would else be worse by chance.
    """
    if not np.array_equal(challenger.seen, champion.seen):
        raise ValueError("the two were not tested on the same rows")
    both = np.isfinite(challenger.said) & np.isfinite(champion.said)
    ours, theirs = challenger.of(both), champion.of(both)
    return Comparison(
        lost=lost(ours, theirs),
        gained=tuple(gained(name, ours, theirs) for name in RANKINGS if _can_rank(name, ours, theirs)),
        slices=_lost_by_slice(ours, theirs),
    )


def lost(challenger: Predicted, champion: Predicted, *, level: float = LEVEL) -> Lost:
    """sum(challenger's losses - champion's) / sum(champion's losses), its interval studentised and drawn by customer."""
    ours, theirs = challenger.losses(), champion.losses()
    terms = Terms(plain=np.zeros(len(ours)), over=ours - theirs, under=theirs)
    found = bootstrap(terms, seed=SEED, units=challenger.customer, level=level)
    low, high = (float(end) if math.isfinite(end) else None for end in (found.low, found.high))
    return Lost(loss=challenger.loss, rows=len(ours), value=found.value, low=low, high=high, level=level)


def gained(name: str, challenger: Predicted, champion: Predicted) -> Metric:
    """One of RANKINGS, the challenger's less the champion's, with the percentiles of 500 resamples of the customers."""
    ours, customers = _ranking(name, challenger)
    theirs, _ = _ranking(name, champion)
    return measured(name, lambda weights: ours(weights) - theirs(weights), draws_of(customers, SEED))


def _can_rank(name: str, challenger: Predicted, champion: Predicted) -> bool:
    one = challenger
    match name:
        case "gini":
            return one.amounts and bool((one.seen > 0).any())
        case "qini":
            effects = [effect for effect in (one.effect, champion.effect) if effect is not None and np.isfinite(effect).all()]
            return len(effects) == 2 and one.treated is not None and 0 < int(one.treated.sum()) < len(one.seen)
        case "group_auc" if one.group is None:
            return False
        case _:
            return not one.amounts and 0 < one.seen.sum() < len(one.seen)


def _ranking(name: str, tested: Predicted) -> tuple[Statistic, NDArray[Any]]:
    """The metric of weighted rows, and the customer of each of these."""
    labels = (tested.seen > 0).astype(np.uint8)
    match name:
        case "auc":
            return auc_of(tested.seen, tested.said), tested.customer
        case "gini":
            return gini_of(tested.seen, tested.said), tested.customer
        case "group_auc" if tested.group is not None:
            one = by_group(labels, tested.said, customers=tested.customer, groups=tested.group)
            return auc_of(one.labels.astype(np.float64), one.probabilities), np.asarray(one.customers)
        case "qini" if tested.treated is not None and tested.effect is not None:
            treated, effect = tested.treated, tested.effect
            return (
                lambda weights: float(uplift_curve(labels, treated, effect, weights=weights).coefficient),
                tested.customer,
            )
        case _:
            raise ValueError(f"{name} cannot be compared on this test")


def _can_judge(tested: Predicted, rows: NDArray[np.intp]) -> bool:
    successes = int((tested.seen[rows] > 0).sum())
    fewest = successes if tested.amounts else min(successes, len(rows) - successes)
    return len(rows) >= FEWEST and fewest >= folds.FEWEST


def _lost_by_slice(challenger: Predicted, champion: Predicted) -> tuple[LostBySlice, ...]:
    parts = [
        (feature, str(label), np.flatnonzero(labels == label))
        for feature, labels in challenger.slices.items()
        for label in np.unique(labels)
    ]
    level = 1 - (1 - LEVEL) / max(1, sum(_can_judge(challenger, rows) for _, _, rows in parts))
    return tuple(
        LostBySlice(
            feature=feature,
            label=label,
            rows=len(rows),
            lost=lost(challenger.of(rows), champion.of(rows), level=level) if _can_judge(challenger, rows) else None,
        )
        for feature, label, rows in parts
    )
