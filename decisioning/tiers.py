"""The five tiers, in their order: all that an action must pass at a touchpoint, written down once when a catalog loads.

Each line is a question and the rule that a rejection names. A question is a condition over facts, or a *key* that
`decisioning.eligibility` answers for the customer of a decision.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from decisioning.caps import key_of
from decisioning.catalog import Action, Touchpoint
from decisioning.conditions import Condition, Test
from decisioning.domain import SELLING, Tier
from decisioning.policy import Cap, Policy
from decisioning.policy import Rule as Written
from decisioning.standing import SUPPRESSING

Key = tuple[str, ...]
"""What a gate is about, such as ("consent", "marketing") or ("cap", "two_emails_a_week", "email")."""

NEVER: Key = ("never",)
MICROSECONDS = "now"
"""The field under which validity reads the moment of the decision, in microseconds since 1970."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What an action can fail at, as its rejection names it."""

    tier: Tier
    rule: str
    condition: Condition | None = None
    cap: Cap | None = None


Line = tuple[Condition | Key, Rule]


def lines(action: Action, touchpoint: Touchpoint, policy: Policy) -> Iterator[Line]:
    """What an action must pass at a touchpoint, in the order in which it is asked."""
    yield from _consent(action)
    yield from _eligibility(action, touchpoint, policy)
    yield from _applicability(action, touchpoint, policy)
    yield from _suitability(action, touchpoint, policy)
    yield from _contact(action, touchpoint, policy)


def _consent(action: Action) -> Iterator[Line]:
    yield ("consent", action.purpose), Rule(tier="consent", rule=f"consent_{action.purpose}")
    yield ("channel_open",), Rule(tier="consent", rule="channel_closed")
    if action.mandatory:
        return
    yield ("not_paused",), Rule(tier="consent", rule="paused")
    yield ("channel_wanted",), Rule(tier="consent", rule="channel_declined")
    for topic in action.topics:
        yield ("topic_wanted", topic), Rule(tier="consent", rule="topic_declined")
    yield ("group_wanted", action.group), Rule(tier="consent", rule="group_declined")


def _eligibility(action: Action, touchpoint: Touchpoint, policy: Policy) -> Iterator[Line]:
    yield ("known",), Rule(tier="eligibility", rule="known_customer")
    if not action.mandatory:
        yield ("treated",), Rule(tier="eligibility", rule="holdout")
    if action.valid_from is not None:
        yield Test(MICROSECONDS, ">=", microseconds(action.valid_from)), Rule(tier="eligibility", rule="not_yet_valid")
    if action.valid_until is not None:
        yield Test(MICROSECONDS, "<", microseconds(action.valid_until)), Rule(tier="eligibility", rule="no_longer_valid")
    yield from _asked("eligibility", "eligible", action.eligible)
    yield from _written("eligibility", policy.rules.eligibility, action, touchpoint)
    if not action.mandatory:
        yield ("promises_kept", action.name), Rule(tier="eligibility", rule="promises_not_kept")


def _applicability(action: Action, touchpoint: Touchpoint, policy: Policy) -> Iterator[Line]:
    if action.job not in touchpoint.jobs:
        yield NEVER, Rule(tier="applicability", rule="touchpoint_job")
    yield from _asked("applicability", "relevant", action.relevant)
    yield from _written("applicability", policy.rules.applicability, action, touchpoint)


def _suitability(action: Action, touchpoint: Touchpoint, policy: Policy) -> Iterator[Line]:
    if not action.mandatory:
        if action.job in SELLING:
            for why in SUPPRESSING:
                yield (f"no_{why}",), Rule(tier="suitability", rule=why)
        yield ("makes_good", action.name), Rule(tier="suitability", rule="make_good_first")
    yield ("in_tone", action.name), Rule(tier="suitability", rule="tone")
    yield from _written("suitability", policy.rules.suitability, action, touchpoint)


def _contact(action: Action, touchpoint: Touchpoint, policy: Policy) -> Iterator[Line]:
    if not action.mandatory:
        yield ("cooled_down", action.group), Rule(tier="contact", rule="cool_down")
        for at, cap in enumerate(policy.contact.caps):
            if cap.scope.covers(action, touchpoint):
                yield ("cap", str(at), key_of(cap, action, touchpoint)), Rule(tier="contact", rule=cap.rule, cap=cap)
        if policy.contact.fatigue is not None:
            yield ("not_tired",), Rule(tier="contact", rule="fatigue")
        yield ("pace",), Rule(tier="contact", rule="pace")
    if action.every is not None:
        yield ("long_ago", action.name), Rule(tier="contact", rule="too_soon")
    if action.budget is not None:
        yield ("in_stock", action.name), Rule(tier="contact", rule="budget")
    if touchpoint.direction == "outbound":
        yield ("in_time", until_key(action.valid_until)), Rule(tier="contact", rule="in_time")


def until_key(until: datetime | None) -> str:
    return "" if until is None else until.isoformat()


def microseconds(moment: datetime) -> float:
    """Since 1970; exact in a float64 until the year 2255."""
    return float((moment - _EPOCH) // timedelta(microseconds=1))


def _asked(tier: Tier, rule: str, condition: Condition | None) -> Iterator[Line]:
    if condition is not None:
        yield condition, Rule(tier=tier, rule=rule, condition=condition)


def _written(tier: Tier, rules: Sequence[Written], action: Action, touchpoint: Touchpoint) -> Iterator[Line]:
    for one in rules:
        if one.scope.covers(action, touchpoint):
            yield one.require, Rule(tier=tier, rule=one.rule, condition=one.require)
