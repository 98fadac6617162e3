"""What the demo brand shows by example: every capability of the engine at least once, and no action that nobody gets."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

import examples.grocer
from decisioning.conditions import Condition, Not, fields_of
from decisioning.domain import SELLING, Job
from decisioning.policy import CONTACT_MEMORY
from features.playbook import Playbook
from features.workspace import Workspace


@pytest.fixture(scope="module")
def book() -> Playbook:
    return Workspace.load(Path(examples.grocer.__file__).parent).playbook


# ------------------------------------------------------------------------------------------------------- every capability


def conditions(book: Playbook) -> Iterator[Condition]:
    """Every condition that the brand wrote, wherever it stands."""
    policy = book.policy
    for action in book.catalog.actions:
        yield from (one for one in (action.eligible, action.relevant) if one is not None)
    yield from (stage.when for stage in policy.journey if stage.when is not None)
    for tier in (policy.rules.eligibility, policy.rules.applicability, policy.rules.suitability):
        yield from (rule.require for rule in tier)
    yield from (weight.when for weight in policy.weights if weight.when is not None)


def reads(book: Playbook, *wanted: str) -> bool:
    fields = frozenset[str]().union(*(fields_of(one) for one in conditions(book)))
    return set(wanted) <= fields


def rule_reads(book: Playbook, *, tier: str, field: str) -> bool:
    return any(field in fields_of(rule.require) for rule in getattr(book.policy.rules, tier))


def weighed_by(book: Playbook, field: str, job: Job) -> bool:
    return any(
        job in weight.scope.job and (weight.scale == field or (weight.when is not None and field in fields_of(weight.when)))
        for weight in book.policy.weights
    )


CAPABILITIES: dict[str, Callable[[Playbook], object]] = {
    "consent": lambda book: len({action.purpose for action in book.catalog.actions}) > 1,
    "eligibility": lambda book: book.policy.rules.eligibility,
    "applicability": lambda book: book.policy.rules.applicability,
    "suitability": lambda book: book.policy.rules.suitability,
    "validity": lambda book: any(action.valid_from and action.valid_until for action in book.catalog.actions),
    "a cap on all that a customer sees": lambda book: any(
        cap.each == "customer" and not any((cap.scope.job, cap.scope.group, cap.scope.action, cap.scope.channel))
        for cap in book.policy.contact.caps
    ),
    "a cap for each action": lambda book: any(cap.each == "action" for cap in book.policy.contact.caps),
    "a cap for each group": lambda book: any(cap.each == "group" for cap in book.policy.contact.caps),
    "a cap for each channel": lambda book: any(cap.each == "channel" for cap in book.policy.contact.caps),
    "a cap on one channel": lambda book: any(cap.scope.channel for cap in book.policy.contact.caps),
    "a cap on some actions": lambda book: any(cap.scope.action for cap in book.policy.contact.caps),
    "a cool-down": lambda book: timedelta(0) < book.policy.contact.cool_down <= CONTACT_MEMORY,
    "maybe later": lambda book: 0 < book.policy.contact.maybe_later.to < 1,
    "quiet hours": lambda book: book.policy.contact.quiet_hours,
    "fatigue, up to the cap and not beyond it": lambda book: (
        (tired := book.policy.contact.fatigue)
        and tired.least < tired.most <= min(cap.most for cap in book.policy.contact.caps if cap.rule == "ten_a_week")
    ),
    "a least time between two": lambda book: any(action.every for action in book.catalog.actions),
    "a budget": lambda book: any(action.budget for action in book.catalog.actions),
    "a legal message": lambda book: any(
        action.mandatory and action.job not in SELLING and action.purpose == "service" for action in book.catalog.actions
    ),
    "a partner, with disclosure": lambda book: (
        any(action.partner for action in book.catalog.actions) and book.policy.voice.partner_disclosure
    ),
    "a lever": lambda book: any(action.lever != 1 for action in book.catalog.actions),
    "what must not be": lambda book: any(isinstance(one, Not) for one in conditions(book)),
    "what offers give": lambda book: any(action.gives for action in book.catalog.actions),
    "the value exchange in rules": lambda book: reads(book, "state.given", "state.received", "state.worth"),
    "hardship": lambda book: (
        reads(book, "state.hardship") and {"began", "ended"} <= {one.hardship for one in book.brand.signals.values()}
    ),
    "promises open and broken": lambda book: reads(book, "state.open_promise", "state.broken_promise"),
    "making good": lambda book: any(
        action.job == "recover" and action.relevant is not None and "state.broken_promise" in fields_of(action.relevant)
        for action in book.catalog.actions
    ),
    "pausing what does not keep its promises": lambda book: 0 < book.policy.promises.at_least <= 1,
    "emotion": lambda book: reads(book, "state.emotion_valence", "state.emotion_intensity"),
    "preferences that steer": lambda book: book.policy.preferences.more > 1 > book.policy.preferences.less,
    "topics": lambda book: len({topic for action in book.catalog.actions for topic in action.topics}) > 6,
    "every job": lambda book: {action.job for action in book.catalog.actions} == set(get_args(Job)),
    "the journey, there and back": lambda book: (
        {"prospect", "onboarding", "at_risk", "lapsed", "won_back", "advocate"}
        <= {stage.stage for stage in book.policy.journey}
        and reads(book, "stage")
    ),
    "referral of the happy alone": lambda book: rule_reads(book, tier="suitability", field="state.emotion_valence"),
    "no referral while something is promised": lambda book: rule_reads(book, tier="suitability", field="state.open_promise"),
    "churn risk in retention": lambda book: weighed_by(book, "prediction.churn", "retain"),
    "customer value in retention": lambda book: weighed_by(book, "profile.tier", "retain"),
    "two experiments, one within the other, both read": lambda book: (
        len(book.policy.experiments) > 1
        and any(one.within for one in book.policy.experiments)
        and reads(book, *(f"experiment.{one.experiment}" for one in book.policy.experiments))
    ),
    "groups that measure": lambda book: book.policy.groups.control > 0 and book.policy.groups.random > 0,
    "exploration": lambda book: book.policy.exploration.mass > 0,
    "what is never said": lambda book: book.policy.voice.forbidden and book.policy.voice.urgency,
    "tones by mood and by stage": lambda book: (
        {"upset", "happy"} < set(book.policy.voice.tone_of) and "lapsed" in book.policy.voice.tone_of
    ),
    "one message in two tones": lambda book: any(
        len({one.tone for one in treatments}) > 1
        for action in book.catalog.actions
        for treatments in action.treatments.values()
    ),
    "a second language for several": lambda book: (
        sum(
            any("es-US" in one.locales for some in action.treatments.values() for one in some)
            for action in book.catalog.actions
        )
        >= 5
    ),
    "six places": lambda book: len(book.catalog.touchpoints) >= 6,
    "22 actions": lambda book: len(book.catalog.actions) >= 22,
}


@pytest.mark.parametrize("shown", CAPABILITIES.values(), ids=CAPABILITIES.keys())
def test_every_capability_is_shown_by_example(book: Playbook, shown: Callable[[Playbook], object]) -> None:
    assert shown(book)


def test_every_weight_rule_and_cap_has_a_name_of_its_own(book: Playbook) -> None:
    policy = book.policy
    named = (*policy.rules.eligibility, *policy.rules.applicability, *policy.rules.suitability)
    names = [one.rule for one in (*named, *policy.contact.caps, *policy.weights)]
    assert len(names) == len(set(names))


def test_legal_messages_keep_to_what_their_places_are_for(book: Playbook) -> None:
    for action in book.catalog.actions:
        if action.mandatory:
            assert all(action.job in book.catalog.touchpoints[name].jobs for name in action.treatments)
            assert action.every is not None
