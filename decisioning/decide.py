"""The one story: who asks, what may be said, what is best, when, in which words. Live and in replay the same."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from decisioning import messages, timing
from decisioning.arbitration import Worth, weigh
from decisioning.catalog import Action, Catalog, Touchpoint
from decisioning.conditions import Lookup, holds
from decisioning.domain import (
    Candidate,
    Contact,
    Decision,
    Learner,
    Message,
    Placement,
    Predictions,
    Profile,
    Request,
    Result,
    State,
    Wait,
)  # fmt: skip
from decisioning.eligibility import Situation, sieve
from decisioning.emotion import suppressed
from decisioning.explain import data_used
from decisioning.exploration import NOTHING, choose, probabilities, trial_group
from decisioning.facts import customer_facts, lookup
from decisioning.messages import action_values, message_values
from decisioning.policy import Policy, Stage
from decisioning.timing import wait_for, zone_named

WAIT_STAYS = timedelta(days=1)
"""How long a wait stays in the outbox after it fell due."""


def decide(
    *,
    request: Request,
    profile: Profile,
    state: State,
    predictions: Predictions,
    learner: Learner,
    stock: Mapping[str, int],
    population: Mapping[str, float],
    catalog: Catalog,
    policy: Policy,
    brand: str,
    now: datetime,
    salt: str,
    degraded: Sequence[str] = (),
) -> Decision:
    """Decide for one customer at one touchpoint at one moment.

    `stock` is what is left of actions with a budget, `population` the mean profile that a customer without habits borrows
    from, `degraded` the reason codes of parts that were missing when the inputs were gathered. Nothing is written and no
    clock is read: the same arguments give the same decision, bit for bit.
    """
    touchpoint = catalog.touchpoints[request.touchpoint]
    brand_zone = ZoneInfo(policy.time_zone)
    zone = zone_named(state.time_zone) or brand_zone
    known = state.known or profile.known
    facts = customer_facts(
        profile=profile, state=state, predictions=predictions, context=request.context, policy=policy, now=now
    )
    stage = _stage(policy.journey, lookup(facts, profile))
    facts["stage"] = stage
    group = trial_group(state.customer_id, control=policy.groups.control, random=policy.groups.random, salt=salt)
    actions = catalog.at(touchpoint.name)
    lookups = {action.name: lookup(facts, profile, action) for action in actions}

    def moment(action: Action) -> timing.Moment | None:
        return timing.now_or_later(
            touchpoint=touchpoint,
            profile=profile,
            population=population,
            quiet=policy.contact.quiet_hours,
            zone=zone,
            brand_zone=brand_zone,
            now=now,
            before=action.valid_until,
        )

    situation = Situation(
        touchpoint=touchpoint,
        state=state,
        group=group,
        known=known,
        catalog=catalog,
        policy=policy,
        lookups=lookups,
        stock=stock,
        in_time=lambda action: moment(action) is not None,
        now=now,
    )
    passed, rejected = sieve(actions, situation)
    worths = weigh(
        passed,
        touchpoint=touchpoint,
        predictions=predictions,
        learner=learner,
        catalog=catalog,
        policy=policy,
        lookups=lookups,
    )
    in_distress = suppressed(state, policy.suppression, now) is not None

    values = message_values(profile=profile, state=state, stage=stage, brand=brand)
    results: list[Result] = []
    left, blocked, first_units = list(worths), rejected, None
    for slot, placement in enumerate(_slots(request.placements)):
        units = probabilities(left, group=group, mass=policy.exploration.mass, in_distress=in_distress)
        first_units = first_units or units
        chosen = choose(units, salt=salt, decision_id=request.decision_id, slot=f"{placement.id}/{slot}")
        worth = next((one for one in left if one.action.name == chosen), None)
        if worth is None:
            why = "unknown_customer" if not known else _why_nothing(group=group, had_candidates=bool(left))
            default = messages.render(touchpoint.default, values) if touchpoint.default else None
            soon = None if left else wait_for(blocked, touchpoint=touchpoint, now=now)
            results.append(_unfilled(placement, why=why, default=default, wait=soon, units=units[NOTHING]))
            continue
        why = _why(worth, left, group=group, in_distress=in_distress)
        left.remove(worth)
        when = moment(worth.action)
        assert when is not None  # the sieve let no action pass that has no moment
        expires_at = _expiry(worth.action, when.at)
        results.append(
            Result(
                placement=placement.id,
                kind="action",
                reason=why,
                action=worth.action.name,
                message=messages.render(
                    worth.action.treatments[touchpoint.name], values | action_values(worth.action, zone=zone)
                ),
                send_at=when.at,
                expires_at=expires_at,
                terms=worth.terms,
                threshold=worth.threshold,
                units=units[chosen],
                timing=when.because,
                data=data_used(worth.action, touchpoint=touchpoint, profile=profile, predictions=predictions, policy=policy),
            )
        )
        if left and not worth.action.mandatory:
            # what this place took counts at the next one, as it will once it is in the state
            situation = situation.after(_contact(request, placement, worth.action, touchpoint, when.at, expires_at))
            still, capped = sieve([one.action for one in left], situation)
            left = [one for one in left if one.action in still]
            blocked += capped
    return Decision(
        request=request,
        at=now,
        group=group,
        journey_stage=stage,
        results=tuple(results),
        candidates=_ranked(worths, first_units or {}),
        rejected=rejected,
        reasons=(
            *degraded,
            *(("unknown_time_zone",) if state.time_zone and not zone_named(state.time_zone) else ()),
            *(() if known else ("unknown_customer",)),
            *(("selling_suppressed",) if in_distress else ()),
        ),
        nothing_units=(first_units or {}).get(NOTHING, 0),
    )


def _stage(journey: Sequence[Stage], read: Lookup) -> str:
    return next(one.stage for one in journey if one.when is None or holds(one.when, read))


def _contact(
    request: Request, placement: Placement, action: Action, touchpoint: Touchpoint, at: datetime, expires_at: datetime
) -> Contact:
    return Contact(
        decision_id=request.decision_id,
        placement=placement.id,
        action=action.name,
        group=action.group,
        touchpoint=touchpoint.name,
        channel=touchpoint.channel,
        at=at,
        expires_at=expires_at,
    )


def _slots(placements: Sequence[Placement]) -> list[Placement]:
    return [placement for placement in placements for _ in range(placement.count)]


def _ranked(worths: Sequence[Worth], units: Mapping[str, int]) -> tuple[Candidate, ...]:
    ordered = sorted(worths, key=lambda worth: (-worth.terms.priority, worth.action.name))
    return tuple(
        Candidate(
            action=worth.action.name,
            terms=worth.terms,
            threshold=worth.threshold,
            rank=rank,
            units=units.get(worth.action.name, 0),
            response=worth.response,
        )
        for rank, worth in enumerate(ordered, start=1)
    )


def _why(chosen: Worth, worths: Sequence[Worth], *, group: str, in_distress: bool) -> str:
    if group == "random":
        return "random_group"
    if in_distress:
        return "care_before_selling"
    best = max(worth.terms.priority for worth in worths)
    return "highest_priority" if chosen.terms.priority == best > chosen.threshold else "explored"


def _why_nothing(*, group: str, had_candidates: bool) -> str:
    if group == "control":
        return "control_group"
    return "nothing_is_worth_the_attention" if had_candidates else "nothing_passed_the_rules"


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


def _expiry(action: Action, send_at: datetime) -> datetime:
    expires = send_at + action.expires
    return min(expires, action.valid_until) if action.valid_until is not None else expires
