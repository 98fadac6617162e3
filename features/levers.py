"""Past decisions made again with a lever at 1: what would have been chosen, from the very record of what was.

A lever is an action's factor L in P x C x V x L (catalog.yaml: lever). Only decisions of the treatment group are asked: in
the others nothing is chosen by priority. Of several places the first one is looked at.
"""

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisioning.chance import WHOLE, hashed
from decisioning.domain import Decision, TrialGroup
from decisioning.errors import KairosError
from decisioning.rulebook import Rulebook, compile_rules
from features.known import Known
from features.log import Log, Record
from features.log.decisions import decide_from, replayed, versions_of
from features.log.inputs import REPLAYED_SINCE, inputs_of
from features.log.offers import successes

TOGETHER = "all levers"
"""The name under which all are set to 1 at once, where there are several."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Decisions made again with one lever at 1, (n,) each, all of the same n decisions for every lever.

    `changed`: the same draw falls on something else. `moved`: total variation between both distributions, 0 to 1.
    `given_away`: the expected priority above the threshold that the choice without the lever has more, all priorities without
    any lever, in currency. `weight`: how many times as likely what was chosen is without the lever. `unseen`: the probability,
    without the lever, of what could not be chosen with it. `margin`: that of the success of what was chosen, 0 without one,
    NaN while its window is open. `customers` are numbers.
    """

    lever: str
    customers: NDArray[np.int64]
    changed: NDArray[np.bool_]
    moved: NDArray[np.float64]
    given_away: NDArray[np.float64]
    weight: NDArray[np.float64]
    unseen: NDArray[np.float64]
    margin: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levers:
    """What was `replayed`, none where no lever is other than 1; `faults` counts decisions that could not be made again."""

    replayed: tuple[Replayed, ...]
    faults: int


def replay_levers(
    log: Log,
    rulebook_of: Callable[[str], Rulebook],
    *,
    now: datetime,
    most: int,
    progress: Callable[[str, float], None],
) -> Levers:
    """Each lever that is not 1 in the versions of some `most` decisions.

    Whole customers are taken by a hash of their name until there are as many decisions.
    """
    salt, names = log.setting("salt") or "", Known(log.links()).last()
    chosen = _customers(log, salt=salt, most=most, names=names)
    without, rows, faults, last = _Without(rulebook_of), list[_Row](), 0, max(1, log.last_sequence())
    took = {(one.decision_id, one.action) for one in log.query(successes)}
    for record in log.read(kinds=("decision",)):
        progress("deciding again", record.sequence / last)
        name = names.get(record.customer_id or "", record.customer_id or "")
        if name not in chosen or not _asked(record):
            continue
        try:
            rows.append(_row(record, chosen[name], without, took, salt=salt, now=now))
        except KairosError:
            faults += 1
    levers = sorted({lever for row in rows for lever in row.others})
    levers = [*(lever for lever in levers if lever != TOGETHER), *([TOGETHER] if len(levers) > 2 else [])]
    return Levers(replayed=tuple(_column(lever, rows) for lever in levers), faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    """What one lever at 1 makes of a decision."""

    changed: bool = False
    moved: float = 0.0
    given_away: float = 0.0
    weight: float = 1.0
    unseen: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    customer: int
    margin: float
    others: Mapping[str, _Other]


@dataclass(frozen=True, slots=True)
class _Without:
    """Rulebooks by version, as published and with a lever at 1, each compiled once."""

    rulebook_of: Callable[[str], Rulebook]
    kept: dict[tuple[str, str], Rulebook] = field(default_factory=dict)

    def levers(self, version: str) -> dict[str, float]:
        return {action.name: action.lever for action in self.rulebook_of(version).catalog.actions if action.lever != 1.0}

    def rulebook(self, version: str, lever: str = "") -> Rulebook:
        """With the lever of one action at 1, of all of them (TOGETHER), or of none."""
        if (version, lever) not in self.kept:
            book = self.rulebook_of(version)
            actions = [
                replace(action, lever=1.0) if lever in (action.name, TOGETHER) else action for action in book.catalog.actions
            ]
            catalog = replace(book.catalog, actions=tuple(actions))
            self.kept[version, lever] = compile_rules(catalog, book.policy, book.index)
        return self.kept[version, lever]


def _customers(log: Log, *, salt: str, most: int, names: Mapping[str, str]) -> dict[str, int]:
    """Numbers of the customers to be asked, by name, those of the smallest hashes."""
    counts = Counter[str]()
    for record in log.read(kinds=("decision",)):
        if record.customer_id is not None and _asked(record):
            counts[names.get(record.customer_id, record.customer_id)] += 1
    taken, chosen = 0, dict[str, int]()
    for name in sorted(counts, key=lambda one: (hashed(salt, "lever", one), one)):
        if taken >= most:
            break
        taken, chosen[name] = taken + counts[name], len(chosen)
    return chosen


class _Kind(msgspec.Struct):
    origin: str
    group: TrialGroup | None = None


_KIND = msgspec.json.Decoder(_Kind)


def _asked(record: Record) -> bool:
    """Whether it was decided live, for the treatment group, and kept whole."""
    said = _KIND.decode(record.payload)
    return record.version >= REPLAYED_SINCE and said.origin == "live" and said.group == "treatment"


def _row(
    record: Record, customer: int, without: _Without, took: Container[tuple[str, str]], *, salt: str, now: datetime
) -> _Row:
    """One decision and what each lever at 1 makes of it. Raises KairosError where it cannot be made again."""
    version, _ = versions_of(record)
    levers = without.levers(version)
    margins = {action.name: action.value for action in without.rulebook_of(version).catalog.actions}
    margin = _margin(record, margins, took, now=now)
    if not levers:
        return _Row(customer=customer, margin=margin, others={})
    then = replayed(record, without.rulebook(version), salt=salt)
    here = {candidate.action for candidate in then.candidates}
    others = dict[str, _Other]()
    for lever in (*levers, TOGETHER):
        # where the action was out by a rule, its lever weighed nothing
        weighs = bool(here & levers.keys()) if lever == TOGETHER else lever in here
        others[lever] = _other(record, then, without.rulebook(version, lever), salt=salt) if weighs else _Other()
    return _Row(customer=customer, margin=margin, others=others)


def _other(record: Record, then: Decision, rulebook: Rulebook, *, salt: str) -> _Other:
    again = decide_from(then.request, inputs_of(record, rulebook, salt=salt), rulebook, at=then.at)
    was, now_is = _distribution(then), _distribution(again)
    worth = {one.action: one.terms.p * one.terms.c * one.terms.v - one.threshold for one in again.candidates}
    names = {*was, *now_is}
    apart = {name: now_is.get(name, 0.0) - was.get(name, 0.0) for name in names}
    chosen = then.results[0].action or ""
    return _Other(
        changed=again.results[0].action != then.results[0].action,
        moved=sum(map(abs, apart.values())) / 2,
        given_away=sum(change * worth.get(name, 0.0) for name, change in apart.items()),
        weight=now_is.get(chosen, 0.0) / was[chosen],
        unseen=sum(share for name, share in now_is.items() if was.get(name, 0.0) == 0.0),
    )


def _distribution(decision: Decision) -> dict[str, float]:
    """The probability of each action at the first place, and of nothing ("")."""
    return {"": decision.nothing_units / WHOLE, **{one.action: one.units / WHOLE for one in decision.candidates}}


def _margin(record: Record, margins: Mapping[str, float], took: Container[tuple[str, str]], *, now: datetime) -> float:
    """What the choice at the first place brought; NaN while that cannot be known."""
    first = record.body["results"][0]
    if first["kind"] != "action":
        return 0.0
    closes = datetime.fromisoformat(first["send_at"]) + first["window_us"] * _MICROSECOND
    if closes > now:
        return float("nan")
    return margins.get(first["action"], 0.0) if (record.message_id, first["action"]) in took else 0.0


def _column(lever: str, rows: Sequence[_Row]) -> Replayed:
    others = [row.others.get(lever, _Other()) for row in rows]
    return Replayed(
        lever=lever,
        customers=np.array([row.customer for row in rows], dtype=np.int64),
        changed=np.array([one.changed for one in others], dtype=np.bool_),
        moved=np.array([one.moved for one in others]),
        given_away=np.array([one.given_away for one in others]),
        weight=np.array([one.weight for one in others]),
        unseen=np.array([one.unseen for one in others]),
        margin=np.array([row.margin for row in rows]),
    )
