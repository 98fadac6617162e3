"""Why: a trace for staff that adds up, and plain words for the customer that give nothing away."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from decisioning.conditions import parse
from decisioning.customer import Emotion
from decisioning.domain import TIERS, Datum, Decision
from decisioning.explain import data_used, for_customer, for_staff
from decisioning.policy import Cap, Contact, Exploration, Groups, Rule, Rules, Stage, Weight
from tests import worlds
from tests.worlds import NOW, decided

ANGRY = Emotion(valence=-0.9, intensity=0.9, confidence=1.0, at=NOW)
CATALOG = worlds.catalog(
    worlds.action("coupon_bakery", value=12.0, lever=2.0),
    worlds.action("coupon_produce", value=6.0),
    worlds.action("thanks", job="celebrate", value=8.0),
    worlds.action("stale", valid_until=NOW),
    worlds.action("no_consent", purpose="nothing"),
    worlds.action("irrelevant", relevant=parse("profile.points >= 5000")),
    worlds.action("spent", budget=1),
)
POLICY = worlds.policy(
    purposes=worlds.policy().purposes | {"nothing": replace(worlds.policy().purposes["marketing"], default=False)},
    rules=Rules(suitability=(Rule(rule="gold_only", require=parse("profile.tier = gold"), says="Only gold."),)),
)


def told(**changes: Any) -> Decision:
    return decided(CATALOG, **({"policy": POLICY, "stock": {"spent": 0}} | changes))


def used(*, reads: dict[str, tuple[str, ...]] | None = None, policy: Any = None, **known: Any) -> list[tuple[str, str]]:
    catalog = worlds.catalog(worlds.action(relevant=parse("profile.points >= 1")))
    data = data_used(
        catalog["coupon"],
        touchpoint=worlds.touchpoint(),
        profile=worlds.profile(**known),
        predictions=worlds.predictions(catalog, reads=reads or {}),
        policy=policy or worlds.policy(),
    )
    return [(datum.says, datum.source) for datum in data]


# ------------------------------------------------------------------------------------------------------------- which data


def test_data_is_used_where_a_rule_a_weight_a_stage_or_a_model_read_it_and_it_was_known() -> None:
    policy = worlds.policy(
        rules=Rules(suitability=(Rule(rule="r", require=parse("profile.orders_90d >= 1")),)),
        weights=(Weight(rule="w", factor=2.0, scale="profile.spend_90d_bakery"),),
        journey=(Stage(stage="loyal", when=parse("profile.tier = gold")), Stage(stage="active")),
    )
    known = {"points": 9.0, "orders_90d": 2.0, "spend_90d_bakery": 0.5, "tier": "gold", "since_order": 3.0, "age_band": "35+"}
    assert set(used(reads={"coupon": ("age_band",)}, policy=policy, **known)) == {
        ("how often you shop", "first_party"),
        ("your loyalty points", "first_party"),
        ("what you spend on bakery", "first_party"),
        ("your loyalty tier", "first_party"),
        ("your age group", "third_party"),
    }


def test_data_that_is_missing_was_not_used() -> None:
    assert used(reads={"coupon": ("age_band",)}, points=9.0) == [("your loyalty points", "first_party")]
    assert used(since_order=3.0) == []


def test_data_is_named_once_however_often_it_was_read() -> None:
    assert used(reads={"coupon": ("points", "points")}, points=9.0) == [("your loyalty points", "first_party")]


# ----------------------------------------------------------------------------------------------------------------- staff


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


# -------------------------------------------------------------------------------------------------------------- customer

ONE_A_WEEK = worlds.policy(contact=Contact(caps=(Cap(rule="one_a_week", most=1, within=timedelta(days=7)),)))
SITUATIONS: dict[str, dict[str, Any]] = {
    "best": {},
    "explored": {"policy": replace(POLICY, exploration=Exploration(mass=0.99)), "request": worlds.request(decision_id="d0")},
    "random": {"policy": replace(POLICY, groups=Groups(random=1.0))},
    "control": {"policy": replace(POLICY, groups=Groups(control=1.0))},
    "stranger": {"state": worlds.state(known=False), "profile": worlds.profile().limited_to(frozenset())},
    "complaint": {"state": worlds.state(open_complaints=("c1",))},
    "anger": {"state": worlds.state(emotion=ANGRY)},
    "no consent": {"state": worlds.state(consents={})},
    "not worth it": {"predictions": worlds.predictions(CATALOG, 0.0)},
    "wait": {
        "policy": replace(ONE_A_WEEK, purposes=POLICY.purposes),
        "state": worlds.state(contacts=(worlds.contact(NOW - timedelta(days=6)),)),
        "request": worlds.request(touchpoint="email"),
    },
}
INTERNAL = (
    *("consent_", "holdout", "not_yet_valid", "touchpoint_job", "gold_only", "one_a_week", "cool_down", "in_time"),
    *("budget", "eligibility", "applicability", "suitability", "open_complaint", "negative_emotion", "emotion", "complaint"),
    *("highest_priority", "explored", "control_group", "random_group", "care_before_selling", "unknown_customer"),
    *("churn", "prediction", "threshold", "priority", "spend_90d", "profile.", "state.", "1234", "12.5"),
)


@pytest.mark.parametrize("changes", SITUATIONS.values(), ids=SITUATIONS.keys())
def test_a_customer_is_told_why_in_words_that_name_no_rule_no_code_and_no_value_of_theirs(changes: dict[str, Any]) -> None:
    decision = told(**changes)
    words = json.dumps(for_customer(decision))
    assert [word for word in INTERNAL if word in words] == []
    (result,) = for_customer(decision)["results"]
    assert result["why"].endswith(".")
    assert " " in result["why"]


def test_every_situation_is_a_different_story() -> None:
    stories = {name: for_customer(told(**changes))["results"][0]["why"] for name, changes in SITUATIONS.items()}
    assert stories["complaint"] == stories["anger"]
    assert len(set(stories.values())) == len(stories) - 1


def test_a_customer_is_told_which_data_in_words_with_its_source_and_how_to_say_no() -> None:
    decision = told(predictions=worlds.predictions(CATALOG, reads={"coupon_bakery": ("age_band",), "thanks": ("orders_90d",)}))
    data = (Datum(says="how often you shop", source="first_party"), Datum(says="your age group", source="third_party"))
    shown = replace(decision, results=(replace(decision.results[0], data=data),))
    (result,) = for_customer(shown)["results"]
    assert result["data_used"] == [
        {"what": "how often you shop", "from": "you and your visits"},
        {"what": "your age group", "from": "a data partner"},
    ]
    assert len(result["change"]) == 2
    assert result["when"] == "you are here now"


def test_a_customer_is_told_what_our_own_gain_did_to_the_choice() -> None:
    of = worlds.predictions(CATALOG, {"coupon_bakery": 0.2, "coupon_produce": 0.25, "thanks": 0.2})
    greedy = replace(POLICY, exploration=Exploration(mass=0.0, strength=1e6))
    decision = told(predictions=of, policy=greedy)
    assert decision.results[0].action == "coupon_bakery"
    (result,) = for_customer(decision)["results"]
    assert result["commercial_weight"] == "With our own gain counted it came in place 1, without it in place 2."


def test_a_message_that_sells_nothing_has_no_commercial_weight() -> None:
    decision = told(state=worlds.state(open_complaints=("c1",)))
    assert decision.results[0].action == "thanks"
    (result,) = for_customer(decision)["results"]
    assert result["commercial_weight"] == "None: this message sells nothing."


def test_where_nothing_was_said_no_data_and_no_gain_are_told() -> None:
    (result,) = for_customer(told(state=worlds.state(consents={})))["results"]
    assert (result["data_used"], result["commercial_weight"], result["change"]) == ([], None, [])
