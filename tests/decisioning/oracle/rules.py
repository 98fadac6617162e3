"""The five tiers, rule by rule: at which an action fails, in their order."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from math import floor

from decisioning.catalog import Action
from decisioning.policy import CONTACT_MEMORY, Cap, Rule, Scope
from tests.decisioning.oracle.facts import holds, reader
from tests.decisioning.oracle.seen import Seen, treatment_of
from tests.decisioning.oracle.world import World

Failure = tuple[str, str]
"""A tier and a rule of it."""
_WEEK = timedelta(days=7)


def first_failure(action: Action, seen: Seen) -> Failure | None:
    return next(failures(action, seen), None)


def failures(action: Action, seen: Seen) -> Iterator[Failure]:
    """Every rule that an action fails, in the order of the tiers."""
    yield from (("consent", rule) for rule in _consent(action, seen))
    yield from (("eligibility", rule) for rule in _eligibility(action, seen))
    yield from (("applicability", rule) for rule in _applicability(action, seen))
    yield from (("suitability", rule) for rule in _suitability(action, seen))
    yield from (("contact", rule) for rule in _contact(action, seen))


def _consent(action: Action, seen: Seen) -> Iterator[str]:
    world, touchpoint = seen.world, seen.world.touchpoint
    wanted = world.state.preferences
    if not seen.facts[f"state.consent_{action.purpose}"]:
        yield f"consent_{action.purpose}"
    if touchpoint.channel in world.state.closed_channels:
        yield "channel_closed"
    if action.mandatory:
        return
    pause = wanted.get("pause")
    if pause is not None and pause.until is not None and pause.until > world.now:
        yield "paused"
    declined = {about for about, word in wanted.items() if word.wanted == "none"}
    if f"channel:{touchpoint.channel}" in declined:
        yield "channel_declined"
    if any(f"topic:{topic}" in declined for topic in action.topics):
        yield "topic_declined"
    if f"group:{action.group}" in declined:
        yield "group_declined"


def _eligibility(action: Action, seen: Seen) -> Iterator[str]:
    world = seen.world
    if not (seen.facts["state.known"] or world.profile.known):
        yield "known_customer"
    if seen.facts["group"] == "control" and not action.mandatory:
        yield "holdout"
    if action.valid_from is not None and world.now < action.valid_from:
        yield "not_yet_valid"
    if action.valid_until is not None and world.now >= action.valid_until:
        yield "no_longer_valid"
    if action.eligible is not None and not holds(action.eligible, reader(seen.facts, world, action)):
        yield "eligible"
    yield from _ruled(world.policy.rules.eligibility, action, seen)
    kept, ledger = world.policy.promises, world.ledger.get(action.name)
    if (
        not action.mandatory
        and ledger is not None
        and ledger.ended >= kept.after
        and ledger.kept / max(ledger.ended, 1) < kept.at_least
    ):
        yield "promises_not_kept"


def _applicability(action: Action, seen: Seen) -> Iterator[str]:
    world = seen.world
    if action.job not in world.touchpoint.jobs:
        yield "touchpoint_job"
    if action.relevant is not None and not holds(action.relevant, reader(seen.facts, world, action)):
        yield "relevant"
    yield from _ruled(world.policy.rules.applicability, action, seen)


def _suitability(action: Action, seen: Seen) -> Iterator[str]:
    world = seen.world
    if not action.mandatory:
        if action.job in ("sell", "refer"):
            yield from seen.distress
        if seen.make_good and action.name not in seen.make_good:
            yield "make_good_first"
    if treatment_of(action, seen) is None:
        yield "tone"
    yield from _ruled(world.policy.rules.suitability, action, seen)


def _contact(action: Action, seen: Seen) -> Iterator[str]:
    world, contact = seen.world, seen.world.policy.contact
    if not action.mandatory:
        refused = [one.at for one in world.state.refusals if one.group == action.group]
        if refused and world.now < max(refused) + contact.cool_down:
            yield "cool_down"
        for cap in contact.caps:
            if covers(cap.scope, action, world) and _under(cap, action, seen) >= cap.most:
                yield cap.rule
        if contact.fatigue is not None and _within(seen, contact.fatigue.within) >= allowance(world):
            yield "fatigue"
        pace = world.state.preferences.get("pace")
        if pace is not None and pace.a_week is not None and _within(seen, _WEEK) >= pace.a_week:
            yield "pace"
    if action.every is not None and any(
        one.action == action.name and one.at > world.now - action.every for one in seen.counted
    ):
        yield "too_soon"
    if action.budget is not None and world.stock.get(action.name, action.budget) <= 0:
        yield "budget"
    if seen.first is None or (
        world.touchpoint.direction == "outbound" and action.valid_until is not None and seen.first >= action.valid_until
    ):
        yield "in_time"


# -------------------------------------------------------------------------------------------------------------- the parts


def covers(scope: Scope, action: Action, world: World) -> bool:
    return (
        action.job in (scope.job or (action.job,))
        and action.group in (scope.group or (action.group,))
        and action.name in (scope.action or (action.name,))
        and world.touchpoint.channel in (scope.channel or (world.touchpoint.channel,))
    )


def allowance(world: World) -> int:
    """How many contacts the customer likes, by how many of those they saw they answered."""
    fatigue = world.policy.contact.fatigue
    assert fatigue is not None
    remembered = [one for one in world.state.contacts if one.at > world.now - CONTACT_MEMORY]
    seen = [one for one in remembered if one.confirmed and not one.mandatory]
    answered = sum(one.answered for one in seen)
    usual = (len(seen) + fatigue.weight) * fatigue.usual
    share = (answered + fatigue.weight * fatigue.usual) / usual
    return fatigue.least + floor((fatigue.most - fatigue.least) * min(1.0, share))


def _ruled(rules: Sequence[Rule], action: Action, seen: Seen) -> Iterator[str]:
    for rule in rules:
        if covers(rule.scope, action, seen.world) and not holds(rule.require, reader(seen.facts, seen.world, action)):
            yield rule.rule


def _within(seen: Seen, span: timedelta) -> int:
    return sum(not one.mandatory and one.at > seen.world.now - span for one in seen.counted)


def _under(cap: Cap, action: Action, seen: Seen) -> int:
    """How many contacts a cap counts against an action."""
    world, scope = seen.world, cap.scope
    mine = {"action": action.name, "group": action.group, "channel": world.touchpoint.channel, "customer": None}[cap.each]
    count = 0
    for one in seen.counted:
        known = world.catalog.positions.get(one.action)
        job = one.job or (None if known is None else world.catalog.actions[known].job)
        theirs = {"action": one.action, "group": one.group, "channel": one.channel, "customer": None}[cap.each]
        count += (
            not one.mandatory
            and one.at > world.now - cap.within
            and mine == theirs
            and (not scope.group or one.group in scope.group)
            and (not scope.action or one.action in scope.action)
            and (not scope.channel or one.channel in scope.channel)
            and (not scope.job or job in scope.job)
        )
    return count
