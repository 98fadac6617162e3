"""Unlock hints taken at their word: what a hint says is made true in the world, by nothing but its text or its moment.

hint  = each, or each, ...        any one of them is enough
each  = part, and part, ...       all of them
part  = field op literal (is what it was), or (hint)
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from decisioning.catalog import Action, Treatment
from decisioning.conditions import Test, parse
from decisioning.domain import Ledger, Rejection
from decisioning.errors import ConditionError
from tests.decisioning.oracle.facts import is_broken
from tests.decisioning.oracle.world import World
from tests.proofs.made_true import FOREVER, made_true, promises

_WAS = re.compile(r"\s*\(is [^()]*\)|, by itself at [^()]*$")


def follow(rejection: Rejection, world: World, rng: Random) -> World | None:
    """The world in which what the rejection's hint says has come true; None where its text says nothing that could."""
    if rejection.until is not None:
        return replace(world, now=rejection.until)
    by_name = _BY_NAME.get(rejection.rule)
    if by_name is not None:
        return by_name(rejection, world)
    try:
        for test in _wanted(_WAS.sub("", rejection.unlock), rng):
            world = made_true(test, world)
    except (ConditionError, KeyError):
        return None
    return world


def _wanted(text: str, rng: Random) -> list[Test]:
    """The tests to make true: of those joined by `or` one, of those joined by `and` all."""
    one = rng.choice(_split(text, " or "))
    parts = _split(one, " and ")
    if len(parts) > 1:
        return [test for part in parts for test in _wanted(part, rng)]
    if one.startswith("(") and one.endswith(")"):
        return _wanted(one[1:-1], rng)
    test = parse(one)
    assert isinstance(test, Test)
    return [test]


def _split(text: str, word: str) -> list[str]:
    """The parts of a text between words that stand in no parentheses."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and text.startswith(word, at):
            parts.append(text[start:at])
            start = at + len(word)
    return [part.strip() for part in (*parts, text[start:])]


# ---------------------------------------------------------------------------------------- rules that speak of other things

Follow = Callable[[Rejection, World], World | None]


def _saying(word: Callable[[Action, World], str], change: Callable[[Action, World], World]) -> Follow:
    """Follow a hint that must name what it speaks of: a word of the action or of the world."""

    def followed(rejection: Rejection, world: World) -> World | None:
        action = world.catalog[rejection.action]
        return change(action, world) if word(action, world) in rejection.unlock else None

    return followed


def _with_action(action: Action, world: World, **changes: Any) -> World:
    others = tuple(one for one in world.catalog.actions if one.name != action.name)
    return replace(world, catalog=replace(world.catalog, actions=(*others, replace(action, **changes))))


def _with_job(action: Action, world: World) -> World:
    here = replace(world.touchpoint, jobs=(*world.touchpoint.jobs, action.job))
    return replace(world, catalog=replace(world.catalog, touchpoints={**world.catalog.touchpoints, here.name: here}))


def _with_channel(_: Action, world: World) -> World:
    return replace(world, state=replace(world.state, closed_channels=()))


def _without_word(*abouts: str) -> Callable[[Action, World], World]:
    """Without the customer's preferences on what a beginning names, as in `topic:`."""

    def change(_: Action, world: World) -> World:
        left = {about: word for about, word in world.state.preferences.items() if not about.startswith(abouts)}
        return replace(world, state=replace(world.state, preferences=left))

    return change


def _with_time(action: Action, world: World) -> World:
    contact = replace(world.policy.contact, quiet_hours=None)
    return replace(_with_action(action, world, valid_until=None), policy=replace(world.policy, contact=contact))


def _declined_topic(action: Action, world: World) -> str:
    words = world.state.preferences
    return next(one for one in action.topics if f"topic:{one}" in words and words[f"topic:{one}"].wanted == "none")


def _with_words(action: Action, world: World) -> World:
    """With a treatment in each tone."""
    said = tuple(Treatment(title="said", body="", tone=tone) for tone in world.policy.voice.tones)
    return _with_action(action, world, treatments={**action.treatments, world.touchpoint.name: said})


_BY_NAME: Mapping[str, Follow] = {
    "channel_closed": _saying(lambda _, world: world.touchpoint.channel, _with_channel),
    "channel_declined": _saying(lambda _, world: world.touchpoint.channel, _without_word("channel:")),
    "topic_declined": _saying(_declined_topic, _without_word("topic:")),
    "group_declined": _saying(lambda action, _: action.group, _without_word("group:")),
    "holdout": _saying(
        lambda _, __: "control group", lambda _, world: replace(world, said={**world.said, "group": "treatment"})
    ),
    "no_longer_valid": _saying(lambda _, __: "valid", lambda action, world: _with_action(action, world, valid_until=FOREVER)),
    "promises_not_kept": _saying(
        lambda _, __: "promise",
        lambda action, world: replace(world, ledger={**world.ledger, action.name: Ledger(ended=1000, kept=1000)}),
    ),
    "touchpoint_job": _saying(lambda action, _: action.job, _with_job),
    "make_good_first": _saying(
        lambda _, __: "promise",
        lambda _, world: replace(world, state=replace(world.state, promises=promises(world, is_broken, None))),
    ),
    "pace": _saying(lambda _, __: "week", _without_word("pace")),
    "budget": _saying(
        lambda action, _: action.name, lambda action, world: replace(world, stock={**world.stock, action.name: 1})
    ),
    "tone": _saying(lambda _, __: "tone", _with_words),
    "in_time": _saying(lambda _, __: "quiet", _with_time),
}
"""How a hint is followed that speaks of more than a fact."""
