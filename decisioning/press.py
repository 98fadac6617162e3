"""What a customer can press to change what comes next: each names what it is about, so that a page can make a button of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from decisioning.catalog import Action
from decisioning.domain import Datum, Rejection
from decisioning.policy import Policy

Button = Literal["less_like", "pause", "pace", "topic", "channel", "contest", "withdraw_consent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """`about` is the action, topic, channel, feature or purpose; empty for a pause and for the pace."""

    press: Button
    what: str
    about: str = ""


def on_message(action: Action, channel: str, data: Iterable[Datum], policy: Policy) -> Iterator[Press]:
    """What changes a message like this one. What binds no mandatory message is not offered for one."""
    data = tuple(data)
    if not action.mandatory:
        yield Press(press="less_like", what="Show me less like this.", about=action.name)
        for topic in action.topics:
            yield Press(press="topic", what=f"Show me more, or less, of {plain(topic)}.", about=topic)
        yield Press(press="channel", what=f"Hear more, or less, from us by {plain(channel)}.", about=channel)
        yield Press(press="pace", what="Set how many notes a week you want.")
        yield Press(press="pause", what="Take a break from us.")
    for one in data:
        if one.feature:
            yield Press(press="contest", what=f"Tell us if this is wrong: {one.says}.", about=one.feature)
    for purpose in dict.fromkeys((action.purpose, *(one.purpose for one in data))):
        if purpose in policy.purposes:
            yield Press(press="withdraw_consent", what=f'Say no to "{policy.purposes[purpose].says}"', about=purpose)


def on_silence(rejected: Iterable[Rejection], channel: str) -> Iterator[Press]:
    """What of the customer's own words kept us silent, and can be taken back."""
    rules = {one.rule for one in rejected}
    if "paused" in rules:
        yield Press(press="pause", what="End your break.")
    if "pace" in rules:
        yield Press(press="pace", what="Set how many notes a week you want.")
    if "channel_declined" in rules:
        yield Press(press="channel", what=f"Hear from us by {plain(channel)} again.", about=channel)


def plain(name: str) -> str:
    """A name of the catalog as words."""
    return name.replace("_", " ")
