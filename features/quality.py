"""Is a build fit to be used? Shares of missing values, ranges, freshness and drift, measured and held against the bounds.

The bounds stand in profile.yaml, none is made up here. Drift is the population stability index (PSI) of each feature against
the last accepted build: the sum over bins of (now - then) ln(now / then), where the bins are the tenths of that build and
one for missing values. As credit scoring reads it: below 0.1 nothing moved, above 0.25 the customers are others. Between
two small groups of one kind it is larger by chance alone: a bound is broken only beyond what chance explains.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from features.builds import FeatureStoreError
from features.decay import DAY_US
from features.schema import ProfileSpec

_TENTHS = np.arange(0.1, 1.0, 0.1)
_NORMAL_99 = 2.3263478740408408
"""99 of 100 draws from the normal distribution are below it."""
_LEAST_SHARE = 1e-4
"""A bin that nobody is in counts as this share, or one new value would be an infinite drift."""


class QualityError(FeatureStoreError):
    """A build broke a bound: it is not used, the last good one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """`shares` of the customers: missing, then in each bin between the rising `cuts` (a value at a cut is above it)."""

    cuts: tuple[float, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureQuality:
    """`null_rate` is the share of the log's customers without a value; `lowest` and `highest` are None where all are.

    `psi` is None where the last accepted build did not have the feature.
    """

    name: str
    view: str
    type: str
    unit: str
    owner: str
    null_rate: float
    lowest: float | None
    highest: float | None
    psi: float | None
    distribution: Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewQuality:
    """`age_days` is the age of the newest record or row in it when the log ended; None where it is empty."""

    name: str
    age_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """`until` is when the last record of the build became known (UTC, ISO 8601): ages and values are as of then.

    `faults` name feature, number and bound. `against` is the accepted build that drift is measured from.
    """

    stamp: str
    until: str
    customers: int
    against: str | None
    views: tuple[ViewQuality, ...]
    features: tuple[FeatureQuality, ...]
    faults: tuple[str, ...] = ()


def measured(
    spec: ProfileSpec,
    values: NDArray[np.float32],
    newest_us: Mapping[str, int | None],
    *,
    stamp: str,
    until: str,
    until_us: int,
    accepted: Quality | None,
) -> Quality:
    """`values` (n, F) are the newest profiles (see `snapshot`), `newest_us` the time of the newest record of each view."""
    then = {one.name: one.distribution for one in accepted.features} if accepted and accepted.customers else {}
    earlier = accepted.customers if accepted else 0
    fewer, features = min(earlier, len(values)), []
    for entry, column in zip(spec.entries, values.T, strict=True):
        known = column[~np.isnan(column)].astype(np.float64)
        before = then.get(entry.name)
        features.append(
            FeatureQuality(
                name=entry.name,
                view=entry.view,
                type=entry.spec.type,
                unit=entry.unit,
                owner=entry.owner,
                null_rate=1.0 - len(known) / len(column) if len(column) else 0.0,
                lowest=float(known.min()) if len(known) else None,
                highest=float(known.max()) if len(known) else None,
                psi=psi(before, _spread(column, before.cuts), fewer) if before is not None and len(column) else None,
                distribution=_spread(column, _tenths(known)),
            )
        )
    ages = {name: None if moment is None else (until_us - moment) / DAY_US for name, moment in newest_us.items()}
    found = Quality(
        stamp=stamp,
        until=until,
        customers=len(values),
        against=accepted.stamp if accepted else None,
        views=tuple(ViewQuality(name=name, age_days=age) for name, age in ages.items()),
        features=tuple(features),
    )
    # a log without customers breaks no bound: there is nothing to judge yet
    return replace(found, faults=tuple(_faults(spec, found, earlier))) if len(values) else found


def psi(then: Distribution, now: Distribution, customers: int | None = None) -> float:
    """The population stability index of two distributions with the same cuts; 0 where they are equal.

    `customers` are those of the smaller group: an empty bin counts as half a customer there.
    """
    least = max(_LEAST_SHARE, 0.5 / customers) if customers else _LEAST_SHARE
    a, b = (np.maximum(np.array(one.shares), least) for one in (then, now))
    return float(np.sum((b - a) * np.log(b / a)))


def by_chance(one: int, other: int) -> float:
    """What the index stays below in 99 of 100 pairs of samples of `one` and `other` customers drawn from the same.

    It is distributed as chi-square with a degree of freedom less than there are bins, times 1/one + 1/other (Yurdakul and
    Naranjo, 2020); the quantile is that of Wilson and Hilferty (1931).
    """
    free = len(_TENTHS) + 1
    quantile = free * (1.0 - 2.0 / (9.0 * free) + _NORMAL_99 * sqrt(2.0 / (9.0 * free))) ** 3
    return quantile * (1.0 / one + 1.0 / other)


def _tenths(known: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.unique(np.quantile(known, _TENTHS)).tolist()) if len(known) else ()


def _spread(column: NDArray[np.float32], cuts: tuple[float, ...]) -> Distribution:
    missing = np.isnan(column)
    bins = np.searchsorted(np.array(cuts), column[~missing].astype(np.float64), side="right")
    counts = [int(missing.sum()), *np.bincount(bins, minlength=len(cuts) + 1).tolist()]
    return Distribution(cuts=cuts, shares=tuple(count / max(len(column), 1) for count in counts))


def _faults(spec: ProfileSpec, found: Quality, earlier: int) -> Iterator[str]:
    """`earlier` is the number of customers of the accepted build."""
    chance = by_chance(found.customers, earlier) if earlier else 0.0
    for view in found.views:
        bound = spec.views[view.name].max_age
        if bound is not None and (view.age_days is None or view.age_days > bound / timedelta(days=1)):
            age = "it has no record" if view.age_days is None else f"its newest record is {view.age_days:.1f} days old"
            yield f"view {view.name}: {age}, max_age is {bound / timedelta(days=1):g} days"
    for entry, one in zip(spec.entries, found.features, strict=True):
        if entry.max_null is not None and one.null_rate > entry.max_null:
            yield f"{one.name}: {one.null_rate:.1%} of the customers have no value, max_null is {entry.max_null:.1%}"
        lowest, highest = entry.spec.range or (-np.inf, np.inf)
        if one.lowest is not None and one.lowest < lowest:
            yield f"{one.name}: the lowest value is {one.lowest:g}, range begins at {lowest:g}"
        if one.highest is not None and one.highest > highest:
            yield f"{one.name}: the highest value is {one.highest:g}, range ends at {highest:g}"
        if entry.max_psi is not None and one.psi is not None and one.psi > max(entry.max_psi, chance):
            yield f"{one.name}: PSI {one.psi:.2f} against build {found.against}, max_psi is {entry.max_psi:g}"
