"""How a condition reads a field by its written name."""

import pytest

from decisioning.conditions import Value
from decisioning.facts import ACTION_FIELDS, STATE_FIELDS, action_lookup, consented, lookup
from decisioning.standing import customer_facts, standing
from tests import worlds
from tests.decisioning.rule_cases import ANGRY
from tests.worlds import NOW

FACTS: dict[str, Value] = {"state.known": True, "context.intent": "browse", "stage": "loyal"}
ACTION = worlds.action(topics=("bakery", "produce"), gives=1.0, partner="Hill Farm")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("profile.orders_90d", 3.0),
        ("profile.tier", "gold"),
        ("profile.age_band", None),
        ("profile.unheard_of", None),
        ("state.known", True),
        ("state.hardship", None),
        ("context.intent", "browse"),
        ("context.weather", None),
        ("prediction.lifetime_value", None),
        ("stage", "loyal"),
        ("action.name", "coupon"),
        ("action.group", "coupons"),
        ("action.job", "sell"),
        ("action.topic", "bakery"),
        ("action.value", 10.0),
        ("action.cost", 0.0),
        ("action.gives", 1.0),
        ("action.partner", "Hill Farm"),
        ("weather.rain", None),
    ],
)
def test_a_field_is_read_by_its_written_name(field: str, value: Value) -> None:
    assert lookup(FACTS, worlds.profile(), ACTION)(field) == value


def test_without_an_action_its_fields_are_missing() -> None:
    assert lookup(FACTS, worlds.profile())("action.name") is None


def test_an_action_without_a_topic_or_a_partner_has_none() -> None:
    read = action_lookup(worlds.action())
    assert (read("action.topic"), read("action.partner")) == (None, None)


def test_every_field_that_may_be_written_can_be_read() -> None:
    state, policy = worlds.state(emotion=ANGRY), worlds.policy()
    facts = customer_facts(
        state=state,
        standing=standing(state, policy, NOW),
        predictions=worlds.predictions(worlds.catalog()),
        context={},
        arms={},
        policy=policy,
        now=NOW,
    )
    read = lookup(facts, worlds.profile(), ACTION)
    assert [name for name in STATE_FIELDS if read(f"state.{name}") is None] == []
    assert [name for name in ACTION_FIELDS if read(f"action.{name}") is None] == []


def test_a_purpose_never_spoken_of_has_the_brands_default() -> None:
    granted = consented(worlds.state(consents={"service": False}), worlds.policy())
    assert granted == {"personalisation", "third_party"}
