"""Whether a model is as good for one group of customers as for all others: as well calibrated, ranked, and selected.

Differences have intervals from their linear terms, summed by customer (the delta method; for the AUC those of DeLong, DeLong
and Clarke-Pearson, Biometrics 1988, for clustered rows Obuchowski, Biometrics 1997).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.measured import LEVEL, Floats
from training.predicted import Predicted
from training.slices import FEWEST

Measure = Literal["calibration", "auc", "selection"]
Flags = NDArray[np.bool_]

FEWEST_OF_EITHER = 20
"""Rows to which it happened, and rows to which it did not, below which a group's AUC and selection are not measured."""
SELECTED = 0.2
"""The share of all rows, those with the highest predictions, that count as selected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """How far a group is from all other rows, with an interval; `rows` are the group's.

    calibration: the mean of prediction less what happened. auc: how well it is ranked within. selection: of the rows to which
    it happened, the share that is among the highest fifth of all predictions (equal opportunity: Hardt, Price and Srebro,
    NeurIPS 2016). Where it happens more often to one group than to another, good models differ in the last (Chouldechova, Big
    Data 2017): it says how much, and whether that is too much is for people to say.
    """

    feature: str
    label: str
    measure: Measure
    rows: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """A group's name, the rows that are its own, and of which customer each row is."""

    feature: str
    label: str
    mine: Flags
    customer: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimate:
    group: _Group
    measure: Measure
    value: float
    error: float


def apart(tested: Predicted) -> tuple[Apart, ...]:
    """Every group of every slice beside the others, wherever both have enough rows: 30, and 20 of either kind for the AUC and
    the selection. The intervals of one measure hold all at once with 95% (Bonferroni).
    """
    known = tested.of(np.isfinite(tested.said))
    groups = [
        _Group(feature=feature, label=str(label), mine=labels == label, customer=known.customer)
        for feature, labels in known.slices.items()
        for label in np.unique(labels)
    ]
    found = [estimate for group in groups for estimate in _estimates(known, group)]
    return tuple(
        Apart(
            feature=one.group.feature,
            label=one.group.label,
            measure=one.measure,
            rows=int(one.group.mine.sum()),
            value=one.value,
            low=one.value - reach * one.error,
            high=one.value + reach * one.error,
        )
        for one in found
        for reach in [NormalDist().inv_cdf(1 - (1 - LEVEL) / (2 * sum(one.measure == other.measure for other in found)))]
    )


def _estimates(tested: Predicted, group: _Group) -> Iterator[_Estimate]:
    both = (group.mine, ~group.mine)
    if min(int(part.sum()) for part in both) < FEWEST:
        return
    yield _of_calibration(tested, group, both)
    happened = tested.seen > 0
    fewest = min(int((part & kind).sum()) for part in both for kind in (happened, ~happened))
    if tested.amounts or fewest < FEWEST_OF_EITHER:
        return
    (mine, my_terms), (theirs, their_terms) = (_auc(tested.said, happened, part) for part in both)
    yield _Estimate(group=group, measure="auc", value=mine - theirs, error=_error(my_terms - their_terms, group.customer))
    highest = tested.said >= np.quantile(tested.said, 1 - SELECTED)
    chosen = _of_means("selection", highest.astype(np.float64), group, (group.mine & happened, ~group.mine & happened))
    # all or none of a few rows vary in nothing: one more of either kind keeps that from looking certain (Agresti and Caffo,
    # The American Statistician 2000)
    shares = [(float(highest[part & happened].sum()) + 1, float((part & happened).sum()) + 2) for part in both]
    least = sqrt(sum(some / all_ * (1 - some / all_) / all_ for some, all_ in shares))
    yield replace(chosen, error=max(chosen.error, least))


def _of_calibration(tested: Predicted, group: _Group, both: tuple[Flags, Flags]) -> _Estimate:
    found = _of_means("calibration", tested.so_far - tested.seen, group, both)
    if tested.amounts:
        return found
    # where it happened to nobody of a group, what was seen varies in nothing; what was said tells how much it might have
    chance = tested.so_far * (1 - tested.so_far)
    least = sqrt(sum(float(chance[part].sum()) / int(part.sum()) ** 2 for part in both))
    return replace(found, error=max(found.error, least))


def _of_means(measure: Measure, values: Floats, group: _Group, parts: tuple[Flags, Flags]) -> _Estimate:
    """The mean over the first part less that over the second."""
    terms = np.zeros(len(values))
    means = []
    for sign, part in zip((1, -1), parts, strict=True):
        means.append(float(values[part].mean()))
        terms[part] = sign * (values[part] - means[-1]) / part.sum()
    return _Estimate(group=group, measure=measure, value=means[0] - means[1], error=_error(terms, group.customer))


def _auc(said: Floats, happened: Flags, part: Flags) -> tuple[float, Floats]:
    """The AUC within a part, and by how much each row (n,) moves it."""
    ups, downs = np.flatnonzero(part & happened), np.flatnonzero(part & ~happened)
    beaten, beating = _shares_below(said[ups], said[downs]), 1 - _shares_below(said[downs], said[ups])
    area = float(beaten.mean())
    terms = np.zeros(len(said))
    terms[ups], terms[downs] = (beaten - area) / len(ups), (beating - area) / len(downs)
    return area, terms


def _shares_below(scores: Floats, others: Floats) -> Floats:
    """For each score the share of the others below it, ties counting half."""
    ordered = np.sort(others)
    return np.asarray((np.searchsorted(ordered, scores) + np.searchsorted(ordered, scores, side="right")) / 2 / len(ordered))


def _error(terms: Floats, customer: NDArray[np.int64]) -> float:
    """The standard error of a sum of terms (n,) that add up to 0, those of a customer together."""
    _, who = np.unique(customer, return_inverse=True)
    sums = np.bincount(who, weights=terms)
    return sqrt(float(sums @ sums) * len(sums) / max(1, len(sums) - 1))
