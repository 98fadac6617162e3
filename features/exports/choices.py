"""The log's live decisions as choices: among what, with which probabilities, what was chosen, and whether it succeeded.

One choice is the first place of a decision. What is not kept in its record is in the catalog that the record names.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from decisioning.catalog import Action, Touchpoint
from decisioning.chance import WHOLE
from decisioning.errors import KairosError
from decisioning.rulebook import Rulebook
from features.log import Log, Record
from features.log.decisions import versions_of
from features.log.inputs import REPLAYED_SINCE, profile_of
from features.log.offers import succeeded

IMPORTED = "imported decisions, which have no probability"
BEFORE = "decisions of an older version of the log, which do not hold enough"
CONTROL = "decisions for the control group, where nothing could be chosen"
OPEN = "decisions whose window of success is still open"
UNKNOWN = "decisions by a catalog that cannot be read"

_BATCH = 500
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`actions` could be chosen, `probabilities` (n + 1,) are theirs and, last, that of nothing; they sum to 1.

    `chosen` is a position in them. `reward` is 1 where what was chosen had its success in its window, else 0. `profile` are
    the values of the features that may be shown, by name, NaN for missing.
    """

    record: Record
    touchpoint: Touchpoint
    stage: str
    group: str
    actions: Sequence[Action]
    probabilities: NDArray[np.float64]
    chosen: int
    reward: int
    profile: Mapping[str, float]
    rulebook: Rulebook


def choices(
    log: Log,
    rulebook_of: Callable[[str], Rulebook],
    *,
    now: datetime,
    left_out: Counter[str],
    progress: Callable[[str, float], None],
) -> Iterator[Choice]:
    """Every choice in the order of the log, few at a time in memory; what cannot be one is counted in `left_out`.

    The control group's are none: there nothing could be chosen, whatever else was possible.
    """
    last = max(1, log.last_sequence())
    records = log.read(kinds=("decision",))
    while batch := list(islice(records, _BATCH)):
        made = [(record, record.body) for record in batch]
        kept = [(record, body) for record, body in made if (why := _unfit(record, body, now)) is None or _count(left_out, why)]
        taken = log.query(partial(succeeded, decision_ids=[record.message_id for record, _ in kept]))
        for record, body in kept:
            try:
                yield _choice(record, body, rulebook_of(versions_of(record)[0]), taken)
            except KairosError:
                left_out[UNKNOWN] += 1
        progress("reading decisions", batch[-1].sequence / last)


def _count(left_out: Counter[str], why: str) -> bool:
    left_out[why] += 1
    return False


def _unfit(record: Record, body: Mapping[str, Any], now: datetime) -> str | None:
    if body["origin"] != "live":
        return IMPORTED
    if record.version < REPLAYED_SINCE:
        return BEFORE
    if body["group"] == "control":
        return CONTROL
    first = body["results"][0]
    if first["kind"] == "action" and datetime.fromisoformat(first["send_at"]) + first["window_us"] * _MICROSECOND > now:
        return OPEN
    return None


def _choice(record: Record, body: Mapping[str, Any], rulebook: Rulebook, taken: set[tuple[str, str]]) -> Choice:
    touchpoint = rulebook.catalog.touchpoints[body["touchpoint"]]
    everything, units = rulebook.catalog.at(touchpoint.name), body["units"]
    possible = [at for at in range(len(everything)) if units[at] > 0]
    actions = [everything[at] for at in possible]
    name = body["results"][0].get("action")
    values, index = profile_of(body["inputs"]["profile"]), rulebook.index
    return Choice(
        record=record,
        touchpoint=touchpoint,
        stage=body["journey_stage"],
        group=body["group"],
        actions=actions,
        probabilities=np.array([*(units[at] for at in possible), units[-1]], dtype=np.float64) / WHOLE,
        chosen=len(actions) if name is None else [action.name for action in actions].index(name),
        reward=int((record.message_id, name) in taken),
        profile={one.name: float(values[at]) for at, one in enumerate(index.features) if not one.sensitive},
        rulebook=rulebook,
    )
