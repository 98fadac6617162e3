"""What `kairos drift` tells: frozen values, for a person as lines and for a machine as they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Verdict = Literal["retrain", "watch", "ok", "unknown"]
Kind = Literal["feature", "prediction", "calibration", "choice", "action", "context", "champion"]

WORST_FIRST: tuple[Verdict, ...] = ("retrain", "watch", "unknown", "ok")
MEANS: Mapping[Verdict, str] = {
    "retrain": "retrain: models no longer fit what they are asked about; train, evaluate and promote",
    "watch": "watch: something moved, or is not covered; look at what stands first before training again",
    "ok": "ok: nothing moved by more than chance, or by enough to matter",
    "unknown": "unknown: too little is known to say anything",
}
_SHOWN = 40
_SHARES = ("possible", "nothing", "empty", "change")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Of one bin: the shares of decisions in it before and now."""

    bin: str
    before: float
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: `number` in `unit`, with its 95% interval where it has one.

    `bound` is what the number stays within without any drift, held over all findings of its kind together; `p` is how often
    chance alone gives a number as far out, None where nothing is left to chance. `sizes` are rows before and now.
    `strength` orders findings of one verdict: 1 is where models should be trained again.
    """

    kind: Kind
    subject: str
    verdict: Verdict
    reason: str
    number: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    bound: float | None = None
    p: float | None = None
    sizes: tuple[int, int] = (0, 0)
    strength: float = 0.0
    shares: tuple[Share, ...] = ()

    def line(self) -> str:
        return f"{self.verdict:<8} {self.kind:<12} {self.subject:<40} {self.said():<34} {self.reason}"

    def said(self) -> str:
        """The number with what belongs to it."""
        if self.number is None:
            return ""
        said = _share if self.unit in _SHARES else _short
        interval = "" if self.low is None or self.high is None else f" [{said(self.low)}, {said(self.high)}]"
        bound = "" if self.bound is None else f" (chance: to {said(self.bound)})"
        return f"{self.unit} {said(self.number)}{interval}{bound}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Messages whose window ended in the week from `since`: the share `observed`, its 95% interval, beside the `expected`."""

    since: datetime
    model: str
    shows: int
    expected: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One of the periods that were compared, and how many decisions it has."""

    since: datetime
    until: datetime
    decisions: int
    read: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """The whole answer, the worst first. `first` is what the champion's predictions are compared with.

    `level` is the probability, at most, that any alarm of features, predictions or calibration is false.
    """

    verdict: Verdict
    because: str
    bundle: str | None
    recent: Span
    reference: Span
    first: Span
    level: float
    findings: tuple[Finding, ...]
    weeks: tuple[Week, ...]
    left_out: Mapping[str, int]
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"verdict   {MEANS[self.verdict]}"
        yield f"because   {self.because}"
        for name, span in (("recent", self.recent), ("reference", self.reference), ("first", self.first)):
            yield (
                f"{name:<9} {span.since:%Y-%m-%d} to {span.until:%Y-%m-%d}: {span.decisions:,} decisions, {span.read:,} read "
                f"({span.why})"
            )
        yield f"champion  {self.bundle or 'none'}"
        yield from (f"left out  {count:,} {what}" for what, count in self.left_out.items() if count)
        shown = [one for one in self.findings if one.verdict != "ok"]
        fine = [one for one in self.findings if one.verdict == "ok"]
        yield from (one.line() for one in (*shown, *fine)[: max(_SHOWN, len(shown))])
        if (more := len(self.findings) - max(_SHOWN, len(shown))) > 0:
            yield f"and {more:,} more that are ok; --json or --out tell them all"
        if self.weeks:
            yield "week from    model                    shows  expected  observed"
        for week in self.weeks:
            yield (
                f"{week.since:%Y-%m-%d}   {week.model:<22} {week.shows:>7,}  {week.expected:>8.4f}  {week.observed:>8.4f} "
                f"[{week.low:.4f}, {week.high:.4f}]"
            )
        yield from (f"note      {note}" for note in self.notes)


def _share(number: float) -> str:
    return f"{number:.1%}"


def _short(number: float) -> str:
    return f"{number:.3g}" if abs(number) < 1000 else f"{number:,.0f}"
