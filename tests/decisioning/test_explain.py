"""Plain words for the customer: why, what moved it, from which data, what our gain did, what to press; and nothing else."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from decisioning import explain
from decisioning.customer import Episode, Profile
from decisioning.domain import Decision, Nothing, Predictions, Wait
from decisioning.explain import for_customer
from decisioning.policy import Cap, Contact, Exploration, Groups, Weight
from decisioning.preferences import Preference
from decisioning.promises import Promise
from decisioning.timing import Moment
from tests import worlds
from tests.decisioning.explained import ANGRY, CATALOG, POLICY, told
from tests.reading import grade
from tests.worlds import NOW, decided

EASY = 8.0
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
    "hardship": {"state": worlds.state(hardship=Episode(opened_at=NOW - timedelta(days=1)))},
    "pause": {"state": worlds.state(preferences={"pause": Preference(at=NOW, until=NOW + timedelta(days=9))})},
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


def customer(decision: Decision, predict: Any = None) -> Any:
    """What is told of the first place."""
    return for_customer(decision, predict)["results"][0]


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
        ("less_like", "coupons"), ("topic", "bakery"), ("channel", "app"), ("pace", ""), ("pause", ""),
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
        (None, "nothing is known to be better than Monday around 09:00"),
    ],
)
def test_a_customer_is_told_of_their_own_habit_as_theirs(reason: Any, expected: str) -> None:
    decision = told()
    timed = replace(decision.results[0], timing=Moment(at=NOW, zone=ZoneInfo(worlds.ZONE), reason=reason).because)
    assert customer(replace(decision, results=(timed,)))["when"] == expected


def test_where_nothing_was_said_no_data_and_no_gain_are_told() -> None:
    result = customer(told(state=worlds.state(consents={})))
    assert (result["reasons"], result["data_used"], result["commercial_weight"], result["change"]) == ([], [], None, [])


# ------------------------------------------------------------------------------------------------------------------- why


def test_what_must_be_said_is_told_as_owed_and_offers_nothing_that_could_not_stop_it() -> None:
    recall = worlds.catalog(worlds.action("recall", job="inform", group="legal", purpose="service", mandatory=True))
    result = customer(decided(recall))
    assert result["why"] == "This is a note that we owe to you. It does not try to sell you a thing."
    assert (result["reasons"], result["commercial_weight"]) == ([], "None: we owe you this message.")
    assert [one["press"] for one in result["change"]] == ["withdraw_consent"]


def test_what_makes_a_broken_promise_good_says_so() -> None:
    promise = Promise(made_at=NOW - timedelta(days=9), due=NOW - timedelta(days=1), what="A call", by="Ann", make_good="sorry")
    of = worlds.catalog(worlds.action("sorry", job="recover"), worlds.action("coupon"))
    result = customer(decided(of, state=worlds.state(promises={"p": promise})))
    assert result["why"] == "We did not keep a promise to you. This is to make up for it, so it comes first."
    assert {"what": "what we promised you", "from": "what you told us"} in result["data_used"]


def test_a_pause_of_the_customers_own_can_be_ended() -> None:
    result = customer(told(**SITUATIONS["pause"]))
    assert result["why"] == "You asked us for a break, so we keep still."
    assert result["change"] == [{"what": "End your break.", "press": "pause", "about": ""}]


@pytest.mark.parametrize(
    ("because", "expected"),
    [
        ("two_a_week", "We do not want to write to you too often, so we wait until Monday, January 1, 15:00."),
        ("fatigue", "You have heard enough from us for now, so we wait until Monday, January 1, 15:00."),
        ("pace", "You asked us for fewer notes, so we wait until Monday, January 1, 15:00."),
        ("better_elsewhere", "There is a better place to tell you what we have: call centre."),
    ],
)
def test_a_wait_says_why_and_until_when_by_the_customers_own_clock(because: str, expected: str) -> None:
    decision = told(state=worlds.state(time_zone="America/Chicago"))
    wait = Wait(until=NOW + timedelta(hours=7), because=because, touchpoint="call_centre")
    waits = replace(decision.results[0], kind="wait", action=None, wait=wait)
    assert customer(replace(decision, results=(waits,)))["why"] == expected


def test_a_default_that_nobody_decided_is_explained_too() -> None:
    default = replace(told().results[0], kind="nothing", action=None, terms=None, units=None, reason="log_unavailable")
    result = customer(replace(told(), results=(default,), trace=Nothing()))
    assert result["why"] == "We could not look after you well just then, so we showed what all see."
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
        {"direction": "held back", "words": "You asked to hear less from us by app. This spoke against it."},
        {"direction": "helped", "words": "You asked for more of bakery. This spoke for it."},
        {"direction": "helped", "words": "You are new here. This spoke for it."},
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
    assert asked["reasons"] == [{"direction": "helped", "words": "We looked at how often you shop. This spoke for it."}]
    for unasked in (customer(decision), customer(decision, other)):
        assert unasked["left_out"] == "We can no longer tell how each of these facts moved our choice."
        assert unasked["reasons"] == []


# ------------------------------------------------------------------------------------------------------------ plain words


def test_every_sentence_of_ours_is_easy_to_read() -> None:
    fixed = [*explain._WHY.values(), explain._MAKES_GOOD, explain._HARD_TIMES, explain._NO_MODEL, explain._TOO_OFTEN]
    fixed += [*(words for _, words in explain._NOT_WANTED), *explain._WAIT.values()]
    assert {words: round(grade(words), 1) for words in fixed if grade(words) > EASY} == {}
    engine = ("tier", "rule", "propensity", "score", "model", "weight", "arm", "threshold", "priority", "candidate")
    assert [
        words for words in fixed if set(re.findall("[a-z]+", words.lower())) & {*engine, *(f"{one}s" for one in engine)}
    ] == []
