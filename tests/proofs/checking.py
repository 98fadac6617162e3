"""Everything that must be true of one decision, beside the oracle."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from math import isclose

from decisioning.catalog import Action
from decisioning.customer import Contact
from decisioning.domain import Job, Result, Wait
from tests.decisioning.oracle.facts import is_broken, share
from tests.decisioning.oracle.rules import failures, first_failure
from tests.decisioning.oracle.seen import Seen, is_quiet, look, treatment_of, zone_of
from tests.decisioning.oracle.terms import Worth, weigh
from tests.decisioning.oracle.world import World
from tests.proofs.deciding import Decided

WHOLE = 2**40
CLOSE = 1e-6
"""Numbers that a record must hold are rounded to seven digits: of a response, though what it is more than nothing is less."""
CARE: tuple[Job, ...] = ("recover", "serve", "inform", "onboard", "retain", "celebrate")


def faults_of(decision: Decided, world: World, seen: Seen) -> Iterator[str]:
    """What is wrong with a decision; nothing, if all is well."""
    verdicts = {action.name: first_failure(action, seen) for action in world.candidates}
    passed = [action for action in world.candidates if verdicts[action.name] is None]
    worths = weigh(passed, seen)
    if decision.group != seen.facts["group"]:
        yield f"the group is {decision.group}, not {seen.facts['group']}"
    if decision.journey_stage != seen.facts["stage"]:
        yield f"the stage is {decision.journey_stage}, not {seen.facts['stage']}"
    rejected = {one.action: (one.tier, one.rule) for one in decision.rejected}
    for name, verdict in verdicts.items():
        if rejected.get(name) != verdict:
            yield f"{name} is rejected by {rejected.get(name)}, not by {verdict}"
    yield from _terms(decision, worths)
    yield from _chances(decision, world, seen, worths)
    yield from _places(decision, world, seen)


def _terms(decision: Decided, worths: Mapping[str, Worth]) -> Iterator[str]:
    if {one.action for one in decision.candidates} != set(worths):
        yield "the candidates are not those that pass"
        return
    for one in decision.candidates:
        terms, worth = one.terms, worths[one.action]
        rounding = {"p": CLOSE * worth.treated, "priority": CLOSE * worth.treated * worth.c * worth.v * worth.l}
        for name in ("p", "c", "v", "l", "priority"):
            if not isclose(getattr(terms, name), getattr(worth, name), rel_tol=CLOSE, abs_tol=rounding.get(name, 0.0)):
                yield f"{name} of {one.action} is {getattr(terms, name)}, not {getattr(worth, name)}"
        if not isclose(terms.p * terms.c * terms.v * terms.l, terms.priority, rel_tol=1e-9, abs_tol=1e-300):
            yield f"the priority of {one.action} is not the product of its terms"
        if not isclose(one.threshold, worth.threshold, rel_tol=CLOSE):
            yield f"the threshold of {one.action} is {one.threshold}, not {worth.threshold}"
    order = [(-one.terms.priority, one.action) for one in sorted(decision.candidates, key=lambda one: one.rank)]
    if order != sorted(order) or sorted(one.rank for one in decision.candidates) != list(range(1, len(order) + 1)):
        yield "the ranks are not the order of the priorities"


def _chances(decision: Decided, world: World, seen: Seen, worths: Mapping[str, Worth]) -> Iterator[str]:
    units = {one.action: one.units for one in decision.candidates}
    if sum(units.values()) + decision.nothing_units != WHOLE or min([decision.nothing_units, *units.values()]) < 0:
        yield "the units are not parts of a whole"
    first = _first_mandatory(decision, world)
    if first is not None:
        if units[first] != WHOLE:
            yield f"{first} is mandatory and has not the whole probability"
        return
    if decision.group == "random" and units:
        if max(units.values()) - min(units.values()) > 1 or decision.nothing_units:
            yield "the random group's choice is not uniform"
        return
    helpful = {one.action for one in decision.candidates if one.terms.p > 0}
    for name, count in units.items():
        if count and name not in helpful:
            yield f"{name} cannot help and has a probability"
    if seen.distress:
        competing = _in_distress(decision, world)
        if {name for name, count in units.items() if count} - competing:
            yield "in distress more than the first job competes"
        if bool(decision.nothing_units) == bool(competing):
            yield "in distress care is a question"
    elif helpful:
        least = world.policy.exploration.mass / len(helpful) * WHOLE - 1
        if min(units[name] for name in helpful) < least:
            yield "exploration leaves one out"


def _first_mandatory(decision: Decided, world: World) -> str | None:
    by_rank = sorted(decision.candidates, key=lambda one: one.rank)
    return next((one.action for one in by_rank if world.catalog[one.action].mandatory), None)


def _in_distress(decision: Decided, world: World) -> set[str]:
    """The actions of the first job of which one is expected to be worth its attention."""
    worthwhile = {one.action for one in decision.candidates if one.terms.p > 0 and one.terms.priority > one.threshold}
    jobs = {world.catalog[name].job for name in worthwhile}
    first = next((job for job in CARE if job in jobs), None)
    return {name for name in worthwhile if world.catalog[name].job == first}


# ------------------------------------------------------------------------------------------------------------- the places


def _places(decision: Decided, world: World, seen: Seen) -> Iterator[str]:
    slots = [one.id for one in world.request.placements for _ in range(one.count)]
    if [one.placement for one in decision.results] != slots:
        yield "the places are not those that were asked for"
        return
    units = {one.action: one.units for one in decision.candidates}
    drawn = _drawn({"": decision.nothing_units, **units}, world, slots[0])
    if (decision.results[0].action or "") != drawn:
        yield f"{decision.results[0].action} was chosen where {drawn} was drawn"
    if decision.results[0].units != units.get(decision.results[0].action or "", decision.nothing_units):
        yield "the first place's units are not those of its choice"
    names = [one.action for one in decision.results if one.action is not None]
    if len(names) != len(set(names)):
        yield "an action is shown twice"
    for result in decision.results:
        if result.action is not None:
            action = world.catalog[result.action]
            yield from (f"{result.action} is chosen against {rule}" for _, rule in failures(action, seen))
            yield from _timed(result, action, world)
            said = treatment_of(action, seen)
            if result.message is None or said is None or result.message.title != said.title:
                yield f"{result.action} is said in another tone: {result.message}"
            seen = _after(result, action, seen)
        elif result.wait is not None and not _can_wait(result, world):
            yield "a wait that is over, too long, or for nobody"


def _drawn(units: Mapping[str, int], world: World, place: str) -> str:
    at, reached = share(world.salt, "draw", world.request.decision_id, f"{place}/0") * WHOLE, 0
    for name in sorted(units):
        reached += units[name]
        if at < reached:
            return name
    return "nobody"


def _timed(result: Result, action: Action, world: World) -> Iterator[str]:
    at, touchpoint = result.send_at, world.touchpoint
    if at is None or result.expires_at is None:
        yield f"{action.name} has no time"
        return
    last = world.now + (touchpoint.horizon if touchpoint.direction == "outbound" else timedelta(0))
    if not world.now <= at <= last or (touchpoint.direction == "outbound" and is_quiet(at, world, zone_of(world))):
        yield f"{action.name} is sent at {at}: too early, too late or in quiet hours"
    until = action.valid_until
    if until is not None and at >= until:
        yield f"{action.name} is sent when it is no longer valid"
    if result.expires_at != min(at + action.expires, until or at + action.expires):
        yield f"{action.name} expires at {result.expires_at}"


def _after(result: Result, action: Action, seen: Seen) -> Seen:
    """What the next place sees once this one is filled."""
    world = seen.world
    assert result.send_at is not None and result.expires_at is not None
    contact = Contact(
        decision_id=world.request.decision_id,
        placement=result.placement,
        action=action.name,
        group=action.group,
        touchpoint=world.touchpoint.name,
        channel=world.touchpoint.channel,
        at=result.send_at,
        expires_at=result.expires_at,
        mandatory=action.mandatory,
    )
    return look(replace(world, state=replace(world.state, contacts=(*world.state.contacts, contact))))


def _can_wait(result: Result, world: World) -> bool:
    assert result.wait is not None
    touchpoint = world.touchpoint
    if result.wait.touchpoint is not None:
        return _can_be_said_there(result.wait, world)
    return touchpoint.direction == "outbound" and world.now < result.wait.until <= world.now + touchpoint.horizon


def _can_be_said_there(wait: Wait, world: World) -> bool:
    """Whether something of this place, or what makes a promise good, passes at another place, and when it can be said."""
    assert wait.touchpoint is not None
    makes_good = {one.make_good for one in world.state.promises.values() if is_broken(one, world)}
    names = {action.name for action in world.candidates} | makes_good
    there = look(replace(world, request=replace(world.request, touchpoint=wait.touchpoint)))
    passes = any(action.name in names and first_failure(action, there) is None for action in there.world.candidates)
    return wait.touchpoint != world.request.touchpoint and passes and wait.until == there.first
