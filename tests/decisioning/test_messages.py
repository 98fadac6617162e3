"""Texts: what placeholders may say, what is said where nothing is known, and what is wrong with a text."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from decisioning.domain import Message
from decisioning.messages import FIELDS, action_values, always_known, faults, message_values, money, render, with_fallbacks
from tests import worlds

ZONE = ZoneInfo(worlds.ZONE)


def test_every_part_of_a_message_is_filled_and_an_unknown_field_takes_its_fallback() -> None:
    template = Message(title="Hello {first_name|neighbour}", body="from {brand}: {points|some} points", cta="Use {points|them}")
    filled = render(template, {"brand": "Corner", "points": "1,234"})
    assert filled == Message(title="Hello neighbour", body="from Corner: 1,234 points", cta="Use 1,234")


def test_a_value_is_text_and_nothing_in_it_is_filled_again() -> None:
    filled = render(Message(title="{first_name|you}", body=""), {"first_name": "{brand} {0.__class__}", "brand": "Corner"})
    assert filled.title == "{brand} {0.__class__}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Hello {first_name|neighbour}, {brand}", None),
        ("Hello {firstname|neighbour}", "unknown field {firstname}"),
        ("Hello {first_name}", "{first_name} has no fallback"),
        ("Hello {first_name|}", "{first_name} has no fallback"),
        ("Hello {}", "unknown field {}"),
        ("Hello {first_name|neighbour", "a brace without its partner"),
        ("Hello }first_name|neighbour{", "a brace without its partner"),
        ("Hello {first_name|dear|neighbour}", "a brace without its partner"),
        ("{points|{tier|no}}", "a brace without its partner"),
        ("{first_name.upper|x}", "unknown field {first_name.upper}"),
        ("", "the title is empty"),
        ("   ", "the title is empty"),
    ],
)
def test_a_fault_in_a_text_is_named(text: str, fault: str | None) -> None:
    found = list(faults(Message(title=text, body="fine")))
    assert {part for part, _ in found} <= {"title"}
    assert (fault is None and found == []) or any(fault is not None and fault in one for _, one in found)


def test_every_fault_of_all_three_parts_is_named() -> None:
    assert [part for part, _ in faults(Message(title="{a|x}", body="{points}", cta="{"))] == ["title", "body", "cta"]


def test_what_is_not_known_of_the_customer_is_left_out() -> None:
    nobody = message_values(profile=worlds.profile(orders_90d=1.0), state=worlds.state(), brand="Corner")
    assert nobody == {"brand": "Corner"}


def test_what_is_known_of_the_customer_is_written_for_people() -> None:
    known = message_values(
        profile=worlds.profile(points=1234.4, tier="gold"),
        state=worlds.state(traits={"first_name": "Ada"}),
        brand="Corner",
    )
    assert known == {"brand": "Corner", "first_name": "Ada", "points": "1,234", "tier": "gold"}


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (datetime(2018, 2, 1, 5, 0, tzinfo=UTC), "January 31"),  # midnight in New York: the day before is the last
        (datetime(2018, 2, 1, 4, 59, 59, tzinfo=UTC), "January 31"),
        (datetime(2018, 2, 1, 17, 0, tzinfo=UTC), "February 1"),
    ],
)
def test_the_last_day_of_validity_is_said_in_the_customers_own_time(until: datetime, said: str) -> None:
    action = worlds.action(valid_until=until, topics=("salad_bar",))
    assert action_values(action, zone=ZONE) == {"valid_until": said, "topic": "salad bar"}


def test_a_date_in_a_text_of_another_language_is_in_figures() -> None:
    action = worlds.action(valid_until=datetime(2018, 2, 1, 5, 0, tzinfo=UTC))
    said = {locale: action_values(action, zone=ZONE, locale=locale)["valid_until"] for locale in ("en", "en-GB", "es-US")}
    assert said == {"en": "January 31", "en-GB": "January 31", "es-US": "2018-01-31"}


def test_a_partner_is_named_and_what_the_customer_gets_is_money() -> None:
    shared = worlds.action(partner="Hill Farm", gives=5.0)
    assert action_values(shared, zone=ZONE, currency="USD") == {"partner": "Hill Farm", "gives": "$5"}
    assert always_known(shared) == {"brand", "partner", "gives"}
    assert always_known(worlds.action()) == always_known() == {"brand"}


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (5.0, "USD", "$5"),
        (5.5, "USD", "$5.50"),
        (1234.0, "EUR", "€1,234"),
        (0.05, "GBP", "£0.05"),
        (12.0, "CHF", "12 CHF"),
        (12.0, "", "12"),
    ],
)
def test_money_is_written_with_its_sign_or_its_code(amount: float, currency: str, said: str) -> None:
    assert money(amount, currency) == said


def test_a_text_with_its_fallbacks_reads_as_where_nothing_else_is_known() -> None:
    text = "{first_name|Neighbour}, {partner|a friend} and {brand}: {topic|}"
    assert with_fallbacks(text, {"partner": "Hill Farm"}) == "Neighbour, Hill Farm and brand: topic"


def test_what_always_has_a_value_here_needs_no_fallback() -> None:
    assert list(faults(Message(title="With {partner}", body=""), known=("partner",))) == []
    assert [part for part, _ in faults(Message(title="With {partner}", body="{brand}"))] == ["title"]


def test_an_action_without_topic_and_end_says_nothing_of_them() -> None:
    assert action_values(worlds.action(), zone=ZONE) == {}


def test_every_value_that_can_be_said_is_on_the_list_of_fields() -> None:
    said = message_values(profile=worlds.profile(), state=worlds.state(traits={"first_name": "Ada"}), brand="b")
    spoken_of = worlds.action(valid_until=worlds.NOW, topics=("bakery",), partner="Hill Farm", gives=5.0)
    said |= action_values(spoken_of, zone=ZONE)
    assert set(said) == FIELDS
