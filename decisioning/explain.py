"""Why: for staff the whole trace, for the customer plain words. Both come from the decision alone."""

from collections.abc import Iterator
from math import prod
from typing import Any

from decisioning.catalog import Action, Touchpoint
from decisioning.chance import WHOLE
from decisioning.conditions import Condition, fields_of
from decisioning.customer import Profile
from decisioning.domain import SELLING, TIERS, Candidate, Datum, Decision, Predictions, Result
from decisioning.policy import Policy

_WHY = {
    "highest_priority": "Of everything we could say to you here, this should help you most.",
    "explored": "We now and then show something else, to learn what helps you.",
    "random_group": "You are one of the few customers to whom we show a fair random choice, to check our own judgement.",
    "care_before_selling": "Something went wrong for you, so we put that right before anything else.",
    "unknown_customer": "We do not know you yet, so we show what everyone sees.",
    "control_group": "You are one of the customers to whom we show no offers, to measure whether offers help at all.",
    "nothing_is_worth_the_attention": "Nothing we could say seemed worth your attention.",
    "nothing_passed_the_rules": "Our own rules for contacting you left nothing to say.",
    "log_unavailable": "We could not look after you properly at that moment, so we showed what everyone sees.",
    "state_kept_changing": "Too much happened at once at that moment, so we showed what everyone sees.",
}

_TERMS = ("p", "c", "v", "l")
_FROM = {"first_party": "you and your visits", "third_party": "a data partner"}


def data_used(
    action: Action, *, touchpoint: Touchpoint, profile: Profile, predictions: Predictions, policy: Policy
) -> tuple[Datum, ...]:
    """What was known of the customer and read to choose this action: by its rules, its weights and its model."""
    names = [
        field.partition(".")[2] for field in sorted(_fields_read(action, touchpoint, policy)) if field.startswith("profile.")
    ]
    names += predictions.reads.get(action.name, ())
    found: dict[str, Datum] = {}
    for name in names:
        feature = profile.index[name]
        if feature.says and profile.present[profile.index.positions[name]]:
            found.setdefault(feature.says, Datum(says=feature.says, source=feature.source))
    return tuple(found.values())


def for_staff(decision: Decision) -> dict[str, Any]:
    """How many candidates each tier left, who competed with which terms, and who won without which term."""
    left = len(decision.candidates) + len(decision.rejected)
    funnel: dict[str, int] = {"candidates": left}
    for tier in TIERS:
        left -= sum(one.tier == tier for one in decision.rejected)
        funnel[tier] = left
    return {
        "group": decision.group,
        "journey_stage": decision.journey_stage,
        "funnel": funnel,
        "ranking": [_ranked(candidate) for candidate in decision.candidates],
        "probability_of_nothing": decision.nothing_units / WHOLE,
        "first_without": {term: _first_without(decision, term) for term in _TERMS},
        "rejected": [
            {"action": one.action, "tier": one.tier, "rule": one.rule, "unlock": one.unlock} for one in decision.rejected
        ],
        "reasons": list(decision.reasons),
    }


def for_customer(decision: Decision) -> dict[str, Any]:
    """Plain words for each place: why, from which data, how much our own gain counted, what to press to change it."""
    return {"results": [_in_plain_words(result, decision) for result in decision.results]}


def _in_plain_words(result: Result, decision: Decision) -> dict[str, Any]:
    if result.kind == "wait":
        assert result.wait is not None
        why = f"We would rather wait until {result.wait.until:%Y-%m-%d %H:%M} UTC than write to you too often."
    else:
        why = _WHY[result.reason]
    told: dict[str, Any] = {"placement": result.placement, "why": why, "data_used": [], "commercial_weight": None, "change": []}
    if result.action is None:
        return told
    told["data_used"] = [{"what": one.says, "from": _FROM[one.source]} for one in result.data]
    told["commercial_weight"] = _commercial_weight(result, decision, sells=result.job in SELLING)
    told["when"] = _to_you(result.timing)
    told["change"] = [
        "Say no to this message, and nothing like it comes for a while.",
        "Unsubscribe from it, and we no longer write to you in this way.",
    ]
    return told


def _to_you(timing: str) -> str:
    """The reason for a moment, said to the customer it speaks of."""
    return timing.replace("the customer is here", "you are here").replace("this customer usually comes", "you usually come")


def _commercial_weight(result: Result, decision: Decision, *, sells: bool) -> str:
    """What our own gain did to the choice: its place with and without the terms v and l."""
    if not sells:
        return "None: this message sells nothing."
    without = sorted(decision.candidates, key=lambda one: (-one.terms.p * one.terms.c, one.action))
    rank = next(one.rank for one in decision.candidates if one.action == result.action)
    fair = next(at for at, one in enumerate(without, start=1) if one.action == result.action)
    if fair == rank:
        return f"It would have come in the same place ({rank}) had our own gain not counted."
    return f"With our own gain counted it came in place {rank}, without it in place {fair}."


def _fields_read(action: Action, touchpoint: Touchpoint, policy: Policy) -> Iterator[str]:
    conditions: list[Condition | None] = [action.eligible, action.relevant]
    for rules in (policy.rules.eligibility, policy.rules.applicability, policy.rules.suitability):
        conditions += [rule.require for rule in rules if rule.scope.covers(action, touchpoint)]
    for weight in policy.weights:
        if weight.scope.covers(action, touchpoint):
            conditions.append(weight.when)
            if weight.scale is not None:
                yield weight.scale
    conditions += [stage.when for stage in policy.journey]
    for condition in conditions:
        if condition is not None:
            yield from fields_of(condition)


def _ranked(candidate: Candidate) -> dict[str, Any]:
    terms = candidate.terms
    return {
        "action": candidate.action,
        "rank": candidate.rank,
        "priority": terms.priority,
        "threshold": candidate.threshold,
        "probability": candidate.units / WHOLE,
        "terms": {"p": terms.p, "c": terms.c, "v": terms.v, "l": terms.l, "assumed": list(terms.assumed)},
    }


def _first_without(decision: Decision, term: str) -> str | None:
    """The action with the highest priority had one term been 1 for all; of equal ones the smaller name."""

    def priority(candidate: Candidate) -> float:
        return float(prod(getattr(candidate.terms, other) for other in _TERMS if other != term))

    ranked = sorted(decision.candidates, key=lambda one: (-priority(one), one.action))
    return ranked[0].action if ranked else None
