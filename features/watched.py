"""Everything that tells whether models and catalog still fit, read from the log, the bundle in use and the catalog in force."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from decisioning.customer import Feature
from decisioning.rulebook import Rulebook
from features import bundle as bundles
from features.bundle import BundleError
from features.log import Log
from features.log.offers import evidence
from features.playbook import Playbook
from features.shows import Closed, read_closed
from features.windows import Census, Periods, Windows, periods, read_windows, take_census

MOST = 20_000
"""Decisions that are kept of each period."""
WEEKS = 13
"""How many weeks of outcomes are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """The bundle that the newest decision was made with, since when; `promoted` is the one that the pointer names.

    `reads` are the features that each of its models reads; empty where its files cannot be read, and then `trouble` says why.
    """

    bundle: str | None
    promoted: str | None
    began: datetime | None
    reads: Mapping[str, tuple[str, ...]]
    trouble: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One action of the catalog in force: `model` that predicts it (None: a declared prior), `known` since the first decision
    by a catalog that has it (None: by none), and what evidence there is of it, at all touchpoints, ever.

    `waits` tells that it is meant to come up seldom: mandatory, or of the job recover; `over` that its time is not now.
    """

    name: str
    group: str
    model: str | None
    touchpoints: tuple[str, ...]
    known: datetime | None
    shows: int
    expected: float
    waits: bool
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """`strength` is how many expected responses a prediction weighs (policy.yaml: exploration)."""

    now: datetime
    features: Sequence[Feature]
    champion: Champion
    actions: Sequence[Watched]
    strength: float
    windows: Windows
    closed: Closed


def watch(
    log: Log,
    playbook: Playbook,
    rulebook_of: Callable[[str], Rulebook],
    models: Path,
    *,
    now: datetime,
    since: datetime,
    against: tuple[datetime, datetime] | None,
    progress: Callable[[str, float], None],
) -> Watching:
    """`since` to `now` beside what was before (see `features.windows.periods`); `models` is the folder of bundles.

    Raises WindowError where there are too few decisions to say anything.
    """
    census = take_census(log, rulebook_of, progress=lambda doing, share: progress(doing, 0.3 * share))
    chosen = periods(census, since=since, now=now, against=against)
    champion = _champion(models, census)
    windows = read_windows(
        log,
        rulebook_of,
        playbook.profile.index,
        chosen,
        champion=champion.bundle,
        most=MOST,
        progress=lambda doing, share: progress(doing, 0.3 + 0.5 * share),
    )
    closed = read_closed(
        log,
        since=since,
        now=now,
        made_since=champion.began,
        weeks=_weeks(chosen, now),
        progress=lambda doing, share: progress(doing, 0.8 + 0.2 * share),
    )
    return Watching(
        now=now,
        features=playbook.profile.index.features,
        champion=champion,
        actions=_actions(log, playbook, census, now),
        strength=playbook.policy.exploration.strength,
        windows=windows,
        closed=closed,
    )


def _weeks(chosen: Periods, now: datetime) -> int:
    """From the beginning of the earliest period on, at most WEEKS."""
    earliest = min(chosen.recent.since, chosen.first.since, chosen.reference.since)
    return max(1, min(WEEKS, -(-(now - earliest) // timedelta(weeks=1))))


def _champion(models: Path, census: Census) -> Champion:
    promoted, bundle = bundles.current(models), census.deciding
    reads, trouble = dict[str, tuple[str, ...]](), None
    if bundle is not None:
        try:
            found = bundles.read(models, bundle)
            reads = {name: model.row.needs(found.topics) for name, model in found.models.items()}
        except BundleError as error:
            trouble = str(error)
    began = census.began.get(bundle) if bundle is not None else None
    return Champion(bundle=bundle, promoted=promoted, began=began, reads=reads, trouble=trouble)


def _actions(log: Log, playbook: Playbook, census: Census, now: datetime) -> list[Watched]:
    learned = log.query(evidence).evidence
    found = []
    for action in playbook.catalog.actions:
        mine = [one for (name, _), one in learned.items() if name == action.name]
        begun = action.valid_from is None or action.valid_from <= now
        found.append(
            Watched(
                name=action.name,
                group=action.group,
                model=action.response.model,
                touchpoints=tuple(action.treatments),
                known=census.known.get(action.name),
                shows=sum(one.shows for one in mine),
                expected=sum(one.expected for one in mine),
                waits=action.mandatory or action.job == "recover",
                over=not begun or (action.valid_until is not None and action.valid_until <= now),
            )
        )
    return found
