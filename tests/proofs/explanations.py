"""What customers are told of why: each reason is taken away in earnest, and the choice decided again, by `decide` itself."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from decisioning.counterfactual import Reason, reasons
from decisioning.domain import Decision, Learner, Result
from decisioning.explain import TOLD, for_customer, in_words
from decisioning.trace import Weighed
from tests.proofs.explained_worlds import SENSITIVE, Explained, explained_worlds
from tests.proofs.finding import Finding, found
from tests.reading import grade
from tests.worlds import decided

FAITHFUL = 0.95
HARDEST = 8.0
_UNHEARD = (*SENSITIVE, *SENSITIVE.values(), "You have children", "You own your home")
"""Names, words and weights that follow from a sensitive attribute."""


def explanations_are_faithful(size: int, seed: int) -> Finding:
    """So many explanations of a message: faithful in 95 of 100, none names a sensitive attribute, each paragraph easy to read.

    The explanations of silence that come between them are read too. Faithful: without any one of the reasons named, the
    message's priority moves as the reason says.
    """
    faults: list[str] = []
    explained = faithful = named = silent = private = 0
    hardest = 0.0
    kinds: dict[str, int] = {}
    for world in explained_worlds(seed):
        decision = decided(world.catalog, **world.given)
        for result, told in zip(decision.results, for_customer(decision, world.predict)["results"], strict=True):
            hardest = max(hardest, *map(grade, paragraphs(told)))
            faults += faults_of(told)
            if result.action is None:
                silent += 1
                continue
            given = _reasons(result, decision, world)
            if told["reasons"] != [in_words(one) for one in given]:
                faults.append(f"{told['reasons']} is not what moved it: {given}")
            explained += 1
            named += len(told["reasons"])
            private += "keep private" in json.dumps(told)
            faithful += all(is_faithful(one, result, world) for one in given)
            for one in given:
                kinds[one.whose] = kinds.get(one.whose, 0) + 1
        if explained >= size:
            break
    counted: dict[str, Any] = {
        "explanations": explained,
        "faithful": faithful / explained,
        "reasons": named,
        "of each kind": kinds,
        "with private data": private,
        "of silence": silent,
        "hardest to read": hardest,
    }
    return found(
        "explanations are faithful",
        size=size,
        seed=seed,
        counted=counted,
        faults=faults,
        holds=faithful >= FAITHFUL * explained,
    )


def is_faithful(reason: Reason, result: Result, world: Explained) -> bool:
    """Whether the priority, decided again without the cause, is lower where it helped and higher where it held back."""
    assert result.terms is not None and result.action is not None
    without = _priority(result.action, decided(world.catalog, **_without(reason, world)))
    having = result.terms.priority
    return without < having if in_words(reason)["direction"] == "helped" else without > having


def faults_of(told: dict[str, Any]) -> Iterator[str]:
    """What no customer should read: a sensitive attribute, or words that are too hard."""
    written = json.dumps(told)
    yield from (f"{word!r} is named: {written}" for word in _UNHEARD if word in written)
    yield from (f"grade {grade(text):.1f}: {text}" for text in paragraphs(told) if grade(text) > HARDEST)


def paragraphs(told: dict[str, Any]) -> list[str]:
    """All that a page shows of one explanation. Each is to be easy by itself, or short ones would make up for hard ones."""
    parts = [
        [told["why"]],
        [one["words"] for one in told["reasons"]],
        [f"We used {one['what']}, from {one['from']}." for one in told["data_used"]],
        [told["commercial_weight"] or ""],
        [f"Why now: {told['when']}." if told.get("when") else ""],
        [one["what"] for one in told["change"]],
        [told["left_out"] or ""],
    ]
    joined = (" ".join(line if line.endswith((".", "!", "?")) else f"{line}." for line in lines if line) for lines in parts)
    return [text for text in joined if text]


def _reasons(result: Result, decision: Decision, world: Explained) -> tuple[Reason, ...]:
    """Those that are told."""
    assert isinstance(decision.trace, Weighed) and result.action is not None
    if result.reason in ("must_be_said", "random_group"):
        return ()
    return reasons(decision.trace, decision.trace.sifted.plan.position(result.action), world.predict)[:TOLD]


def _without(reason: Reason, world: Explained) -> dict[str, Any]:
    """What is given to decide once the cause is gone."""
    given, state = world.given, world.given["state"]
    match reason.whose:
        case "datum":
            profile = given["profile"].without(frozenset(reason.features))
            return given | {"profile": profile, "predictions": world.predict(profile)}
        case "weight":
            policy = given["policy"]
            weights = tuple(replace(one, factor=1.0) if one.rule == reason.about else one for one in policy.weights)
            return given | {"policy": replace(policy, weights=weights)}
        case "maybe_later":
            left = tuple(one for one in state.postponed if one.group != reason.about)
            return given | {"state": replace(state, postponed=left)}
        case "evidence":
            return given | {"learner": Learner(evidence={})}
        case _:
            words = {about: word for about, word in state.preferences.items() if about != f"{reason.whose}:{reason.about}"}
            return given | {"state": replace(state, preferences=words)}


def _priority(action: str, decision: Decision) -> float:
    """Of an action, whether it passes or not."""
    assert isinstance(decision.trace, Weighed)
    return float(decision.trace.worths.priority[decision.trace.sifted.plan.position(action)])
