"""What a customer can press: only what would change something, each by a name that a page can send back."""

from datetime import timedelta

import pytest

from decisioning.domain import Datum, Rejection
from decisioning.press import on_message, on_silence
from tests import worlds

MARKETING = worlds.policy()


def test_each_datum_that_can_be_contested_can_be_and_each_purpose_withdrawn_once() -> None:
    data = (
        Datum(says="your points", source="first_party", feature="points", purpose="personalisation"),
        Datum(says="what you told", source="told"),
        Datum(says="private", source="third_party", purpose="third_party"),
    )
    pressed = [(one.press, one.about) for one in on_message(worlds.action(mandatory=True), "app", data, MARKETING)]
    assert pressed == [
        ("contest", "points"),
        ("withdraw_consent", "marketing"),
        ("withdraw_consent", "personalisation"),
        ("withdraw_consent", "third_party"),
    ]


def test_a_message_can_be_steered_by_all_that_it_is_about() -> None:
    action = worlds.action(topics=("salad_bar",), every=timedelta(days=1))
    pressed = list(on_message(action, "app", (), MARKETING))
    assert [(one.press, one.about) for one in pressed[:3]] == [
        ("less_like", action.name),
        ("topic", "salad_bar"),
        ("channel", "app"),
    ]
    assert pressed[1].what == "Show me more, or less, of salad bar."


@pytest.mark.parametrize(
    ("rule", "press"), [("paused", ["pause"]), ("pace", ["pace"]), ("channel_declined", ["channel"]), ("budget", [])]
)
def test_silence_can_be_ended_where_the_customer_asked_for_it(rule: str, press: list[str]) -> None:
    rejected = [Rejection(action="a", tier="consent", rule=rule, unlock="")]
    assert [one.press for one in on_silence(rejected, "app")] == press
