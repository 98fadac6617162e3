"""What moved a choice: each cause is taken away in earnest, and what cannot be taken away or named is no reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from decisioning.conditions import parse
from decisioning.counterfactual import Reason, reasons
from decisioning.customer import FeatureIndex, Profile, Refusal
from decisioning.domain import Evidence, Predictions
from decisioning.policy import Stage, Weight
from decisioning.preferences import Preference
from decisioning.trace import Weighed
from tests import worlds
from tests.decisioning.explained import POLICY
from tests.worlds import NOW, decided

COUPON = worlds.catalog(worlds.action(topics=("bakery",)))
READS = ("orders_90d", "points", "age_band")


def model(
    effects: dict[str, float], *, reads: tuple[str, ...] = READS, churn: Callable[[Profile], float] = lambda profile: 0.1
) -> Callable[[Profile], Predictions]:
    """A response of 0.2 times the effect of each feature that is present."""

    def predict(profile: Profile) -> Predictions:
        response = 0.2
        for name, effect in effects.items():
            response *= effect if profile.get(name) is not None else 1.0
        return worlds.predictions(COUPON, response, reads={"coupon": reads}, customer={"churn": churn(profile)})

    return predict


def weighed(predict: Callable[[Profile], Predictions] | None = None, **changes: Any) -> Weighed:
    profile = changes.setdefault("profile", worlds.profile(points=5.0, orders_90d=2.0, age_band="35+"))
    given = {"predictions": predict(profile)} if predict else {}
    trace = decided(COUPON, **(given | changes)).trace
    assert isinstance(trace, Weighed)
    return trace


def moved(found: tuple[Reason, ...]) -> dict[tuple[str, str], float]:
    return {(one.whose, one.about): round(one.moved, 3) for one in found}


def test_a_datum_moved_the_choice_by_what_its_absence_would_change() -> None:
    predict = model({"orders_90d": 2.0, "points": 0.5, "age_band": 1.01})
    found = reasons(weighed(predict), 0, predict)
    assert moved(found) == {("datum", "orders_90d"): 0.5, ("datum", "points"): -0.5}
    assert {one.about: (one.says, one.features) for one in found}["points"] == ("your loyalty points", ("points",))


def test_a_datum_that_no_model_read_or_that_is_missing_is_no_reason() -> None:
    predict = model({"orders_90d": 2.0, "points": 0.5}, reads=("points",))
    found = reasons(weighed(predict, profile=worlds.profile(orders_90d=2.0)), 0, predict)
    assert found == ()


def test_data_that_are_called_the_same_are_taken_away_together() -> None:
    index = worlds.index(worlds.feature("visits", says="how often you shop"))
    profile = worlds.profile(of=index, orders_90d=1.0, visits=1.0)
    predict = model({"orders_90d": 2.0, "visits": 2.0}, reads=("orders_90d", "visits"))
    (one,) = reasons(weighed(predict, profile=profile), 0, predict)
    assert (one.features, one.moved) == (("orders_90d", "visits"), pytest.approx(0.75, abs=1e-6))


def test_a_datum_that_a_weight_reads_through_a_prediction_moves_it_too() -> None:
    def churn(profile: Profile) -> float:
        return 1.0 if profile.get("points") is not None else 0.0

    predict = model({}, reads=("points",), churn=churn)
    policy = replace(
        POLICY, weights=(Weight(rule="by_risk", factor=4.0, scale="prediction.churn"),), rules=worlds.policy().rules
    )
    assert moved(reasons(weighed(predict, policy=policy), 0, predict)) == {("datum", "points"): 0.75}


def test_nothing_sensitive_is_a_reason_not_even_by_a_weight_or_a_stage_that_follows_from_it() -> None:
    index = FeatureIndex(tuple(replace(one, sensitive=one.name == "age_band") for one in worlds.index().features))
    old = parse("profile.age_band = 35+")
    policy = worlds.policy(
        journey=(Stage(stage="older", when=old), Stage(stage="active")),
        weights=(
            Weight(rule="by_age", factor=2.0, when=old, says="You are of an age."),
            Weight(rule="by_stage", factor=2.0, when=parse("stage = older"), says="You are at a stage."),
            Weight(rule="by_number", factor=2.0, scale="profile.age_band", says="You are of a number."),
            Weight(rule="plain", factor=2.0, when=parse("state.known = true"), says="You are known."),
        ),
    )
    predict = model({"age_band": 3.0})
    profile = worlds.profile(of=index, points=5.0, age_band="35+")
    found = reasons(weighed(predict, profile=profile, policy=policy), 0, predict)
    assert moved(found) == {("weight", "plain"): 0.5}


def test_a_weight_that_says_nothing_is_not_named() -> None:
    policy = worlds.policy(weights=(Weight(rule="said", factor=0.5, says="It is late."), Weight(rule="unsaid", factor=3.0)))
    assert moved(reasons(weighed(policy=policy), 0)) == {("weight", "said"): -0.5}


def test_the_customers_own_words_are_reasons() -> None:
    state = worlds.state(
        preferences={
            "topic:bakery": Preference(at=NOW, wanted="more"),
            "group:coupons": Preference(at=NOW, wanted="less"),
            "channel:app": Preference(at=NOW, wanted="usual"),
        },
        postponed=(Refusal(action="coupon", group="coupons", at=NOW - timedelta(hours=1)),),
    )
    assert moved(reasons(weighed(state=state), 0)) == {
        ("maybe_later", "coupons"): -0.9,
        ("group", "coupons"): -0.5,
        ("topic", "bakery"): 0.333,
    }


@pytest.mark.parametrize(("successes", "sign"), [(60, 1.0), (5, -1.0)])
def test_what_others_made_of_it_is_a_reason(successes: int, sign: float) -> None:
    learner = worlds.learner(coupon=Evidence(shows=100, expected=20.0, successes=successes))
    (one,) = reasons(weighed(learner=learner), 0)
    assert (one.whose, np.sign(one.moved)) == ("evidence", sign)


def test_the_strongest_comes_first_and_what_hardly_moves_is_left_out() -> None:
    predict = model({"orders_90d": 1.03, "points": 0.4, "age_band": 1.01})
    assert [one.about for one in reasons(weighed(predict), 0, predict)] == ["points", "orders_90d"]


def test_models_that_answer_otherwise_by_now_say_nothing_of_the_data() -> None:
    then, now = model({"orders_90d": 2.0}), model({"orders_90d": 2.1})
    assert reasons(weighed(then), 0, now) == ()
    assert reasons(weighed(then), 0) == ()


def test_an_action_that_does_harm_is_helped_by_what_makes_the_harm_smaller() -> None:
    """The priority is below 0 where the response without the message is higher."""
    predict = model({"orders_90d": 2.0})

    def with_control(profile: Profile) -> Predictions:
        return replace(predict(profile), nothing=np.array([0.5]))

    (one,) = reasons(weighed(with_control), 0, with_control)
    assert one.having == pytest.approx(-1.0, abs=1e-6)
    assert one.lacking == pytest.approx(-3.0, abs=1e-6)
    assert one.moved == pytest.approx(2 / 3, abs=1e-6)
