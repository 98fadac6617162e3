"""What all of this is worth: customers with decisions of their own beside those who by chance get what everybody gets.

A customer is one observation: what they did in a time of the same length for all, from their first decision on, whatever
group they were moved to later. They count once that time is over, so that a later look adds customers and changes none: that
is what makes the always-valid intervals valid. Where the log cannot say, a line is refused, with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from measure.difference import Floats, Sample, difference
from measure.lever_cost import Replayed, lever_cost
from measure.lift_report import Counted, LiftReport, Line
from measure.sample_ratio import THRESHOLD, sample_ratio
from measure.sequential import interval

GROUPS = ("treatment", "control", "random")
CONTRASTS = (("treatment", "control"), ("random", "control"), ("treatment", "random"))
"""What deciding is worth, what messages at random are worth, and what choosing among them adds."""

FEWEST = 100
"""Customers of a group below which nothing is said of it: a mean of fewer is not normal enough."""
FEWEST_APART = 10
"""Customers of a group whose value is not the commonest one, below which its mean hangs on too few."""

_ALL = "all"
_NOTES = (
    "a customer's time begins with their first decision, and segments are those they were in then",
    "who is made no offer, as in the control group, has no success outcome: what successes are worth, the events tell",
    "answers to questions are compared only where both groups answer as often",
    "the intervals of the segments of one split hold together",
)


class Metric(Protocol):
    """One thing measured of every customer; see `features.trial.Metric`."""

    @property
    def name(self) -> str: ...
    @property
    def values(self) -> Floats:
        """(n,), NaN for customers of whom it is not asked."""

    @property
    def rises(self) -> bool:
        """Whether more of it is better."""

    @property
    def answered(self) -> bool:
        """Whether only customers who answered have it: who answers may itself depend on the group."""

    @property
    def possible(self) -> NDArray[np.bool_] | None:
        """(n,) where it could be anything but 0; None: everywhere."""


class Trial(Protocol):
    """What the log says of a trial; see `features.trial.Trial`. Customers stand in the order in which they came in."""

    @property
    def group(self) -> NDArray[np.int64]:
        """(n,) positions in GROUPS."""

    @property
    def closed(self) -> NDArray[np.bool_]:
        """(n,) whether the customer's time is over."""

    @property
    def before(self) -> Floats:
        """(n, k) what they did before their first decision ever."""

    @property
    def metrics(self) -> Sequence[Metric]: ...
    @property
    def splits(self) -> Mapping[str, Sequence[str]]:
        """By split, the segment (n,) that each customer was in when they came in."""

    @property
    def shares(self) -> Mapping[str, float]:
        """The declared share of each group."""

    @property
    def since(self) -> datetime: ...
    @property
    def counted(self) -> Mapping[str, int]:
        """What was left out, in words."""


class Levers(Protocol):
    """Decisions made again with levers at 1; see `features.levers.Levers`."""

    @property
    def replayed(self) -> Sequence[Replayed]: ...
    @property
    def faults(self) -> int: ...


def report(trial: Trial, levers: Levers, *, until: datetime, days: float, level: float = 0.95) -> LiftReport:
    """All that can be said of a trial whose customers each have so many days, and of the levers."""
    ratio = sample_ratio(trial.group, GROUPS, [trial.shares[name] for name in GROUPS])
    return LiftReport(
        since=trial.since,
        until=until,
        days=days,
        level=level,
        customers=_counted(trial),
        sample_ratio=ratio,
        differences=tuple(lines(trial, level=level)),
        levers=tuple(lever_cost(one, level=level) for one in levers.replayed),
        counted={**trial.counted, "decisions that could not be made again": levers.faults},
        notes=_NOTES
        if levers.replayed
        else (*_NOTES, "no decision that was made again had an action with a lever other than 1"),
    )


def lines(trial: Trial, *, level: float = 0.95) -> list[Line]:
    """Every metric for every contrast over all customers, then treatment beside control by segment.

    The intervals of the segments of one split hold together with probability `level`: each is as much wider.
    """
    whole = np.ones(len(trial.group), dtype=np.bool_)
    told = list(_lines(trial, whole, split=_ALL, segment="", level=level, among=1))
    for split, segments in trial.splits.items():
        of = np.asarray(segments, dtype=object)
        names = sorted(set(segments))
        for name in names if len(names) > 1 else ():
            told += _lines(trial, of == name, split=split, segment=name, level=level, among=len(names))
    return told


def _counted(trial: Trial) -> Counted:
    """How many customers each group has, and of how many the time is over."""
    of = {name: trial.group == at for at, name in enumerate(GROUPS)}
    return Counted(
        customers={name: int(mine.sum()) for name, mine in of.items()},
        closed={name: int((mine & trial.closed).sum()) for name, mine in of.items()},
    )


def _lines(trial: Trial, chosen: NDArray[np.bool_], *, split: str, segment: str, level: float, among: int) -> Iterator[Line]:
    """Of one segment `among` so many: all must hold together, so each is held to as much more."""
    shares, level = [trial.shares[name] for name in GROUPS], 1 - (1 - level) / among
    found = sample_ratio(trial.group[chosen], GROUPS, shares, threshold=THRESHOLD / among)
    mismatch = None
    if not found.holds:
        mismatch = (
            f"the groups are not as large as declared here ({found.line()}): find out who is lost or asked for, for what "
            f"compares such groups compares other things too"
        )
    for metric in trial.metrics:
        for one, other in CONTRASTS if split == _ALL else CONTRASTS[:1]:
            line = Line(metric=metric.name, one=one, other=other, split=split, segment=segment, rises=metric.rises)
            lacking = next((name for name in (one, other) if trial.shares[name] == 0), None)
            if lacking is not None:
                yield line.refuse(f"policy.yaml declares no {lacking} group; write groups: {{{lacking}: 0.05}} and publish it")
            elif mismatch is not None:
                yield line.refuse(mismatch)
            else:
                yield _compared(trial, metric, chosen & trial.closed, line, level)


def _compared(trial: Trial, metric: Metric, chosen: NDArray[np.bool_], line: Line, level: float) -> Line:
    """The line with its numbers, or refused."""
    here = [chosen & (trial.group == GROUPS.index(name)) for name in (line.one, line.other)]
    has = [mine & np.isfinite(metric.values) for mine in here]
    line = line.of(*(int(mine.sum()) for mine in has))
    names = (line.one, line.other)
    for name, mine in zip(names, has, strict=True):
        if (why := _too_little(metric, mine)) is not None:
            return line.refuse(f"{why} in {name}")
    if metric.answered and (why := _other_answerers(here, has)) is not None:
        return line.refuse(why)
    one, other = (Sample(values=metric.values[mine], before=trial.before[mine]) for mine in has)
    found = difference(one, other)
    return line.measured(
        means=(one.mean, other.mean),
        found=interval(found.estimate, found.standard_error, units=one.size + other.size, freedom=found.freedom, level=level),
        reduction=found.reduction,
    )


def _too_little(metric: Metric, mine: NDArray[np.bool_]) -> str | None:
    count = int(mine.sum())
    if count < FEWEST:
        whose = "who answered and whose time is over" if metric.answered else "whose time is over"
        return f"{count} customers {whose}, and at least {FEWEST} are needed,"
    if metric.possible is not None and not metric.possible[mine].any():
        return None  # zero for certain: nobody there could have had any
    apart = count - int(np.unique(metric.values[mine], return_counts=True)[1].max())
    if apart < FEWEST_APART:
        same = f"all but {apart} of {count}" if apart else f"all {count}"
        return f"{same} customers have the same value, and at least {FEWEST_APART} others are needed,"
    return None


def _other_answerers(here: Sequence[NDArray[np.bool_]], has: Sequence[NDArray[np.bool_]]) -> str | None:
    """Why answers do not compare: one group answers more than the other, so that others answer."""
    asked, answers = ([int(mine.sum()) for mine in masks] for masks in (here, has))
    share, other = (count / of for count, of in zip(answers, asked, strict=True))
    error = np.sqrt(share * (1 - share) / asked[0] + other * (1 - other) / asked[1])
    if interval(share - other, float(error), units=sum(asked)).says == 0:
        return None
    return f"{share:.1%} answer in one group and {other:.1%} in the other: others answer, so answers do not compare"
