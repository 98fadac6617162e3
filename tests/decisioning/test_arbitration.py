"""What an action is worth: the four terms, what was assumed in them, what evidence and the customer's words change."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.arbitration import ramp
from decisioning.catalog import Action, Response
from decisioning.conditions import parse
from decisioning.customer import Refusal
from decisioning.domain import Candidate, Evidence
from decisioning.policy import Contact, Exploration, MaybeLater, Scope, Stage, Steering, Weight
from decisioning.preferences import Preference, Wanted
from decisioning.trace import Weighed
from tests import worlds
from tests.worlds import NOW, decided

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def weighed(
    *actions: Action,
    at: str = "app_home",
    incrementality: float = 0.5,
    effect: float = 1.0,
    response: float | Mapping[str, float] = 0.2,
    nothing: float | None = None,
    **changes: Any,
) -> dict[str, Candidate]:
    """The candidates by name: each of a prior of 20%, half of which the message causes, unless told."""
    here = worlds.touchpoint(effect=effect, attention=0.5)
    of = worlds.catalog(*actions, touchpoints=(here, worlds.email()), incrementality=incrementality)
    without = None if nothing is None else np.full(len(of.actions), nothing)
    predictions = worlds.predictions(of, response, nothing=without, **changes.pop("predicted", {}))
    decision = decided(
        of, predictions=predictions, request=worlds.request(touchpoint=at, **changes.pop("asked", {})), **changes
    )
    return {one.action: one for one in decision.candidates}


def c_of(action: Action | None = None, **changes: Any) -> float:
    return weighed(action or worlds.action(), **changes)["coupon"].terms.c


def test_a_priority_is_the_product_of_increment_context_value_and_lever() -> None:
    policy = worlds.policy(weights=(Weight(rule="more", factor=2.0),))
    terms = weighed(worlds.action(value=12.0, lever=1.5), policy=policy)["coupon"].terms
    assert (terms.p, terms.c, terms.v, terms.l) == (pytest.approx(0.1), 2.0, 12.0, 1.5)
    assert terms.priority == pytest.approx(0.1 * 2 * 12 * 1.5)


def test_an_action_must_exceed_its_own_cost_and_what_attention_costs_here() -> None:
    assert weighed(worlds.action(cost=0.25))["coupon"].threshold == 0.75


@pytest.mark.parametrize(
    ("response", "effect", "nothing", "assumed"),
    [
        (Response(model="preference"), 1.0, None, ("incrementality",)),
        (Response(prior=0.2), 1.0, None, ("incrementality", "response")),
        (Response(model="preference"), 0.7, None, ("incrementality", "touchpoint_effect")),
        (Response(prior=0.2), 0.7, None, ("incrementality", "response", "touchpoint_effect")),
        (Response(model="preference"), 1.0, 0.1, ()),
        (Response(prior=0.2), 0.7, 0.1, ("response", "touchpoint_effect")),
    ],
)
def test_what_was_declared_and_not_measured_is_named(
    response: Response, effect: float, nothing: float | None, assumed: tuple[str, ...]
) -> None:
    assert weighed(worlds.action(response=response), effect=effect, nothing=nothing)["coupon"].terms.assumed == assumed


# --------------------------------------------------------------------------------------------------------------- increment


def test_a_touchpoint_changes_the_response_but_never_beyond_certainty() -> None:
    assert weighed(worlds.action(), effect=0.5)["coupon"].response == pytest.approx(0.1)
    assert weighed(worlds.action(), effect=50.0)["coupon"].response == 1.0


def test_evidence_moves_the_increment_from_the_prediction_towards_what_was_seen() -> None:
    of = Evidence(shows=100, expected=20.0, successes=40)
    policy = worlds.policy(exploration=Exploration(strength=2.0))
    found = weighed(worlds.action(), learner=worlds.learner(coupon=of), policy=policy)["coupon"]
    assert found.terms.p == pytest.approx(0.5 * 0.2 * (2 + 40) / (2 + 20), rel=0.01)  # a shape is kept to 1 in 128
    assert found.response == pytest.approx(0.2)


def test_the_expected_increment_is_never_above_the_share_that_a_message_causes() -> None:
    learner = worlds.learner(coupon=Evidence(shows=10, expected=0.1, successes=10))
    assert weighed(worlds.action(), learner=learner, incrementality=0.4)["coupon"].terms.p == pytest.approx(0.4)


def test_a_group_whose_messages_cause_nothing_has_no_increment() -> None:
    assert weighed(worlds.action(), incrementality=0.0)["coupon"].terms.p == 0.0


@pytest.mark.parametrize(("nothing", "p"), [(0.0, 0.2), (0.15, 0.05), (0.2, 0.0), (0.5, -0.3)])
def test_where_a_control_measured_it_the_increment_is_what_the_message_adds(nothing: float, p: float) -> None:
    """Whatever incrementality the group declares."""
    assert weighed(worlds.action(), incrementality=0.9, nothing=nothing)["coupon"].terms.p == pytest.approx(p, abs=1e-7)


@pytest.mark.parametrize("nothing", [0.2, 0.5, 1.0])
def test_what_a_message_only_makes_worse_is_never_chosen(nothing: float) -> None:
    sleeping = weighed(worlds.action(value=1e6), nothing=nothing)["coupon"]
    assert sleeping.terms.p <= 0 and sleeping.units == 0


probabilities = st.floats(0.0, 1.0)
factors = st.floats(0.0, 20.0)


@given(probabilities, st.none() | probabilities, probabilities, factors, factors, factors, st.floats(0.1, 3.0))
def test_what_a_sample_may_come_to_agrees_with_what_is_expected(
    response: float, nothing: float | None, share: float, value: float, lever: float, factor: float, effect: float
) -> None:
    """At the mean of the belief scale m - offset, cut off at the top, is the priority: P x C x V x L."""
    of = worlds.catalog(
        worlds.action(value=value, lever=lever), touchpoints=(worlds.touchpoint(effect=effect),), incrementality=share
    )
    trace = decided(
        of,
        policy=worlds.policy(weights=(Weight(rule="w", factor=factor),)),
        predictions=worlds.predictions(of, response, nothing=None if nothing is None else np.full(1, nothing)),
        learner=worlds.learner(coupon=Evidence(shows=9, expected=3.0, successes=4)),
    ).trace
    assert isinstance(trace, Weighed)
    worths, (candidate,) = trace.worths, trace.candidates()
    belief = (2.0 + 4.0) / (2.0 + 3.0)
    sampled = min(worths.top[0], worths.scale[0] * belief - worths.offset[0])
    assert worths.priority[0] == candidate.terms.priority
    assert sampled == pytest.approx(worths.priority[0], rel=0.02, abs=1e-9 + 0.02 * worths.scale[0])
    assert worths.scale[0] >= 0 and worths.offset[0] >= 0
    assert candidate.terms.priority == pytest.approx(candidate.terms.p * candidate.terms.c * value * lever, rel=1e-9)


@given(st.floats(0.001, 1.0), probabilities, factors, st.floats(0.0, 3.0), st.floats(1.0, 3.0))
def test_more_value_or_lever_never_lowers_a_priority(p: float, share: float, value: float, lever: float, more: float) -> None:
    def priority(**changes: float) -> float:
        made = worlds.action(**({"value": value, "lever": lever} | changes))
        return weighed(made, incrementality=share, response=p)["coupon"].terms.priority

    assert priority(value=value * more) >= priority()
    assert priority(lever=lever * more) >= priority()


# ----------------------------------------------------------------------------------------------------------------- context

ONBOARDING = (Stage(stage="onboarding", when=parse("profile.tier = bronze")), Stage(stage="loyal"))
IN_ONBOARDING = Weight(rule="w", factor=1.5, when=parse("stage = onboarding"))
BY_CHURN = Weight(rule="w", factor=3.0, scale="prediction.churn")
BY_POINTS = Weight(rule="w", factor=3.0, scale="profile.points")


@pytest.mark.parametrize(
    ("weight", "changes", "expected"),
    [
        (Weight(rule="w", factor=1.5), {}, 1.5),
        (IN_ONBOARDING, {"profile": worlds.profile(tier="bronze")}, 1.5),
        (IN_ONBOARDING, {}, 1.0),
        (Weight(rule="w", factor=1.5, when=parse("action.value >= 10")), {}, 1.5),
        (Weight(rule="w", factor=1.5, when=parse("action.value > 10")), {}, 1.0),
        (Weight(rule="w", factor=1.5, when=parse(["action.value >= 10", "context.intent = buy"])), {}, 1.0),
        (
            Weight(rule="w", factor=1.5, when=parse(["action.value >= 10", "context.intent = buy"])),
            {"asked": {"context": {"intent": "buy"}}},
            1.5,
        ),
        (Weight(rule="w", factor=1.5, scope=Scope(job=("retain",))), {}, 1.0),
        (Weight(rule="w", factor=1.5, scope=Scope(channel=("app",), group=("coupons",), action=("coupon",))), {}, 1.5),
        (BY_CHURN, {"predicted": {"customer": {"churn": 0.0}}}, 1.0),
        (BY_CHURN, {"predicted": {"customer": {"churn": 0.25}}}, 1.5),
        (BY_CHURN, {"predicted": {"customer": {"churn": 1.0}}}, 3.0),
        (BY_CHURN, {"predicted": {"customer": {"churn": 7.0}}}, 3.0),
        (BY_CHURN, {"predicted": {"customer": {"churn": -1.0}}}, 1.0),
        (BY_CHURN, {"predicted": {"customer": {}}}, 1.0),
        (BY_POINTS, {"profile": worlds.profile(points=0.5)}, 2.0),
        (BY_POINTS, {"profile": worlds.profile(tier="gold")}, 1.0),
        (Weight(rule="w", factor=0.0), {}, 0.0),
    ],
)
def test_a_weight_applies_in_its_scope_where_it_holds_or_by_its_scale(
    weight: Weight, changes: dict[str, Any], expected: float
) -> None:
    policy = worlds.policy(weights=(weight,), journey=ONBOARDING)
    assert c_of(policy=policy, **changes) == pytest.approx(expected)


def test_weights_multiply() -> None:
    two = (Weight(rule="a", factor=1.5), Weight(rule="b", factor=0.5))
    assert c_of(policy=worlds.policy(weights=two)) == pytest.approx(0.75)


def test_each_action_has_the_weights_of_its_own_scope() -> None:
    weights = (
        Weight(rule="a", factor=2.0, scope=Scope(action=("a",))),
        Weight(rule="j", factor=3.0, scope=Scope(job=("serve",))),
    )
    actions = (worlds.action("a"), worlds.action("b"), worlds.action("c", job="serve"))
    assert {name: one.terms.c for name, one in weighed(*actions, policy=worlds.policy(weights=weights)).items()} == {
        "a": 2.0, "b": 1.0, "c": 3.0
    }  # fmt: skip


STEERING = worlds.policy(preferences=Steering(more=2.0, less=0.25))
OF_BOTH = worlds.action(topics=("bakery", "produce"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, 1.0),
        ({"topic:bakery": "more"}, 2.0),
        ({"topic:bakery": "more", "topic:produce": "more"}, 4.0),
        ({"topic:bakery": "more", "topic:produce": "less"}, 0.5),
        ({"group:coupons": "less"}, 0.25),
        ({"channel:app": "more"}, 2.0),
        ({"channel:app": "less", "group:coupons": "more", "topic:bakery": "more"}, 1.0),
        ({"topic:bakery": "usual", "channel:app": "usual", "group:coupons": "usual"}, 1.0),
        ({"topic:dairy": "more", "channel:email": "more", "group:others": "less"}, 1.0),
    ],
    ids=str,
)
def test_the_customers_words_on_topics_group_and_channel_are_factors(words: dict[str, Wanted], expected: float) -> None:
    said = {about: Preference(at=NOW, wanted=wanted) for about, wanted in words.items()}
    assert c_of(OF_BOTH, policy=STEERING, state=worlds.state(preferences=said)) == pytest.approx(expected)


ABOUT = ("topic:bakery", "topic:produce", "group:coupons", "channel:app")
RISING: tuple[Wanted, ...] = ("less", "usual", "more")


@given(
    st.fixed_dictionaries({about: st.sampled_from(RISING) for about in ABOUT}),
    st.sampled_from(ABOUT),
    st.lists(st.sampled_from([None, "bakery", "produce"]), min_size=4, max_size=4),
)
def test_asking_for_more_never_lowers_the_rank_of_what_is_about_it(
    words: dict[str, Wanted], raised: str, topics: list[str | None]
) -> None:
    actions = [
        worlds.action(f"a{at}", value=5.0 + at, topics=(topic,) if topic else (), group=("coupons", "others")[at % 2])
        for at, topic in enumerate(topics)
    ]
    ranks = []
    for wanted in (words[raised], "more"):
        said = {about: Preference(at=NOW, wanted=word) for about, word in (words | {raised: wanted}).items()}
        ranks.append({name: one.rank for name, one in weighed(*actions, state=worlds.state(preferences=said)).items()})
    space, _, name = raised.partition(":")
    about_it = [
        one.name for one in actions if (space == "topic" and name in one.topics) or (space == "group" and name == one.group)
    ]
    others = [one.name for one in actions if one.name not in about_it]
    for one in about_it:
        for other in others:
            assert ranks[0][one] > ranks[0][other] or ranks[1][one] < ranks[1][other]


# -------------------------------------------------------------------------------------------------------------- maybe later

LATER = MaybeLater(to=0.2, down=2 * HOUR, up=10 * DAY)


@pytest.mark.parametrize(
    ("ago", "left"),
    [
        (timedelta(0), 1.0),
        (HOUR, 0.6),
        (2 * HOUR, 0.2),
        (2 * HOUR + 5 * DAY, 0.6),
        (2 * HOUR + 10 * DAY, 1.0),
        (90 * DAY, 1.0),
    ],
)
def test_maybe_later_ramps_a_weight_down_and_up_again(ago: timedelta, left: float) -> None:
    assert ramp(LATER, ago) == pytest.approx(left)


@given(st.integers(0, 30 * 24 * 60))
def test_a_ramp_never_leaves_its_bounds_and_never_jumps(minutes: int) -> None:
    ago, minute = timedelta(minutes=minutes), timedelta(minutes=1)
    assert 0.2 - 1e-12 <= ramp(LATER, ago) <= 1.0
    assert abs(ramp(LATER, ago) - ramp(LATER, ago + minute)) <= 0.8 / 120 + 1e-12


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((("coupons", 2 * HOUR),), 0.2),
        ((("coupons", HOUR), ("coupons", 5 * DAY)), 0.6),
        ((("coupons", 5 * DAY), ("coupons", HOUR)), 0.6),
        ((("others", 2 * HOUR),), 1.0),
        ((("coupons", -HOUR),), 1.0),
    ],
    ids=["once", "the last word", "in any order", "of another group", "known before it was said"],
)
def test_the_last_maybe_later_of_a_group_weighs_it(said: tuple[tuple[str, timedelta], ...], expected: float) -> None:
    postponed = tuple(Refusal(action="x", group=group, at=NOW - ago) for group, ago in said)
    policy = worlds.policy(contact=Contact(maybe_later=LATER))
    assert c_of(policy=policy, state=worlds.state(postponed=postponed)) == pytest.approx(expected)


def test_maybe_later_and_a_word_on_the_group_both_count() -> None:
    state = worlds.state(
        postponed=(Refusal(action="x", group="coupons", at=NOW - 2 * HOUR),),
        preferences={"group:coupons": Preference(at=NOW, wanted="more")},
    )
    policy = worlds.policy(contact=Contact(maybe_later=LATER), preferences=Steering(more=2.0))
    assert c_of(policy=policy, state=state) == pytest.approx(0.4)
