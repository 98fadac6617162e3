"""The five tiers: what each rule rejects, what its hint says, in which order they are asked, and whom they do not bind."""

from typing import Any

import pytest

from decisioning.conditions import parse
from decisioning.domain import TIERS
from decisioning.policy import Contact, Rules
from decisioning.tiers import Rule as Line
from decisioning.tiers import lines
from tests import worlds
from tests.decisioning.rule_cases import (
    CASES,
    DAY,
    GOLD_ONLY,
    TIRED,
    TWO_A_WEEK,
    Case,
)
from tests.worlds import NOW

BINDS_ALL = {
    *("consent_marketing", "consent_service", "channel_closed", "known_customer", "not_yet_valid", "no_longer_valid"),
    *("eligible", "only_gold", "touchpoint_job", "relevant", "tone", "too_soon", "budget", "in_time"),
}
"""The rules that bind mandatory messages too."""

IN_ORDER = (
    *("consent_marketing", "channel_closed", "paused", "channel_declined", "topic_declined", "group_declined"),
    *("known_customer", "holdout", "not_yet_valid", "no_longer_valid", "eligible", "only_gold", "promises_not_kept"),
    *("touchpoint_job", "relevant", "only_gold"),
    *("open_complaint", "negative_emotion", "hardship", "broken_promise", "make_good_first", "tone", "only_gold"),
    *("cool_down", "two_a_week", "fatigue", "pace", "too_soon", "budget", "in_time"),
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_rule_of_each_tier_rejects_and_says_what_would_unlock_it(case: Case) -> None:
    why = case.rejection()
    assert why is not None
    assert (why.action, why.tier, why.rule) == ("coupon", case.tier, case.rule)
    assert case.hint in why.unlock


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_once_what_the_hint_says_is_true_the_action_passes(case: Case) -> None:
    assert case.mended() is None


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_mandatory_message_passes_by_the_rules_of_selling_and_by_no_other(case: Case) -> None:
    assert (case.rejection(mandatory=True) is not None) is (case.rule in BINDS_ALL)


def test_the_rules_are_asked_in_the_order_of_their_tiers_and_every_one_of_them_has_a_case() -> None:
    asked = everything_asked()
    assert tuple(rule.rule for _, rule in asked) == IN_ORDER
    assert list(dict.fromkeys(rule.tier for _, rule in asked)) == list(TIERS)
    assert {(rule.tier, rule.rule) for _, rule in asked} == {
        (case.tier, case.rule) for case in CASES.values() if case.rule != "consent_service"
    }


def everything_asked() -> list[tuple[Any, Line]]:
    """All that can be asked of one action at one touchpoint."""
    everything = worlds.action(
        topics=("bakery",),
        valid_from=NOW,
        valid_until=NOW,
        eligible=parse("state.known = true"),
        relevant=parse("state.known = true"),
        budget=1,
        every=DAY,
    )
    one_each = Rules(eligibility=(GOLD_ONLY,), applicability=(GOLD_ONLY,), suitability=(GOLD_ONLY,))
    policy = worlds.policy(rules=one_each, contact=Contact(caps=(TWO_A_WEEK,), fatigue=TIRED))
    return list(lines(everything, worlds.email(jobs=("serve",)), policy))
