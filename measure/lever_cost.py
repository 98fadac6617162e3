"""What a lever costs: past decisions decided again with the lever at 1, and what would have been chosen instead.

By the engine's own belief: how often the choice moved, and the expected priority (above its threshold, without any lever)
that was given away. By what happened: the margin of successes that the choice without the lever would have had, from the
logged choices, each weighed by how much likelier it would have been (inverse propensity: Horvitz and Thompson 1952; Bottou
et al., JMLR 2013). Customers are the units: a mean a decision is a ratio of sums over customers (the delta method).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from measure.difference import Floats
from measure.sequential import Interval, freedom_of, interval

FEWEST = 100
"""Customers, and decisions' worth of effective sample, below which nothing is said."""
FEWEST_SUCCESSES = 10
MOST_UNSEEN = 0.01
"""The probability that the choice without the lever may put on what the logged choice could never have chosen."""


class Replayed(Protocol):
    """Decisions made again with one lever at 1, (n,) each; see `features.levers.Replayed`."""

    @property
    def lever(self) -> str: ...
    @property
    def customers(self) -> NDArray[np.int64]: ...
    @property
    def changed(self) -> NDArray[np.bool_]:
        """Whether the same draw now falls on something else."""

    @property
    def moved(self) -> Floats:
        """The total variation between both distributions: the least share of draws that must come out otherwise."""

    @property
    def given_away(self) -> Floats:
        """Expected priority above its threshold without the lever, less that with it; both without any lever's own factor."""

    @property
    def weight(self) -> Floats:
        """How much likelier what was chosen is without the lever."""

    @property
    def unseen(self) -> Floats:
        """The probability, without the lever, of what could not be chosen with it."""

    @property
    def margin(self) -> Floats:
        """What the logged choice brought: the margin of its success, 0 without one; NaN while its window is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverCost:
    """Means a decision over `decisions` of `customers`, each with its intervals; None with the reason in `refused`.

    `changed` and `moved` are shares, `given_away` is in currency, `margin` the margin a decision that the choice without the
    lever would have had more than that with it, over decisions whose window is over; `ess` is its effective sample size.
    """

    lever: str
    decisions: int
    customers: int
    changed: Interval | None = None
    moved: Interval | None = None
    given_away: Interval | None = None
    refused: str | None = None
    margin: Interval | None = None
    ess: float = 0.0
    margin_refused: str | None = None

    def lines(self) -> Iterator[str]:
        yield f"  {self.lever}: {self.decisions:,} decisions of {self.customers:,} customers"
        if self.changed is None or self.moved is None or self.given_away is None:
            yield f"    refused: {self.refused}"
            return
        yield f"    changes the choice in     {_told(self.changed, '.2%')} of decisions"
        yield f"    and by the probabilities  {_told(self.moved, '.2%')} at least"
        yield f"    gives away, by belief     {_told(self.given_away, '+.4f')} a decision"
        if self.margin is None:
            yield f"    by what happened          refused: {self.margin_refused}"
        else:
            yield f"    gives away, by outcomes   {_told(self.margin, '+.4f')} a decision, effective sample {self.ess:,.0f}"


def lever_cost(replayed: Replayed, *, level: float = 0.95) -> LeverCost:
    customers = len(np.unique(replayed.customers))
    told = LeverCost(lever=replayed.lever, decisions=len(replayed.customers), customers=customers)
    if customers < FEWEST:
        return replace(told, refused=f"{customers} customers, and at least {FEWEST} are needed")
    told = replace(
        told,
        changed=_mean(replayed.changed.astype(np.float64), replayed.customers, level),
        moved=_mean(replayed.moved, replayed.customers, level),
        given_away=_mean(replayed.given_away, replayed.customers, level),
    )
    over = np.isfinite(replayed.margin)
    weight, margin, of = replayed.weight[over], replayed.margin[over], replayed.customers[over]
    ess = float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0
    told = replace(told, ess=ess)
    if (why := _silent(replayed, over, ess)) is not None:
        return replace(told, margin_refused=why)
    # the mean of weight - 1 is 0, so that taking off the mean margin takes off noise alone
    return replace(told, margin=_mean((weight - 1) * (margin - margin.mean()), of, level))


def _silent(replayed: Replayed, over: NDArray[np.bool_], ess: float) -> str | None:
    """Why what happened cannot tell."""
    margin, unseen = replayed.margin[over], replayed.unseen[over]
    successes, customers = int((margin != 0).sum()), len(np.unique(replayed.customers[over]))
    if customers < FEWEST:
        return f"the windows of {customers} customers are over, and at least {FEWEST} are needed"
    if successes < FEWEST_SUCCESSES:
        return f"{successes} successes, and at least {FEWEST_SUCCESSES} are needed"
    if unseen.mean() > MOST_UNSEEN:
        return f"without the lever {unseen.mean():.1%} of choices would fall on what was never chosen; explore more"
    if ess < FEWEST:
        return f"the choices differ too much: an effective sample of {ess:.0f} decisions, and at least {FEWEST} are needed"
    return None


def _mean(values: Floats, customers: NDArray[np.int64], level: float) -> Interval:
    """The mean of values (n,), with customers as units."""
    _, of = np.unique(customers, return_inverse=True)
    sums, counts = np.bincount(of, weights=values), np.bincount(of)
    mean = float(sums.sum() / counts.sum())
    spread = (sums - mean * counts) / counts.mean()
    variance = float(spread.var(ddof=1)) / len(counts)
    return interval(mean, variance**0.5, units=len(counts), freedom=freedom_of([(variance, spread)]), level=level)


def _told(found: Interval, form: str) -> str:
    always = f"[{found.always_low:{form}}, {found.always_high:{form}}]"
    return f"{found.estimate:{form}} [{found.low:{form}}, {found.high:{form}}], always {always}"
