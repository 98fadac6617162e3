"""The catalog's nouns refuse what cannot be meant, and keep one order."""

from typing import Any

import pytest

from decisioning.catalog import ActionGroup, Response, Treatment
from decisioning.domain import Message
from tests import worlds


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "exactly one"),
        ({"model": "preference", "prior": 0.1}, "exactly one"),
        ({"prior": 0.0}, "above 0"),
        ({"prior": 1.0}, "below 1"),
    ],
)
def test_a_response_comes_from_a_model_or_from_a_prior_that_is_a_probability(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Response(**given)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_an_incrementality_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        ActionGroup(issue="grow", incrementality=share)


def test_actions_stand_in_the_order_of_their_names_however_they_were_written() -> None:
    b, a = worlds.action("b"), worlds.action("a", treatments={"email": worlds.treatment()})
    catalog = worlds.catalog(b, a)
    assert [action.name for action in catalog.actions] == ["a", "b"]
    assert catalog["b"] is b
    assert catalog.at("app_home") == (b,)
    assert catalog.at("email") == (a, b)


@pytest.mark.parametrize(
    ("wanted", "locale", "title"),
    [
        ("es-US", "es-US", "Hola, vecino"),
        ("es-MX", "es", "Hola"),
        ("en-US", "en-US", "Hello"),
        ("en-GB", "en-US", "Hello"),
        ("fr", "en-US", "Hello"),
        (None, "en-US", "Hello"),
    ],
)
def test_a_treatment_is_said_in_the_locale_or_language_wanted_else_in_the_brands_own(
    wanted: str | None, locale: str, title: str
) -> None:
    translated = {"es": Message(title="Hola", body=""), "es-US": Message(title="Hola, vecino", body="")}
    said = Treatment(title="Hello", body="", locales=translated).said(wanted, own="en-US")
    assert (said[0], said[1].title) == (locale, title)


def test_the_words_of_a_treatment_are_its_own_and_all_translations() -> None:
    treatment = Treatment(title="Hello", body="you", cta="Go", locales={"es": Message(title="Hola", body="")})
    assert list(treatment.messages) == [
        (None, Message(title="Hello", body="you", cta="Go")),
        ("es", Message(title="Hola", body="")),
    ]
