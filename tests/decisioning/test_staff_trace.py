"""The trace for staff: it adds up, and says what each number is made of."""

import json
from dataclasses import replace
from datetime import timedelta
from math import prod

import pytest

from decisioning.customer import Refusal
from decisioning.domain import TIERS, Evidence, Nothing
from decisioning.policy import Experiment, Weight
from decisioning.preferences import Preference
from decisioning.staff_trace import for_staff
from tests import worlds
from tests.decisioning.explained import CATALOG, POLICY, told
from tests.worlds import NOW


def test_the_funnel_adds_up_tier_by_tier() -> None:
    decision = told()
    trace = for_staff(decision)
    assert trace["funnel"] == {
        "candidates": 7,
        "consent": 6,
        "eligibility": 5,
        "applicability": 4,
        "suitability": 4,
        "contact": 3,
    }
    assert list(trace["funnel"]) == ["candidates", *TIERS]
    assert len(trace["ranking"]) == trace["funnel"]["contact"]
    assert len(trace["rejected"]) == trace["funnel"]["candidates"] - trace["funnel"]["contact"]


def test_the_ranking_gives_terms_whose_product_is_the_priority_and_probabilities_that_sum_to_one() -> None:
    trace = for_staff(told())
    for one in trace["ranking"]:
        terms = one["terms"]
        assert terms["p"] * terms["c"] * terms["v"] * terms["l"] == pytest.approx(one["priority"], rel=1e-9)
    assert sum(one["probability"] for one in trace["ranking"]) + trace["probability_of_nothing"] == 1.0


def test_who_would_have_come_first_without_a_term() -> None:
    """coupon_bakery leads by its lever; without it thanks leads by its response; without value too, coupon_bakery again."""
    of = worlds.predictions(CATALOG, {"coupon_bakery": 0.2, "thanks": 0.5, "coupon_produce": 0.1})
    trace = for_staff(told(predictions=of))
    assert [one["action"] for one in trace["ranking"]] == ["coupon_bakery", "thanks", "coupon_produce"]
    assert trace["first_without"] == {"p": "coupon_bakery", "c": "coupon_bakery", "v": "thanks", "l": "thanks"}


def test_a_term_of_zero_does_not_hide_who_would_have_come_first_without_it() -> None:
    policy = replace(POLICY, weights=(Weight(rule="w", factor=0.0),))
    assert for_staff(told(policy=policy))["first_without"]["c"] == "coupon_bakery"


def test_every_rejection_is_told_with_tier_rule_and_hint() -> None:
    assert {(one["action"], one["tier"], one["rule"]) for one in for_staff(told())["rejected"]} == {
        ("no_consent", "consent", "consent_nothing"),
        ("stale", "eligibility", "no_longer_valid"),
        ("irrelevant", "applicability", "relevant"),
        ("spent", "contact", "budget"),
    }
    assert all(one["unlock"] for one in for_staff(told())["rejected"])


def test_a_trace_without_candidates_is_whole() -> None:
    trace = for_staff(told(state=worlds.state(consents={})))
    assert trace["ranking"] == []
    assert trace["probability_of_nothing"] == 1.0
    assert set(trace["first_without"].values()) == {None}


def test_a_trace_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(for_staff(told()))) == for_staff(told())


def test_what_made_the_context_term_is_told_factor_by_factor() -> None:
    policy = replace(
        POLICY,
        weights=(
            Weight(rule="by_risk", factor=3.0, scale="prediction.churn"),
            Weight(rule="new_here", factor=1.25, says="You are new here."),
            Weight(rule="neutral", factor=1.0),
        ),
    )
    state = worlds.state(
        preferences={
            "topic:bakery": Preference(at=NOW, wanted="more"),
            "channel:app": Preference(at=NOW, wanted="less"),
            "group:coupons": Preference(at=NOW, wanted="usual"),
        },
        postponed=(Refusal(action="coupon_bakery", group="coupons", at=NOW - timedelta(days=2)),),
    )
    (bakery,) = [one for one in for_staff(told(policy=policy, state=state))["ranking"] if one["action"] == "coupon_bakery"]
    context = {(one["whose"], one["about"]): one for one in bakery["context"]}
    assert list(context) == [
        ("weight", "by_risk"), ("weight", "new_here"), ("topic", "bakery"), ("channel", "app"), ("maybe_later", "coupons")
    ]  # fmt: skip
    assert context["weight", "by_risk"]["factor"] == pytest.approx(1.2)
    assert context["weight", "by_risk"]["says"] == "the policy's weight by_risk"
    assert context["weight", "new_here"]["says"] == "You are new here."
    assert context["topic", "bakery"]["says"] == "the customer asked for more of the topic bakery"
    assert context["channel", "app"]["says"] == "the customer asked for less of the channel app"
    assert context["maybe_later", "coupons"]["says"] == "the customer said 'maybe later' to coupons"
    assert prod(one["factor"] for one in bakery["context"]) == pytest.approx(bakery["terms"]["c"], rel=1e-9)


def test_a_belief_says_how_many_times_the_prediction_the_responses_come_to() -> None:
    learner = worlds.learner(coupon_bakery=Evidence(shows=100, expected=20.0, successes=40))
    (bakery,) = [one for one in for_staff(told(learner=learner))["ranking"] if one["action"] == "coupon_bakery"]
    belief = bakery["belief"]
    assert belief["seen"] / belief["expected"] == pytest.approx(belief["times_the_prediction"])
    assert 1.5 < belief["times_the_prediction"] < 2.0
    assert bakery["terms"]["p"] == pytest.approx(bakery["response"] * belief["times_the_prediction"] * 0.5)


def test_what_suppresses_selling_the_arms_and_why_each_place_is_filled_as_it_is_are_told() -> None:
    policy = replace(POLICY, experiments=(Experiment(experiment="wording", arms={"new": 1.0}),))
    trace = for_staff(told(policy=policy, state=worlds.state(open_complaints=("c1",))))
    assert trace["standing"]["suppressed_by"] == ["open_complaint"]
    assert (trace["standing"]["mood"], trace["arms"]) == ("upset", {"wording": "new"})
    (place,) = trace["places"]
    assert (place["action"], place["reason"], place["timing"]) == ("thanks", "care_before_selling", "the customer is here now")
    assert place["send_at"] == NOW.isoformat()


def test_what_was_declared_and_not_decided_has_a_trace_too() -> None:
    decision = replace(told(state=worlds.state(consents={})), trace=Nothing(), nothing_units=0)
    trace = for_staff(decision)
    assert (trace["standing"], trace["ranking"], trace["rejected"]) == (None, [], [])
    assert set(trace["funnel"].values()) == {0}
