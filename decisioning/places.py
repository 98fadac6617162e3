"""Filling the places of one request, one after another: draw, time, word; nothing is shown twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from decisioning.arbitration import Worth
from decisioning.catalog import Action
from decisioning.customer import Contact
from decisioning.domain import Datum, Message, Placement, Rejection, Request, Result, Wait
from decisioning.eligibility import Situation, sieve
from decisioning.exploration import NOTHING, choose, probabilities
from decisioning.timing import Moment, wait_for

WAIT_STAYS = timedelta(days=1)
"""How long a wait stays in the outbox after it fell due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How what was chosen is timed, worded and accounted for."""

    moment: Callable[[Action], Moment | None]
    message: Callable[[Action], Message]
    data: Callable[[Action], tuple[Datum, ...]]
    default: Message | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """`units` is the distribution of the first place, before anything was taken."""

    results: tuple[Result, ...]
    units: Mapping[str, int]


def fill(
    request: Request,
    worths: Sequence[Worth],
    rejected: Sequence[Rejection],
    situation: Situation,
    voice: Voice,
    *,
    in_distress: bool,
    salt: str,
) -> Filled:
    """Fill every place in turn from what is left. `rejected` are those that passed no tier before the first place."""
    results: list[Result] = []
    left, blocked, first_units = list(worths), tuple(rejected), None
    for slot, placement in enumerate(_slots(request.placements)):
        units = probabilities(left, group=situation.group, mass=situation.policy.exploration.mass, in_distress=in_distress)
        first_units = first_units or units
        chosen = choose(units, salt=salt, decision_id=request.decision_id, slot=f"{placement.id}/{slot}")
        worth = next((one for one in left if one.action.name == chosen), None)
        if worth is None:
            wait = None if left else wait_for(blocked, touchpoint=situation.touchpoint, now=situation.now)
            why = _why_nothing(situation, had_candidates=bool(left))
            results.append(_unfilled(placement, why=why, default=voice.default, wait=wait, units=units[NOTHING]))
            continue
        why = _why(worth, left, group=situation.group, in_distress=in_distress)
        result = _shown(worth, placement, voice, why=why, units=units[chosen])
        results.append(result)
        left.remove(worth)
        if left and not worth.action.mandatory:
            # what this place took counts at the next one, as it will once it is in the state
            situation = situation.after(_contact(request, worth.action, result, situation))
            still, capped = sieve([one.action for one in left], situation)
            left = [one for one in left if one.action in still]
            blocked += capped
    return Filled(results=tuple(results), units=first_units or {})


def _slots(placements: Sequence[Placement]) -> Iterator[Placement]:
    return (placement for placement in placements for _ in range(placement.count))


def _shown(worth: Worth, placement: Placement, voice: Voice, *, why: str, units: int) -> Result:
    action, when = worth.action, voice.moment(worth.action)
    assert when is not None  # the tiers let no action pass that has no moment
    return Result(
        placement=placement.id,
        kind="action",
        reason=why,
        action=action.name,
        message=voice.message(action),
        send_at=when.at,
        expires_at=_expiry(action, when.at),
        terms=worth.terms,
        threshold=worth.threshold,
        units=units,
        timing=when.because,
        job=action.job,
        data=voice.data(action),
    )


def _unfilled(placement: Placement, *, why: str, default: Message | None, wait: Wait | None, units: int) -> Result:
    """An honest nothing, or a wait where time alone soon lets something pass."""
    if wait is None:
        return Result(placement=placement.id, kind="nothing", reason=why, message=default, units=units)
    return Result(
        placement=placement.id,
        kind="wait",
        reason=wait.because,
        wait=wait,
        send_at=wait.until,
        expires_at=wait.until + WAIT_STAYS,
        units=units,
    )


def _why(chosen: Worth, worths: Sequence[Worth], *, group: str, in_distress: bool) -> str:
    if group == "random":
        return "random_group"
    if in_distress:
        return "care_before_selling"
    best = max(worth.terms.priority for worth in worths)
    return "highest_priority" if chosen.terms.priority == best > chosen.threshold else "explored"


def _why_nothing(situation: Situation, *, had_candidates: bool) -> str:
    if not situation.known:
        return "unknown_customer"
    if situation.group == "control":
        return "control_group"
    return "nothing_is_worth_the_attention" if had_candidates else "nothing_passed_the_rules"


def _expiry(action: Action, send_at: datetime) -> datetime:
    expires = send_at + action.expires
    return min(expires, action.valid_until) if action.valid_until is not None else expires


def _contact(request: Request, action: Action, result: Result, situation: Situation) -> Contact:
    assert result.send_at is not None and result.expires_at is not None
    return Contact(
        decision_id=request.decision_id,
        placement=result.placement,
        action=action.name,
        group=action.group,
        touchpoint=situation.touchpoint.name,
        channel=situation.touchpoint.channel,
        at=result.send_at,
        expires_at=result.expires_at,
    )
