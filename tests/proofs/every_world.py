"""In any world no rule is broken, every rejection names the first failing rule, hints are true, and replay is the same."""

from collections import Counter
from collections.abc import Iterator
from random import Random

from tests.decisioning.oracle.rules import failures
from tests.decisioning.oracle.seen import Seen, look
from tests.decisioning.oracle.world import World
from tests.proofs.checking import faults_of
from tests.proofs.deciding import Decided, decided, decided_from_its_record
from tests.proofs.finding import Finding, found
from tests.proofs.hints import follow
from tests.proofs.random_brands import brand
from tests.proofs.random_customers import customers

CUSTOMERS = 100
"""Of each brand: a catalog is compiled once."""
HINTS, BY_THE_CORE, REPLAYED = 2, 20, 50
"""Hints followed in each world; every so many worlds the core must agree with one, and a record is decided again."""
TRUE = 0.99


def rules_hold(size: int, seed: int) -> Finding:
    """No action is chosen against a rule; all else in a decision is as the oracle says; records replay."""
    counts, faults = Counter[str](), list[str]()
    rules = Counter[str]()
    for at, world in enumerate(_worlds(size, seed)):
        seen, decision = look(world), decided(world)
        counts.update(
            worlds=1,
            candidates=len(world.candidates),
            passed=len(decision.candidates),
            choices=sum(one.kind == "action" for one in decision.results),
            waits=sum(one.kind == "wait" for one in decision.results),
        )
        rules.update(_called(one.rule) for one in decision.rejected)
        faults += [f"world {at} of seed {seed}: {fault}" for fault in faults_of(decision, world, seen)]
        if at % REPLAYED == 0:
            counts["replayed"] += 1
            kept, again = decided_from_its_record(world)
            if again != kept:
                faults.append(f"world {at} of seed {seed}: another decision from its record")
    return found("rules hold", size=size, seed=seed, counted={**counts, "rules": dict(rules)}, faults=faults)


def hints_unlock(size: int, seed: int) -> Finding:
    """A rejected action passes the rule that it failed once what the hint says is true."""
    tried, untrue, asked = 0, Counter[str](), 0
    faults: list[str] = []
    rng = Random(seed)
    for at, world in enumerate(_worlds(size, seed)):
        decision = decided(world)
        for rejection in rng.sample(decision.rejected, min(HINTS, len(decision.rejected))):
            tried += 1
            better = follow(rejection, world, rng)
            if better is None or rejection.rule in _failed(rejection.action, look(better)):
                untrue[_called(rejection.rule)] += 1
                faults.append(f"world {at} of seed {seed}: {rejection.rule}: {rejection.unlock} until {rejection.until}")
            elif at % BY_THE_CORE == 0 and not better.said:
                asked += 1
                if rejection.rule in _rejected(rejection.action, decided(better)):
                    untrue[f"{_called(rejection.rule)}, says the core"] += 1
                    faults.append(f"world {at} of seed {seed}: the core still rejects by {rejection.rule}")
    share = 1.0 - sum(untrue.values()) / max(tried, 1)
    counted = {"hints": tried, "asked of the core": asked, "share true": share, "untrue": dict(untrue)}
    return found("hints unlock", size=size, seed=seed, counted=counted, faults=faults if share < TRUE else ())


def _worlds(size: int, seed: int) -> Iterator[World]:
    rng = Random(seed)
    left = size
    while left > 0:
        count = min(CUSTOMERS, max(1, size // 40), left)
        yield from customers(rng, brand(rng), count)
        left -= count


def _failed(action: str, seen: Seen) -> set[str]:
    return {rule for _, rule in failures(seen.world.catalog[action], seen)}


def _rejected(action: str, decision: Decided) -> set[str]:
    return {one.rule for one in decision.rejected if one.action == action}


def _called(rule: str) -> str:
    """The kind of a rule: those that a brand wrote itself count together."""
    return rule.partition("_")[0] if rule.startswith(("rule_", "cap_")) else rule
