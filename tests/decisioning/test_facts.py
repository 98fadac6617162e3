"""The names conditions may read, and their values."""

from datetime import timedelta

import numpy as np
import pytest

from decisioning.customer import Emotion
from decisioning.domain import Predictions
from decisioning.facts import ACTION_FIELDS, STATE_FIELDS, consented, customer_facts, lookup
from tests import worlds
from tests.worlds import NOW

ANGRY = Emotion(valence=-0.8, intensity=0.8, confidence=1.0, at=NOW - timedelta(days=7))


def read(field: str) -> object:
    facts = customer_facts(
        profile=worlds.profile(),
        state=worlds.state(emotion=ANGRY, open_complaints=("c1",), consents={"marketing": True, "personalisation": False}),
        predictions=Predictions(response=np.zeros(1), assumed=np.zeros(1, dtype=np.bool_), customer={"churn": 0.3}),
        context={"intent": "browse"},
        policy=worlds.policy(),
        now=NOW,
    )
    return lookup(facts, worlds.profile(), worlds.action(topics=("bakery", "produce")))(field)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("profile.orders_90d", 3.0),
        ("profile.tier", "gold"),
        ("profile.age_band", None),
        ("profile.unheard_of", None),
        ("state.known", True),
        ("state.open_complaint", True),
        ("state.emotion_valence", -0.8),
        ("state.emotion_intensity", pytest.approx(0.4)),
        ("state.consent_marketing", True),
        ("state.consent_personalisation", False),
        ("state.consent_service", True),
        ("prediction.churn", 0.3),
        ("prediction.lifetime_value", None),
        ("context.intent", "browse"),
        ("context.weather", None),
        ("action.name", "coupon"),
        ("action.group", "coupons"),
        ("action.job", "sell"),
        ("action.topic", "bakery"),
        ("action.value", 10.0),
        ("action.cost", 0.0),
        ("weather.rain", None),
    ],
)
def test_a_field_is_read_by_its_written_name(field: str, value: object) -> None:
    assert read(field) == value


def test_every_field_that_may_be_written_can_be_read() -> None:
    assert [name for name in STATE_FIELDS if read(f"state.{name}") is None] == []
    assert [name for name in ACTION_FIELDS if read(f"action.{name}") is None] == []


def test_a_purpose_never_spoken_of_has_the_brands_default() -> None:
    granted = consented(worlds.state(consents={"service": False}), worlds.policy())
    assert granted == {"personalisation", "third_party"}


def test_without_an_emotion_its_fields_are_missing() -> None:
    facts = customer_facts(
        profile=worlds.profile(),
        state=worlds.state(),
        predictions=worlds.predictions(worlds.catalog()),
        context={},
        policy=worlds.policy(),
        now=NOW,
    )
    assert lookup(facts, worlds.profile())("state.emotion_valence") is None
    assert lookup(facts, worlds.profile())("action.name") is None
