"""What must change nothing changes nothing; what should help an action never lowers it; sleeping dogs are let lie."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from decisioning.domain import Candidate
from tests.decisioning.oracle.world import World
from tests.proofs.changes import (
    permuted,
    renamed,
    with_more,
    with_one_out,
    with_reservations_kept_longer,
    with_the_future_moved,
    with_topic_wanted,
)
from tests.proofs.checking import WHOLE
from tests.proofs.deciding import Decided, decided
from tests.proofs.finding import Finding, found
from tests.proofs.random_brands import brand
from tests.proofs.random_customers import customers

CUSTOMERS = 10
"""Of each brand: a change of its catalog has to be compiled."""
ROUNDING = 4
"""Units of 2^-40: sums in another order differ in their last digits, and ties go by the name."""
INTEGRATION = 1e-6


def changes_nothing_or_helps(size: int, seed: int) -> Finding:
    rng, counts, faults = Random(seed), Counter[str](), list[str]()
    left = size
    while left > 0:
        for world in customers(rng, brand(rng, actions=40), min(CUSTOMERS, left)):
            decision = decided(world)
            counts["worlds"] += 1
            for name, fault in _relations(world, decision, rng):
                counts[name] += 1
                faults += [f"{name}, {world.request.decision_id}: {fault}"] if fault else []
        left -= CUSTOMERS
    return found("metamorphic", size=size, seed=seed, counted=dict(counts), faults=faults)


def _relations(world: World, decision: Decided, rng: Random) -> Iterator[tuple[str, str]]:
    """Each relation that was tried, with what broke it, empty where it held."""
    yield "candidates permuted", _differs(decided(permuted(world, rng)), decision)
    yield "actions renamed in order", _differs(_back(decided(renamed(world, lambda name: f"n_{name}"))), decision, words=False)
    turned = {one.name: f"n_{len(world.catalog.actions) - at:03d}" for at, one in enumerate(world.catalog.actions)}
    yield (
        "actions renamed in another order",
        _reweighed(decided(renamed(world, lambda name: turned.get(name, name))), decision, turned),
    )
    other = replace(world, request=replace(world.request, decision_id="another"))
    yield "decision renamed", "" if decided(other).candidates == decision.candidates else "the candidates differ"
    state = replace(world.state, customer_id="another", group_id=world.who)
    yield "customer renamed", _differs(decided(replace(world, state=state)), decision)
    for name in ("a", "zz"):
        yield "an ineligible action added", _differs(decided(with_one_out(world, name)), decision, rejected=False)
    yield "the future moved", _differs(decided(with_the_future_moved(world)), decision, words=False)
    yield "reservations kept longer", _sooner(decided(with_reservations_kept_longer(world)), decision)
    helpful = [one for one in decision.candidates if one.terms.p > 0]
    if helpful:
        yield from _raised(world, decision, rng.choice(helpful), rng)
    if decision.group != "random":
        for one in decision.candidates:
            if one.terms.p <= 0 and not world.catalog[one.action].mandatory:
                awake = one.units or one.action in {result.action for result in decision.results}
                yield "sleeping dogs", f"{one.action} was woken" if awake else ""


def _raised(world: World, before: Decided, one: Candidate, rng: Random) -> Iterator[tuple[str, str]]:
    for key in ("value", "lever"):
        after = decided(with_more(world, one.action, **{key: rng.choice((1.01, 1.5, 10.0))}))
        now = _of(after, one.action)
        # a rule or a weight may read the value, and mean it
        if now is not None and now.terms.c == one.terms.c and _names(after) == _names(before):
            yield f"{key} raised", _lower(now, one, before)
    topics = world.catalog[one.action].topics
    if topics:
        after = decided(with_topic_wanted(world, rng.choice(topics)))
        now = _of(after, one.action)
        if now is None:
            yield "preference raised", "the action is out"
        elif _names(after) == _names(before):
            yield "preference raised", "" if now.rank <= one.rank else f"rank {one.rank} became {now.rank}"


def _lower(now: Candidate, before: Candidate, decision: Decided) -> str:
    if now.rank > before.rank:
        return f"rank {before.rank} became {now.rank}"
    free = decision.group == "treatment" and "selling_suppressed" not in decision.reasons
    if free and now.units < before.units - INTEGRATION * WHOLE:
        return f"{before.units} units became {now.units}"
    return ""


def _differs(one: Decided, other: Decided, *, words: bool = True, rejected: bool = True) -> str:
    """Where two decisions differ; without `words` hints and texts may, without `rejected` who was rejected may."""
    if words and one.results != other.results:
        return "the results differ"
    if _shown(one) != _shown(other):
        return "the choices differ"
    if one.candidates != other.candidates or one.nothing_units != other.nothing_units:
        return "the candidates differ"
    if rejected and (one.rejected != other.rejected if words else _rules(one) != _rules(other)):
        return "the rejections differ"
    return ""


def _sooner(one: Decided, other: Decided) -> str:
    """Where the first differs, but for a wait until what is reserved now is released: that comes later, or elsewhere."""
    for kept, was in zip(one.results, other.results, strict=True):
        here = kept.wait is not None and kept.wait.touchpoint is None
        if here and (was.wait is None or kept.wait.until < was.wait.until):
            return f"{kept.placement} can be filled sooner"
    return _differs(_without_waits(one), _without_waits(other), words=False)


def _without_waits(decision: Decided) -> Decided:
    """The decision with nothing in the places that wait."""
    nothing = {"kind": "nothing", "send_at": None, "wait": None, "reason": ""}
    return replace(decision, results=tuple(one if one.action else replace(one, **nothing) for one in decision.results))


def _reweighed(one: Decided, other: Decided, names: dict[str, str]) -> str:
    """Where the probabilities differ by more than rounding, under other names."""
    before = {names[each.action]: each for each in other.candidates}
    if len({one.terms.priority for one in other.candidates}) < len(other.candidates):
        return ""  # of equal priorities the smaller name comes first, and may do so
    for each in one.candidates:
        was = before[each.action]
        if each.rank != was.rank or abs(each.units - was.units) > ROUNDING:
            return f"{was.action} had rank {was.rank} and {was.units} units, now {each.rank} and {each.units}"
    return "" if len(before) == len(one.candidates) else "others are candidates"


def _back(decision: Decided) -> Decided:
    """The decision with the actions' old names."""
    return replace(
        decision,
        results=tuple(one if one.action is None else replace(one, action=one.action[2:]) for one in decision.results),
        candidates=tuple(replace(one, action=one.action[2:]) for one in decision.candidates),
        rejected=tuple(replace(one, action=one.action[2:]) for one in decision.rejected),
    )


def _shown(decision: Decided) -> list[tuple[object, ...]]:
    return [(one.placement, one.kind, one.action, one.send_at, one.units, one.reason) for one in decision.results]


def _rules(decision: Decided) -> list[tuple[str, str, str]]:
    return [(one.action, one.tier, one.rule) for one in decision.rejected]


def _names(decision: Decided) -> set[str]:
    return {one.action for one in decision.candidates}


def _of(decision: Decided, action: str) -> Candidate | None:
    return next((one for one in decision.candidates if one.action == action), None)
