"""Plain words for the customer: why, what moved it, from which data, what our gain did, what to press; and nothing else."""

import json
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from decisioning.customer import Profile
from decisioning.domain import Nothing, Predictions
from decisioning.explain import for_customer
from decisioning.policy import Weight
from decisioning.preferences import Preference
from decisioning.timing import Moment
from tests import worlds
from tests.decisioning.explained import CATALOG, POLICY, SITUATIONS, customer, told
from tests.worlds import NOW, decided

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


def test_a_customer_is_told_which_data_with_its_source_and_what_to_press() -> None:
    read = {"coupon_bakery": ("age_band", "orders_90d")}
    profile = worlds.profile(age_band="35+", orders_90d=2.0, tier="gold")
    result = customer(told(profile=profile, predictions=worlds.predictions(CATALOG, {"coupon_bakery": 0.9}, reads=read)))
    assert result["data_used"] == [
        {"what": "your loyalty tier", "from": "you and your visits"},
        {"what": "your age group", "from": "a data partner"},
        {"what": "how often you shop", "from": "you and your visits"},
    ]
    assert [(one["press"], one["about"]) for one in result["change"]] == [
        ("less_like", "coupon_bakery"), ("topic", "bakery"), ("channel", "app"), ("pace", ""), ("pause", ""),
        ("contest", "tier"), ("contest", "age_band"), ("contest", "orders_90d"),
        ("withdraw_consent", "marketing"), ("withdraw_consent", "personalisation"), ("withdraw_consent", "third_party"),
    ]  # fmt: skip
    assert result["when"] == "you are here now"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("here", "you are here now"),
        ("own visits", "Monday around 09:00 is when you usually come"),
        ("own answers", "Monday around 09:00 is when you usually answer"),
        ("visits of all", "Monday around 09:00 is when customers usually come"),
        ("answers of all", "Monday around 09:00 is when customers usually answer"),
        ("a model", "Monday around 09:00 is when you will most likely answer"),
        ("a model of visits", "Monday around 09:00 is when you will most likely come"),
        (None, "we know of no better time than Monday around 09:00"),
    ],
)
def test_a_customer_is_told_of_their_own_habit_as_theirs(reason: Any, expected: str) -> None:
    decision = told()
    timed = replace(decision.results[0], timing=Moment(at=NOW, zone=ZoneInfo(worlds.ZONE), reason=reason).because)
    assert customer(replace(decision, results=(timed,)))["when"] == expected


def test_where_nothing_was_said_no_data_and_no_gain_are_told() -> None:
    result = customer(told(state=worlds.state(consents={})))
    assert (result["reasons"], result["data_used"], result["commercial_weight"], result["change"]) == ([], [], None, [])


def test_what_must_be_said_is_told_as_owed_and_offers_nothing_that_could_not_stop_it() -> None:
    recall = worlds.catalog(worlds.action("recall", job="inform", group="legal", purpose="service", mandatory=True))
    result = customer(decided(recall))
    assert result["why"] == "This is a note that we owe to you. It does not try to sell you a thing."
    assert (result["reasons"], result["commercial_weight"]) == ([], "None: we owe you this message.")
    assert [one["press"] for one in result["change"]] == ["withdraw_consent"]


def test_a_pause_of_the_customers_own_can_be_ended() -> None:
    result = customer(told(**SITUATIONS["pause"]))
    assert result["why"] == "You asked us for a break, so we stay quiet."
    assert result["change"] == [{"what": "End your break.", "press": "pause", "about": ""}]


def test_a_default_that_nobody_decided_is_explained_too() -> None:
    default = replace(told().results[0], kind="nothing", action=None, terms=None, units=None, reason="log_unavailable")
    result = customer(replace(told(), results=(default,), trace=Nothing()))
    assert result["why"] == "We could not look after you well just then, so we showed what everyone sees."
    assert (result["reasons"], result["data_used"], result["change"]) == ([], [], [])


# --------------------------------------------------------------------------------------------------------------- reasons


def test_the_strongest_reasons_are_told_each_with_its_direction() -> None:
    policy = replace(
        POLICY,
        weights=(
            Weight(rule="new", factor=1.3, says="You are new here."),
            Weight(rule="silent", factor=9.0),
            Weight(rule="tiny", factor=1.01, says="It rains."),
        ),
    )
    state = worlds.state(
        preferences={
            "topic:bakery": Preference(at=NOW, wanted="more"),
            "channel:app": Preference(at=NOW, wanted="less"),
        }
    )
    of = worlds.predictions(CATALOG, {"coupon_bakery": 0.9})
    result = customer(told(policy=policy, state=state, predictions=of))
    assert result["reasons"] == [
        {"direction": "held back", "words": "You asked to hear less from us by app. That counted against it."},
        {"direction": "helped", "words": "You asked for more of bakery. That counted for it."},
        {"direction": "helped", "words": "You are new here. That counted for it."},
    ]


def test_where_the_models_can_no_longer_be_asked_it_is_said_what_is_left_out() -> None:
    of = worlds.predictions(CATALOG, {"coupon_bakery": 0.9}, reads={"coupon_bakery": ("orders_90d",)})
    decision = told(predictions=of)

    def same(profile: Profile) -> Predictions:
        return replace(of, response=of.response * (1.0 if profile.get("orders_90d") else 0.5))

    def other(profile: Profile) -> Predictions:
        return replace(of, response=of.response * 0.9)

    asked = customer(decision, same)
    assert asked["left_out"] is None
    assert asked["reasons"] == [{"direction": "helped", "words": "We looked at how often you shop. That counted for it."}]
    for unasked in (customer(decision), customer(decision, other)):
        assert unasked["left_out"] == "We can no longer tell how each of these facts moved our choice."
        assert unasked["reasons"] == []
