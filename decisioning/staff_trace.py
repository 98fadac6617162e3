"""Why, for staff: the whole trace of a decision, from the decision alone."""

from math import prod
from typing import Any

from decisioning.chance import WHOLE
from decisioning.domain import TIERS, Candidate, Decision, Result
from decisioning.factors import Factor, factors
from decisioning.policy import Policy
from decisioning.trace import Weighed

_TERMS = ("p", "c", "v", "l")
_WANTED = {True: "more", False: "less"}


def for_staff(decision: Decision) -> dict[str, Any]:
    """How many candidates each tier left, who competed with which terms and beliefs, and who won without which term.

    `standing` is None, and so is what each candidate's `belief` and `context` are made of, where a decision was not weighed
    or its record holds too little.
    """
    candidates, rejected = decision.candidates, decision.rejected
    whole = decision.trace if isinstance(decision.trace, Weighed) else None
    left = len(candidates) + len(rejected)
    funnel: dict[str, int] = {"candidates": left}
    for tier in TIERS:
        left -= sum(one.tier == tier for one in rejected)
        funnel[tier] = left
    return {
        "touchpoint": decision.request.touchpoint,
        "group": decision.group,
        "arms": dict(decision.arms),
        "journey_stage": decision.journey_stage,
        "standing": _standing(whole),
        "funnel": funnel,
        "ranking": [_ranked(candidate, whole) for candidate in candidates],
        "probability_of_nothing": decision.nothing_units / WHOLE,
        "first_without": {term: _first_without(candidates, term) for term in _TERMS},
        "places": [_place(result) for result in decision.results],
        "rejected": [
            {
                "action": one.action,
                "tier": one.tier,
                "rule": one.rule,
                "unlock": one.unlock,
                "until": None if one.until is None else one.until.isoformat(),
            }
            for one in rejected
        ],
        "reasons": list(decision.reasons),
    }


def _standing(whole: Weighed | None) -> dict[str, Any] | None:
    """What suppresses selling, and how the customer feels."""
    if whole is None:
        return None
    standing = whole.sifted.asked.standing
    return {
        "suppressed_by": list(standing.suppressed),
        "mood": standing.mood,
        "make_good": sorted(standing.make_good),
        "open_promise": standing.open_promise,
        "broken_promise": standing.broken_promise,
        "hardship": standing.hardship,
    }


def _ranked(candidate: Candidate, whole: Weighed | None) -> dict[str, Any]:
    terms = candidate.terms
    told = {
        "action": candidate.action,
        "rank": candidate.rank,
        "priority": terms.priority,
        "threshold": candidate.threshold,
        "probability": candidate.units / WHOLE,
        "terms": {"p": terms.p, "c": terms.c, "v": terms.v, "l": terms.l, "assumed": list(terms.assumed)},
        "response": candidate.response,
        "belief": None,
        "context": None,
    }
    if whole is None:
        return told
    at, policy = whole.sifted.plan.position(candidate.action), whole.sifted.asked.rulebook.policy
    shape, rate = float(whole.beliefs.shape[at]), float(whole.beliefs.rate[at])
    # how many responses were predicted, and how many came, the prior's share included
    told["belief"] = {"expected": rate, "seen": shape, "times_the_prediction": shape / rate}
    told["context"] = [
        {"whose": one.whose, "about": one.about, "factor": one.factor, "says": _says(one, policy)}
        for one in factors(whole.sifted, at)
    ]
    return told


def _says(factor: Factor, policy: Policy) -> str:
    match factor.whose:
        case "weight":
            return policy.weights[factor.weight].says or f"the policy's weight {factor.about}"
        case "maybe_later":
            return f"the customer said 'maybe later' to {factor.about}"
        case _:
            return f"the customer asked for {_WANTED[factor.factor > 1.0]} of the {factor.whose} {factor.about}"


def _place(result: Result) -> dict[str, Any]:
    """What filled a place, and why then."""
    return {
        "placement": result.placement,
        "kind": result.kind,
        "action": result.action,
        "reason": result.reason,
        "probability": None if result.units is None else result.units / WHOLE,
        "send_at": None if result.send_at is None else result.send_at.isoformat(),
        "timing": result.timing or None,
        "wait": None
        if result.wait is None
        else {
            "until": result.wait.until.isoformat(),
            "because": result.wait.because,
            "touchpoint": result.wait.touchpoint,
        },
    }


def _first_without(candidates: tuple[Candidate, ...], term: str) -> str | None:
    """The action with the highest priority had one term been 1 for all; of equal ones the smaller name."""

    def priority(candidate: Candidate) -> float:
        return float(prod(getattr(candidate.terms, other) for other in _TERMS if other != term))

    ranked = sorted(candidates, key=lambda one: (-priority(one), one.action))
    return ranked[0].action if ranked else None
