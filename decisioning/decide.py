"""The one story: who asks, what may be said, what is best, when, in which words. Live and in replay the same."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from decisioning import messages, timing
from decisioning.arbitration import Worth, weigh
from decisioning.catalog import Action, Catalog
from decisioning.conditions import Lookup, holds
from decisioning.customer import Profile, State
from decisioning.domain import Candidate, Decision, Learner, Message, Predictions, Request
from decisioning.eligibility import Situation, sieve
from decisioning.emotion import suppressed
from decisioning.explain import data_used
from decisioning.exploration import NOTHING, trial_group
from decisioning.facts import customer_facts, lookup
from decisioning.places import Voice, fill
from decisioning.policy import Policy, Stage


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
    brand_zone, own_zone = ZoneInfo(policy.time_zone), timing.zone_named(state.time_zone)
    zone = own_zone or brand_zone
    facts = customer_facts(
        profile=profile, state=state, predictions=predictions, context=request.context, policy=policy, now=now
    )
    stage = facts["stage"] = _stage(policy.journey, lookup(facts, profile))
    who = state.group_id or state.customer_id
    group = trial_group(who, control=policy.groups.control, random=policy.groups.random, salt=salt)
    values = messages.message_values(profile=profile, state=state, brand=brand)
    actions = catalog.at(touchpoint.name)

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

    def message(action: Action) -> Message:
        return messages.render(action.treatments[touchpoint.name], values | messages.action_values(action, zone=zone))

    situation = Situation(
        touchpoint=touchpoint,
        state=state,
        group=group,
        known=state.known or profile.known,
        catalog=catalog,
        policy=policy,
        lookups={action.name: lookup(facts, profile, action) for action in actions},
        stock=stock,
        in_time=lambda action: moment(action) is not None,
        now=now,
    )
    voice = Voice(
        moment=moment,
        message=message,
        data=partial(data_used, touchpoint=touchpoint, profile=profile, predictions=predictions, policy=policy),
        default=messages.render(touchpoint.default, values) if touchpoint.default else None,
    )
    in_distress = suppressed(state, policy.suppression, now) is not None
    reasons = _reasons(situation, in_distress=in_distress, lost=state.time_zone is not None and own_zone is None)

    passed, rejected = sieve(actions, situation)
    worths = weigh(passed, situation, predictions=predictions, learner=learner)
    filled = fill(request, worths, rejected, situation, voice, in_distress=in_distress, salt=salt)
    return Decision(
        request=request,
        at=now,
        group=group,
        journey_stage=stage,
        results=filled.results,
        candidates=_ranked(worths, filled.units),
        rejected=rejected,
        reasons=(*degraded, *reasons),
        nothing_units=filled.units.get(NOTHING, 0),
    )


def _stage(journey: Sequence[Stage], read: Lookup) -> str:
    return next(one.stage for one in journey if one.when is None or holds(one.when, read))


def _reasons(situation: Situation, *, in_distress: bool, lost: bool) -> Iterator[str]:
    if lost:
        yield "unknown_time_zone"
    if not situation.known:
        yield "unknown_customer"
    if in_distress:
        yield "selling_suppressed"


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
