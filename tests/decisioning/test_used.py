"""Which data a choice used: what was known and read, each said once, nothing sensitive by its name."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from decisioning.catalog import Catalog
from decisioning.conditions import parse
from decisioning.customer import Emotion, FeatureIndex
from decisioning.domain import Datum, HoursOf
from decisioning.policy import Rule, Rules, Stage, Weight
from decisioning.preferences import Preference
from decisioning.trace import Weighed
from decisioning.used import PRIVATE, data_used
from tests import worlds
from tests.worlds import NOW, decided

CATALOG = worlds.catalog(worlds.action(relevant=parse("profile.points >= 1")))
PRIVATE_INDEX = FeatureIndex(
    tuple(
        replace(one, sensitive=one.view == "households")
        for one in worlds.index(worlds.feature("home", view="households")).features
    )
)


def data(of: Catalog = CATALOG, *, reads: tuple[str, ...] = (), **changes: Any) -> tuple[Datum, ...]:
    """What the decision on the one coupon used."""
    decision = decided(of, predictions=worlds.predictions(of, reads={"coupon": reads}), **changes)
    assert isinstance(decision.trace, Weighed)
    return data_used(decision.trace.sifted, 0)


def used(*, of: Catalog = CATALOG, **changes: Any) -> list[tuple[str, str]]:
    return [(one.says, one.source) for one in data(of, **changes)]


def test_data_is_used_where_a_rule_a_weight_a_stage_or_a_model_read_it_and_it_was_known() -> None:
    policy = worlds.policy(
        rules=Rules(suitability=(Rule(rule="r", require=parse("profile.orders_90d >= 1")),)),
        weights=(Weight(rule="w", factor=2.0, scale="profile.spend_90d_bakery"),),
        journey=(Stage(stage="loyal", when=parse("profile.tier = gold")), Stage(stage="active")),
    )
    known = worlds.profile(points=9.0, orders_90d=2.0, spend_90d_bakery=0.5, tier="gold", since_order=3.0, age_band="35+")
    assert set(used(reads=("age_band",), policy=policy, profile=known)) == {
        ("how often you shop", "first_party"),
        ("your loyalty points", "first_party"),
        ("what you spend on bakery", "first_party"),
        ("your loyalty tier", "first_party"),
        ("your age group", "third_party"),
    }


def test_data_that_is_missing_was_not_used() -> None:
    assert used(reads=("age_band",), profile=worlds.profile(points=9.0)) == [("your loyalty points", "first_party")]
    assert used(profile=worlds.profile(since_order=3.0)) == []


def test_data_is_named_once_however_often_it_was_read() -> None:
    assert used(reads=("points", "points"), profile=worlds.profile(points=9.0)) == [("your loyalty points", "first_party")]


def test_all_that_is_sensitive_is_one_line_that_names_nothing() -> None:
    known = worlds.profile(of=PRIVATE_INDEX, points=9.0, age_band="35+", home=1.0)
    assert data(reads=("age_band", "home"), profile=known)[1:] == (
        Datum(says=PRIVATE, source="third_party", purpose="third_party"),
    )


def test_what_the_customer_said_is_data_too() -> None:
    policy = worlds.policy(
        weights=(
            Weight(rule="a", factor=2.0, when=parse("state.emotion_valence >= 0")),
            Weight(rule="b", factor=2.0, when=parse("state.open_promise = true")),
            Weight(rule="c", factor=2.0, when=parse("context.intent = browse")),
            Weight(rule="d", factor=2.0, scale="prediction.churn"),
            Weight(rule="e", factor=2.0, when=parse("state.consent_marketing = true")),
        )
    )
    state = worlds.state(
        emotion=Emotion(valence=0.5, intensity=0.5, confidence=1.0, at=NOW),
        preferences={"group:coupons": Preference(at=NOW, wanted="more")},
    )
    asks = worlds.request(context={"intent": "browse"})
    assert used(policy=policy, state=state, request=asks, profile=worlds.profile(points=9.0)) == [
        ("your loyalty points", "first_party"),
        ("what you do right now", "visit"),
        ("what we think you will do next", "estimate"),
        ("what you said yes to", "told"),
        ("how you felt about us", "told"),
        ("what you asked us for", "told"),
    ]


def test_what_the_text_says_of_the_customer_is_data() -> None:
    text = worlds.treatment("Hello {first_name|neighbour}", "You have {points|some} points.")
    greets = worlds.catalog(worlds.action(treatments={"app_home": text}))
    ada, known = worlds.state(traits={"first_name": "Ada"}), worlds.profile(points=9.0, tier="gold")
    assert used(of=greets, state=ada, profile=known) == [("your loyalty points", "first_party"), ("your first name", "told")]
    assert used(of=greets, profile=worlds.profile(tier="gold")) == []


def test_the_hours_that_chose_the_moment_are_data() -> None:
    known = worlds.profile(points=9.0, hour_17=9.0, day_mon=9.0)
    email = worlds.request(touchpoint="email")
    assert ("the days and hours when you come to us", "first_party") in used(request=email, profile=known)
    assert ("the days and hours when you come to us", "first_party") not in used(profile=known)


@pytest.mark.parametrize("own", [True, False])
def test_what_a_model_of_timing_read_of_the_customer_is_data(own: bool) -> None:
    hours = np.ones(168)
    hours[12] = 9.0
    said = worlds.predictions(CATALOG, hours={"email": hours}, hours_of={"email": HoursOf(own=own)})
    decision = decided(
        CATALOG, predictions=said, request=worlds.request(touchpoint="email"), profile=worlds.profile(points=9.0)
    )
    assert isinstance(decision.trace, Weighed)
    told = {one.says for one in data_used(decision.trace.sifted, 0)}
    assert ({"the days and hours when you come to us", "the days and hours when you answer us"} <= told) == own
