"""The decisions of a log by periods, as arrays: what models were told of customers, what they said, what could be chosen.

Two readings, a record at a time. The first counts decisions by day and finds when each bundle and each action came in; then
the periods are chosen (see `periods`). The second takes a sample of each period, whole customers by a hash of their name so
that all their decisions are in it, and counts what could be chosen in the last one.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisioning.chance import hashed
from decisioning.customer import FeatureIndex
from decisioning.domain import TrialGroup
from decisioning.errors import KairosError
from decisioning.rulebook import Plan, Rulebook
from features.bundle import meaning_of
from features.decay import DAY_US
from features.exports.choices import BEFORE, IMPORTED, UNKNOWN
from features.known import Known
from features.log import Log, Record
from features.log.inputs import REPLAYED_SINCE, profile_of, responses_of
from features.log.records import microseconds, moment
from features.offered import Offered, Tally

FEWEST = 200
"""Decisions in a period below which nothing is said of it."""
LONGEST = timedelta(days=90)
"""How far back from its end a period reaches that nobody gave a beginning."""

Floats = NDArray[np.float32]
Progress = Callable[[str, float], None]
RulebookOf = Callable[[str], Rulebook]


class WindowError(KairosError):
    """The log holds too little to compare; the text says what is missing, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `since` on, until `until`, that excluded; `why` says in words what it is."""

    since: datetime
    until: datetime
    why: str

    def holds(self, at_us: int) -> bool:
        return microseconds(self.since) <= at_us < microseconds(self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """`recent` is compared: with `reference` what customers are like, with `first` what the champion says of them."""

    recent: Period
    reference: Period
    first: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What the first reading found.

    `days` counts decisions by days since 1970 UTC; `began` is when the first decision by each bundle was made, `known` when
    the first by a catalog that has the action; `deciding` is the bundle of the newest decision, None where it had none.
    """

    days: Mapping[int, int]
    began: Mapping[str, datetime]
    known: Mapping[str, datetime]
    deciding: str | None

    def count(self, period: Period) -> int:
        """Decisions of the days of a period."""
        first, last = microseconds(period.since) // DAY_US, (microseconds(period.until) - 1) // DAY_US
        return sum(count for day, count in self.days.items() if first <= day <= last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A sample of n of the `decisions` of a period.

    `customers` (n,) are numbers, the same in every window. `profile` (n, F) holds the features of the index as they were
    when the decision was made, aged to then, NaN for missing; `defined` (n, F) tells where the feature was defined then as it
    is now. `series` are (n,) each, NaN where it does not apply: what the champion said, by model and group of actions, and
    whether nothing was chosen, by touchpoint.
    """

    period: Period
    decisions: int
    customers: NDArray[np.uint64]
    profile: Floats
    defined: NDArray[np.bool_]
    said: Mapping[str, Floats]
    nothing: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The windows of `Periods`, and what could be chosen in the recent one; `first` is `reference` where both are one."""

    recent: Window
    reference: Window
    first: Window
    offered: Offered
    left_out: Mapping[str, int]


def take_census(log: Log, rulebook_of: RulebookOf, *, progress: Progress) -> Census:
    """Raises WindowError for a log without a live decision."""
    days = Counter[int]()
    began, catalogs, deciding, last = dict[str, int](), dict[str, int](), None, max(1, log.last_sequence())
    for record in log.read(kinds=("decision",)):
        made = _usable(record, Counter())
        if made is None or made.inputs is None:
            continue
        at, deciding = microseconds(record.event_time), made.inputs.bundle
        days[at // DAY_US] += 1
        catalogs[made.inputs.catalog] = min(at, catalogs.get(made.inputs.catalog, at))
        if deciding is not None:
            began[deciding] = min(at, began.get(deciding, at))
        progress("counting decisions", record.sequence / last)
    if not days:
        raise WindowError(
            "the log holds no live decision; start 'kairos serve', ask it for decisions, and come back once there are some"
        )
    known = dict[str, int]()
    for version, at in catalogs.items():
        try:
            actions = rulebook_of(version).catalog.actions
        except KairosError:  # its decisions are left out, and counted, when they are read
            continue
        for action in actions:
            known[action.name] = min(at, known.get(action.name, at))
    return Census(
        days=days,
        began={bundle: moment(at) for bundle, at in began.items()},
        known={action: moment(at) for action, at in known.items()},
        deciding=deciding,
    )


def periods(census: Census, *, since: datetime, now: datetime, against: tuple[datetime, datetime] | None = None) -> Periods:
    """`since` to `now` is the recent period. The reference is `against` where it is given; else the time before the champion
    came in, which it learned from, else its first days, else the time before the recent period: the first that has enough
    decisions. What the champion says is compared with its first days.

    Raises WindowError where the recent period has too few decisions, or nothing to compare it with.
    """
    recent = Period(since=since, until=now, why="recent")
    if (count := census.count(recent)) < FEWEST:
        raise WindowError(
            f"{count} decisions since {since:%Y-%m-%d}, and at least {FEWEST} are needed; give an earlier --since, "
            f"or wait until more are made"
        )
    if against is not None:
        told = Period(since=against[0], until=against[1], why="as asked")
        if (count := census.count(told)) < FEWEST:
            raise WindowError(f"{count} decisions in --against, and at least {FEWEST} are needed; give a longer time")
        return Periods(recent=recent, reference=told, first=told)
    begun = census.began.get(census.deciding) if census.deciding else None
    before = Period(since=since - LONGEST, until=since, why="before the recent period")
    possible, first = [before], before
    if begun is not None:
        first = Period(since=begun, until=min(since, begun + (now - since)), why="the champion's first days")
        training = Period(
            since=begun - LONGEST, until=min(since, begun), why="before the champion came in, which it learned from"
        )
        possible = [training, first, before]
    for one in possible:
        if one.since < one.until and census.count(one) >= FEWEST:
            return Periods(recent=recent, reference=one, first=first if first.since < first.until else one)
    raise WindowError(
        f"there are fewer than {FEWEST} decisions before {since:%Y-%m-%d} to compare with; give a later --since, or name "
        f"a time with enough of them: --against 2026-01-01..2026-02-01"
    )


def read_windows(
    log: Log,
    rulebook_of: RulebookOf,
    index: FeatureIndex,
    chosen: Periods,
    *,
    champion: str | None,
    most: int,
    progress: Progress,
) -> Windows:
    """Of each period a sample of at most `most` decisions; `index` gives the columns, `champion` the bundle to listen to."""
    reading = _Reading(rulebook_of=rulebook_of, index=index, champion=champion)
    names, salt, last = Known(log.links()).last(), log.setting("salt") or "", max(1, log.last_sequence())
    samples = {
        period: _Sample(period=period, most=most) for period in dict.fromkeys((chosen.recent, chosen.reference, chosen.first))
    }
    tally, left_out = Tally(), Counter[str]()
    for record in log.read(kinds=("decision",)):
        progress("reading decisions", record.sequence / last)
        at = microseconds(record.event_time)
        mine = [sample for period, sample in samples.items() if period.holds(at)]
        made = _usable(record, left_out) if mine else None
        if made is None or made.inputs is None:
            continue
        if (plan := reading.plan(made)) is None:
            left_out[UNKNOWN] += 1
            continue
        if chosen.recent.holds(at) and made.group != "control":
            tally.take(plan, made.journey_stage, made.units, [(one.kind, one.action) for one in made.results])
        name = names.get(record.customer_id or "", record.customer_id or "")
        for sample in mine:
            sample.take(made, hashed(salt, "drift", name), reading)
    read = {period: sample.finished(reading) for period, sample in samples.items()}
    return Windows(
        recent=read[chosen.recent],
        reference=read[chosen.reference],
        first=read[chosen.first],
        offered=tally.offered(),
        left_out=left_out,
    )


class _Offer(msgspec.Struct):
    kind: str
    action: str | None = None


class _Inputs(msgspec.Struct):
    catalog: str
    profile: str
    response: str
    assumed: str
    customer: dict[str, float]
    bundle: str | None


class _Decision(msgspec.Struct):
    """What of a decision counts here; older versions of records have no inputs."""

    origin: str
    touchpoint: str
    results: list[_Offer]
    journey_stage: str = ""
    group: TrialGroup = "treatment"
    units: list[int] = msgspec.field(default_factory=list)
    inputs: _Inputs | None = None


_DECODER = msgspec.json.Decoder(_Decision)


def _usable(record: Record, left_out: Counter[str]) -> _Decision | None:
    """None for decisions that were imported or hold too little, which are counted."""
    if record.version < REPLAYED_SINCE:
        left_out[BEFORE] += 1
        return None
    made = _DECODER.decode(record.payload)
    if made.origin != "live":
        left_out[IMPORTED] += 1
        return None
    return made


@dataclass(slots=True, kw_only=True)
class _Reading:
    """How decisions of each version of the catalog are read."""

    rulebook_of: RulebookOf
    index: FeatureIndex
    champion: str | None
    rulebooks: dict[str, Rulebook | None] = field(default_factory=dict)
    positions: dict[str, NDArray[np.intp]] = field(default_factory=dict)
    models: dict[tuple[str, str], Mapping[str, Sequence[int]]] = field(default_factory=dict)

    def plan(self, made: _Decision) -> Plan | None:
        """None where the version of the catalog cannot be read."""
        version = made.inputs.catalog if made.inputs else ""
        if version not in self.rulebooks:
            try:
                self.rulebooks[version] = self.rulebook_of(version)
            except KairosError:
                self.rulebooks[version] = None
        rulebook = self.rulebooks[version]
        return None if rulebook is None else rulebook.plans.get(made.touchpoint)

    def where(self, version: str) -> NDArray[np.intp]:
        """(F,): where a version's profile has each feature of the index, -1 where it has none of this meaning."""
        if version not in self.positions:
            rulebook = self.rulebooks[version]
            there = rulebook.index if rulebook else FeatureIndex(())
            self.positions[version] = np.array(
                [
                    there.positions[one.name]
                    if one.name in there.positions and meaning_of(there[one.name]) == meaning_of(one)
                    else -1
                    for one in self.index.features
                ],
                dtype=np.intp,
            )
        return self.positions[version]

    def said(self, made: _Decision) -> dict[str, float]:
        """What the champion said: the mean response of each group of actions by model, and what it says of the customer."""
        if made.inputs is None or made.inputs.bundle is None or made.inputs.bundle != self.champion:
            return {}
        key = made.inputs.catalog, made.touchpoint
        if key not in self.models:
            self.models[key] = _by_model(self.plan(made))
        response, assumed = responses_of(made.inputs.response, made.inputs.assumed)
        found = dict(made.inputs.customer)
        for name, at in self.models[key].items():
            places = [place for place in at if not assumed[place]]
            if places:
                found[name] = float(response[places].mean())
        return found


def _by_model(plan: Plan | None) -> dict[str, list[int]]:
    found = dict[str, list[int]]()
    for at, action in enumerate(plan.actions if plan else ()):
        if action.response.model is not None:
            found.setdefault(f"{action.response.model} of {action.group} at {plan.touchpoint.name if plan else ''}", []).append(
                at
            )
    return found


@dataclass(slots=True, kw_only=True)
class _Sample:
    """Whole customers, those of the smallest hashes, as many as have at most `most` decisions.

    Where there are more, customers above half of the largest hash go (Gibbons, Distinct sampling, VLDB 2001).
    """

    period: Period
    most: int
    decisions: int = 0
    below: int = 1 << 40
    rows: list[tuple[int, str, Floats, dict[str, float], str, float]] = field(default_factory=list)

    def take(self, made: _Decision, customer: int, reading: _Reading) -> None:
        self.decisions += 1
        if customer >= self.below or made.inputs is None:
            return
        nothing = np.nan if made.group == "control" else float(made.results[0].kind == "nothing") if made.results else np.nan
        values = profile_of(made.inputs.profile)
        self.rows.append((customer, made.inputs.catalog, values, reading.said(made), made.touchpoint, nothing))
        while len(self.rows) > self.most:
            fewer = [row for row in self.rows if row[0] < self.below // 2]
            if not fewer:  # a single customer can have more than all that is to be kept
                self.rows.pop()
                return
            self.below, self.rows = self.below // 2, fewer

    def finished(self, reading: _Reading) -> Window:
        count, width = len(self.rows), len(reading.index)
        profile, defined = np.full((count, width), np.nan, dtype=np.float32), np.zeros((count, width), dtype=np.bool_)
        said, nothing = dict[str, Floats](), dict[str, Floats]()
        for at, (_, version, values, predictions, touchpoint, was_nothing) in enumerate(self.rows):
            where = reading.where(version)
            defined[at] = where >= 0
            profile[at, defined[at]] = values[where[defined[at]]]
            for name, value in predictions.items():
                said.setdefault(name, np.full(count, np.nan, dtype=np.float32))[at] = value
            nothing.setdefault(touchpoint, np.full(count, np.nan, dtype=np.float32))[at] = was_nothing
        return Window(
            period=self.period,
            decisions=self.decisions,
            customers=np.array([row[0] for row in self.rows], dtype=np.uint64),
            profile=profile,
            defined=defined,
            said=said,
            nothing=nothing,
        )
