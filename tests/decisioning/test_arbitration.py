"""What an action is worth: the four terms, what was assumed in them, and what evidence changes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.arbitration import Worth, context_weight, weigh
from decisioning.catalog import Action, Response
from decisioning.conditions import parse
from decisioning.domain import Evidence, Predictions
from decisioning.eligibility import Situation
from decisioning.policy import Exploration, Scope, Weight
from tests import worlds


def weighed(
    *actions: Action, at: str = "app_home", incrementality: float = 0.5, effect: float = 1.0, **changes: Any
) -> dict[str, Worth]:
    of = worlds.catalog(
        *actions, touchpoints=(worlds.touchpoint(effect=effect, attention=0.5), worlds.email()), incrementality=incrementality
    )
    said = {name: changes.pop(name) for name in ("predictions", "learner") if name in changes}
    given_: dict[str, Any] = {
        "touchpoint": of.touchpoints[at],
        "state": worlds.state(),
        "group": "treatment",
        "known": True,
        "catalog": of,
        "policy": worlds.policy(),
        "lookups": {one.name: {}.get for one in of.actions},
        "stock": {},
        "in_time": lambda action: True,
        "now": worlds.NOW,
    }
    learned = {"predictions": worlds.predictions(of), "learner": worlds.learner()} | said
    return {worth.action.name: worth for worth in weigh(of.actions, Situation(**(given_ | changes)), **learned)}


def test_a_priority_is_the_product_of_increment_context_value_and_lever() -> None:
    worth = weighed(worlds.action(value=12.0, lever=1.5), policy=worlds.policy(weights=(Weight(rule="more", factor=2.0),)))[
        "coupon"
    ]
    terms = worth.terms
    assert (terms.p, terms.c, terms.v, terms.l) == (pytest.approx(0.1), 2.0, 12.0, 1.5)
    assert terms.priority == pytest.approx(0.1 * 2 * 12 * 1.5)


def test_an_action_must_exceed_its_own_cost_and_what_attention_costs_here() -> None:
    assert weighed(worlds.action(cost=0.25))["coupon"].threshold == 0.75


@pytest.mark.parametrize(
    ("response", "effect", "assumed"),
    [
        (Response(model="preference"), 1.0, ("incrementality",)),
        (Response(prior=0.2), 1.0, ("incrementality", "response")),
        (Response(model="preference"), 0.7, ("incrementality", "touchpoint_effect")),
        (Response(prior=0.2), 0.7, ("incrementality", "response", "touchpoint_effect")),
    ],
)
def test_what_was_declared_and_not_measured_is_named(response: Response, effect: float, assumed: tuple[str, ...]) -> None:
    assert weighed(worlds.action(response=response), effect=effect)["coupon"].terms.assumed == assumed


def test_a_touchpoint_changes_the_response_but_never_beyond_certainty() -> None:
    assert weighed(worlds.action(), effect=0.5)["coupon"].response == pytest.approx(0.1)
    assert weighed(worlds.action(), effect=50.0)["coupon"].response == 1.0


def test_evidence_moves_the_increment_from_the_prediction_towards_what_was_seen() -> None:
    of = Evidence(shows=100, expected=20.0, successes=40)
    policy = worlds.policy(exploration=Exploration(strength=2.0))
    worth = weighed(worlds.action(), learner=worlds.learner(coupon=of), policy=policy)["coupon"]
    assert worth.terms.p == pytest.approx(0.5 * 0.2 * (2 + 40) / (2 + 20))
    assert (worth.shape, worth.rate) == (42.0, 22.0)


def test_evidence_from_another_touchpoint_changes_nothing() -> None:
    learner = worlds.learner(coupon=Evidence(shows=100, expected=20.0, successes=40))
    assert weighed(worlds.action(), learner=learner, at="email")["coupon"].shape == 2.0


def test_the_expected_increment_is_never_above_the_share_that_a_message_causes() -> None:
    learner = worlds.learner(coupon=Evidence(shows=10, expected=0.1, successes=10))
    assert weighed(worlds.action(), learner=learner, incrementality=0.4)["coupon"].terms.p == pytest.approx(0.4)


def test_a_group_whose_messages_cause_nothing_has_no_increment() -> None:
    assert weighed(worlds.action(), incrementality=0.0)["coupon"].terms.p == 0.0


chances = st.floats(0.001, 1.0)


@given(chances, chances, st.floats(0.0, 20.0), st.floats(0.0, 3.0), st.floats(1.0, 3.0))
def test_more_value_or_lever_never_lowers_a_priority(
    p: float, incrementality: float, value: float, lever: float, more: float
) -> None:
    def priority(**changes: float) -> float:
        predictions: Predictions = worlds.predictions(worlds.catalog(), p)
        made = worlds.action(**({"value": value, "lever": lever} | changes))
        return weighed(made, incrementality=incrementality, predictions=predictions)["coupon"].terms.priority

    assert priority(value=value * more) >= priority()
    assert priority(lever=lever * more) >= priority()


@pytest.mark.parametrize(
    ("weight", "facts", "expected"),
    [
        (Weight(rule="w", factor=1.5), {}, 1.5),
        (Weight(rule="w", factor=1.5, when=parse("stage = onboarding")), {"stage": "onboarding"}, 1.5),
        (Weight(rule="w", factor=1.5, when=parse("stage = onboarding")), {"stage": "loyal"}, 1.0),
        (Weight(rule="w", factor=1.5, scope=Scope(job=("retain",))), {}, 1.0),
        (Weight(rule="w", factor=1.5, scope=Scope(channel=("app",), group=("coupons",), action=("coupon",))), {}, 1.5),
        (Weight(rule="w", factor=3.0, scale="prediction.churn"), {"prediction.churn": 0.0}, 1.0),
        (Weight(rule="w", factor=3.0, scale="prediction.churn"), {"prediction.churn": 0.25}, 1.5),
        (Weight(rule="w", factor=3.0, scale="prediction.churn"), {"prediction.churn": 1.0}, 3.0),
        (Weight(rule="w", factor=3.0, scale="prediction.churn"), {"prediction.churn": 7.0}, 3.0),
        (Weight(rule="w", factor=3.0, scale="prediction.churn"), {"prediction.churn": -1.0}, 1.0),
        (Weight(rule="w", factor=3.0, scale="prediction.churn"), {}, 1.0),
        (Weight(rule="w", factor=0.0), {}, 0.0),
    ],
)
def test_a_weight_applies_in_its_scope_where_it_holds_or_by_its_scale(
    weight: Weight, facts: dict[str, Any], expected: float
) -> None:
    assert context_weight(worlds.action(), worlds.touchpoint(), (weight,), facts.get) == pytest.approx(expected)


def test_weights_multiply() -> None:
    two = (Weight(rule="a", factor=1.5), Weight(rule="b", factor=0.5))
    assert context_weight(worlds.action(), worlds.touchpoint(), two, {}.get) == pytest.approx(0.75)
