"""The nouns: what a profile knows, and what it may not tell without consent."""

import numpy as np
import pytest

from decisioning.customer import Profile
from decisioning.domain import Terms
from tests import worlds


def test_an_empty_profile_knows_nothing() -> None:
    empty = Profile.empty(worlds.index())
    assert not empty.known
    assert empty.get("orders_90d") is None
    assert len(empty.values) == len(empty.present) == len(empty.index)


@pytest.mark.parametrize(("name", "value"), [("orders_90d", 3.0), ("tier", "gold"), ("age_band", None), ("unheard_of", None)])
def test_a_value_is_a_number_a_label_or_missing(name: str, value: object) -> None:
    assert worlds.profile().get(name) == value


def test_data_without_consent_for_its_purpose_is_as_if_it_did_not_exist() -> None:
    whole = worlds.profile(orders_90d=2.0, age_band="25-34")
    limited = whole.limited_to(frozenset({"personalisation"}))
    assert whole.get("age_band") == "25-34"
    assert limited.get("age_band") is None
    assert np.isnan(limited.values[limited.index.positions["age_band"]])
    assert limited.get("orders_90d") == 2.0
    assert not whole.limited_to(frozenset()).known
    assert whole.limited_to(frozenset({"personalisation", "third_party"})) is whole


def test_a_contested_datum_is_as_if_it_did_not_exist() -> None:
    whole = worlds.profile(orders_90d=2.0, points=7.0)
    left = whole.without(frozenset({"points", "unheard_of"}))
    assert (whole.get("points"), left.get("points"), left.get("orders_90d")) == (7.0, None, 2.0)
    assert np.isnan(left.values[left.index.positions["points"]])
    assert whole.without(frozenset()) is whole
    assert whole.without(frozenset({"age_band", "unheard_of"})) is whole


def test_a_priority_is_the_product_of_its_terms() -> None:
    assert Terms(p=0.5, c=2.0, v=3.0, l=4.0).priority == 12.0
