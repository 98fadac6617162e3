"""The universal control group as an experiment, read from the log: who was in which group from when, and what they did then.

A customer comes in with their first live decision and belongs to the group that it was made in, whatever came later: that
was drawn by chance and by nothing else. Ids that turned out to be one customer are one. The trial begins where the shares of
the groups were last changed, because those who were moved then are not alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisioning.customer import FeatureIndex
from decisioning.domain import TrialGroup
from decisioning.errors import KairosError
from decisioning.rulebook import Rulebook
from features.known import Known
from features.log import Log, Record
from features.log.inputs import REPLAYED_SINCE, profile_of
from features.log.offers import successes
from features.log.records import microseconds
from features.playbook import Playbook
from features.published import Published
from features.trial_metrics import Asked, Metric, read_metrics
from features.trial_shares import Shares, shares_of

GROUPS: tuple[TrialGroup, ...] = ("treatment", "control", "random")

Progress = Callable[[str, float], None]

_MISSING = "missing"


class TrialError(KairosError):
    """The log holds no trial; the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """n customers in the order in which they came in: `group` (n,) are positions in GROUPS, `closed` (n,) tells whose time
    since then is over, `before` (n, 2) counts events and their value in the 90 days before their first decision ever.

    `splits` names the segment of each by touchpoint, journey stage and the like at their first decision. `names` are their
    ids; `counted` says in words what was left out.
    """

    names: Sequence[str]
    group: NDArray[np.int64]
    closed: NDArray[np.bool_]
    before: NDArray[np.float64]
    metrics: Sequence[Metric]
    splits: Mapping[str, Sequence[str]]
    shares: Mapping[str, float]
    since: datetime
    counted: Mapping[str, int]


def read_trial(
    log: Log,
    playbook: Playbook,
    asked: Asked,
    *,
    now: datetime,
    since: datetime | None = None,
    by: Sequence[str] = (),
    progress: Progress,
) -> Trial:
    """The trial up to `now`. It begins at `since`, or with the shares of the groups where these are younger.

    `by` names labels of the profile to split by. Raises TrialError where the log holds no live decision since then, and for a
    label that profile.yaml does not have.
    """
    _check_labels(playbook, by)
    shares = shares_of(log)
    since_us = max(shares.since_us, microseconds(since) if since else 0)
    entrants = _Entrants(shares=shares, since_us=since_us, labels=_Labels(by=by, rulebook_of=Published(log)))
    names, last = Known(log.links()).last(), max(1, log.last_sequence())
    for record in log.read(kinds=("decision",)):
        entrants.take(record, names)
        progress("reading decisions", 0.5 * record.sequence / last)
    entered = {name: one for name, one in entrants.of.items() if one.entered_us is not None}
    if not entered:
        raise TrialError(
            "the log holds no live decision since the groups of policy.yaml got their shares; nothing can be measured yet"
        )
    order = sorted(entered, key=lambda name: (entered[name].entered_us or 0, name))
    come = [entered[name] for name in order]
    entered_us = np.array([one.entered_us for one in come], dtype=np.int64)
    took = log.query(successes)
    metrics, before = read_metrics(
        log,
        asked,
        rows={name: row for row, name in enumerate(order)},
        names=names,
        entered_us=entered_us,
        first_us=np.array([one.first_us for one in come], dtype=np.int64),
        offered=np.array([one.offered for one in come]),
        took=[(names.get(one.customer_id, one.customer_id), one.success_us) for one in took],
        progress=lambda doing, share: progress(doing, 0.5 + 0.5 * share),
    )
    return Trial(
        names=order,
        group=np.array([GROUPS.index(one.group) for one in come], dtype=np.int64),
        closed=entered_us + asked.horizon // timedelta(microseconds=1) <= microseconds(now),
        before=before,
        metrics=metrics,
        splits={
            "touchpoint": [one.touchpoint for one in come],
            "journey_stage": [one.stage for one in come],
            **{name: [one.labels[at] for one in come] for at, name in enumerate(by)},
        },
        shares=shares.now,
        since=datetime.fromtimestamp(int(entered_us[0]) / 1e6, tz=now.tzinfo),
        counted={
            "imported decisions: nobody knows by which chance they were made": entrants.imported,
            "decisions by other shares of the groups": entrants.other_shares,
            "customers who were in more than one group; they count in their first": sum(one.moved for one in come),
        },
    )


@dataclass(slots=True, kw_only=True)
class _Entrant:
    first_us: int
    entered_us: int | None = None
    group: TrialGroup = "treatment"
    touchpoint: str = ""
    stage: str = ""
    labels: tuple[str, ...] = ()
    offered: bool = False
    moved: bool = False


@dataclass(slots=True, kw_only=True)
class _Entrants:
    """Everybody who was decided for, decision by decision in the order of the log."""

    shares: Shares
    since_us: int
    labels: "_Labels"
    of: dict[str, _Entrant] = field(default_factory=dict)
    imported: int = 0
    other_shares: int = 0
    decoder: msgspec.json.Decoder[Any] = field(default_factory=lambda: msgspec.json.Decoder(_Decision))

    def take(self, record: Record, names: Mapping[str, str]) -> None:
        if record.customer_id is None:
            return
        made: _Decision = self.decoder.decode(record.payload)
        if made.origin != "live":
            self.imported += 1
            return
        name, at = names.get(record.customer_id, record.customer_id), microseconds(record.event_time)
        one = self.of.setdefault(name, _Entrant(first_us=at))
        one.first_us = min(one.first_us, at)
        if at < self.since_us:
            return
        if not self.shares.holds_of(made.version):
            self.other_shares += 1
            return
        group = made.whose
        if one.entered_us is None:
            one.entered_us, one.group, one.touchpoint, one.stage = at, group, made.touchpoint, made.at_stage
            one.labels = self.labels.of(made, record.version)
        one.moved = one.moved or group != one.group
        one.offered = one.offered or any(offer.kind == "action" for offer in made.results)


class _Offer(msgspec.Struct):
    kind: str


class _Inputs(msgspec.Struct):
    catalog: str
    profile: str


class _Before(msgspec.Struct):
    group: TrialGroup
    journey_stage: str


class _Decision(msgspec.Struct):
    """What of a decision counts here; `decision` is where records of version 2 and before keep it."""

    touchpoint: str
    origin: str
    results: list[_Offer]
    group: TrialGroup = "treatment"
    journey_stage: str = ""
    inputs: _Inputs | None = None
    decision: _Before | None = None

    @property
    def whose(self) -> TrialGroup:
        return self.decision.group if self.decision else self.group

    @property
    def at_stage(self) -> str:
        return self.decision.journey_stage if self.decision else self.journey_stage

    @property
    def version(self) -> str | None:
        return self.inputs.catalog if self.inputs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labels:
    """Reads labels of the profile as a decision knew them, by the version that it was made with."""

    by: Sequence[str]
    rulebook_of: Callable[[str], Rulebook]

    def of(self, made: _Decision, version: int) -> tuple[str, ...]:
        if not self.by or made.inputs is None or version < REPLAYED_SINCE:
            return (_MISSING,) * len(self.by)
        index, values = self.rulebook_of(made.inputs.catalog).index, profile_of(made.inputs.profile)
        return tuple(_said(index, values, name) for name in self.by)


def _said(index: FeatureIndex, values: NDArray[np.float32], name: str) -> str:
    labels = index[name].labels if name in index.positions else ()
    value = values[index.positions[name]] if labels else np.nan
    return labels[int(value)] if 0 <= value < len(labels) else _MISSING


def _check_labels(playbook: Playbook, by: Sequence[str]) -> None:
    index = playbook.profile.index
    for name in by:
        if name not in index.positions or not index[name].labels:
            known = ", ".join(feature.name for feature in index.features if feature.labels) or "none"
            raise TrialError(f"{name!r} is no label of profile.yaml to split by; it has {known}")
