"""What `kairos lift` tells: frozen values, for a person as lines and for a machine as they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from measure.lever_cost import LeverCost
from measure.sample_ratio import SampleRatio
from measure.sequential import Interval

_VERDICTS = {0: "no difference seen", 1: "better", -1: "worse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Customers by group, and those whose time is over."""

    customers: Mapping[str, int]
    closed: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One metric, the group `one` less the group `other`, among the customers of a segment (`split` all: among all).

    `sizes` and `means` are of the two groups. `reduction` is the share of the variance that the adjustment for what
    customers did before took away, 0 where it was not made. `verdict` is better, worse or no difference seen, by the interval
    that may be looked at always; `refused` says why there are no numbers.
    """

    metric: str
    one: str
    other: str
    split: str
    segment: str
    rises: bool
    sizes: tuple[int, int] = (0, 0)
    means: tuple[float, float] | None = None
    found: Interval | None = None
    reduction: float = 0.0
    verdict: str = "refused"
    refused: str | None = None

    def of(self, one: int, other: int) -> "Line":
        return replace(self, sizes=(one, other))

    def refuse(self, why: str) -> "Line":
        return replace(self, refused=why)

    def measured(self, *, means: tuple[float, float], found: Interval, reduction: float) -> "Line":
        verdict = _VERDICTS[found.says if self.rises else -found.says]
        return replace(self, means=means, found=found, reduction=reduction, verdict=verdict)

    def line(self) -> str:
        who = f"{self.one} - {self.other}"
        if self.found is None or self.means is None:
            return f"  {self.metric:<28} {who:<20} refused: {self.refused}"
        found = self.found
        return (
            f"  {self.metric:<28} {who:<20} {self.means[0]:>9.4f} {self.means[1]:>9.4f} {found.estimate:>+9.4f}  "
            f"[{found.low:+.4f}, {found.high:+.4f}]  [{found.always_low:+.4f}, {found.always_high:+.4f}]  {self.verdict}"
            + (f" (variance -{self.reduction:.0%})" if self.reduction else "")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftReport:
    """The whole answer. `since` is when the trial began, `until` the engine's now; `days` is every customer's time.

    `counted` says what was left out."""

    since: datetime
    until: datetime
    days: float
    level: float
    customers: Counted
    sample_ratio: SampleRatio
    differences: tuple[Line, ...]
    levers: tuple[LeverCost, ...]
    counted: Mapping[str, int]
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"trial     {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}, {self.days:g} days a customer"
        sizes = (f"{name} {count:,} ({self.customers.closed[name]:,} over)" for name, count in self.customers.customers.items())
        yield f"customers {', '.join(sizes)}"
        yield f"ratio     {self.sample_ratio.line()}"
        yield from (f"left out  {count:,} {what}" for what, count in self.counted.items() if count)
        yield (
            f"means of both groups, their difference, {self.level:.0%} interval for one look, {self.level:.0%} interval for as "
            f"many looks as you like, and what that one says"
        )
        for split in dict.fromkeys((line.split, line.segment) for line in self.differences):
            yield f"{' '.join(split).strip()}:"
            yield from (line.line() for line in self.differences if (line.split, line.segment) == split)
        if self.levers:
            yield "levers:"
            for lever in self.levers:
                yield from lever.lines()
        yield from (f"note      {note}" for note in self.notes)
