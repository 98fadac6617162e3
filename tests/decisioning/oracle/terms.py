"""What an action is worth in a world: the four terms and the threshold, by their words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from decisioning.catalog import Action
from decisioning.policy import MaybeLater
from tests.decisioning.oracle.facts import holds, reader
from tests.decisioning.oracle.rules import covers
from tests.decisioning.oracle.seen import Seen
from tests.decisioning.oracle.world import World

Tallies = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    p: float
    c: float
    v: float
    l: float  # noqa: E741 - the name of the term
    threshold: float
    treated: float
    """The response with the message, of which `p` may be a small rest."""

    @property
    def priority(self) -> float:
        return self.p * self.c * self.v * self.l


def weigh(actions: Sequence[Action], seen: Seen) -> dict[str, Worth]:
    """What each of the actions is worth, by name."""
    tallies = _tallies(seen.world)
    return {action.name: _worth(action, seen, tallies) for action in actions}


def _worth(action: Action, seen: Seen, tallies: Tallies) -> Worth:
    world = seen.world
    at, touchpoint = world.catalog.positions[action.name], world.touchpoint
    levels = ("all", "here", f"group {action.group}", f"action {action.name}")
    mean = _believed([tallies.get(level, (0.0, 0.0)) for level in levels], world.policy.exploration.strength)
    treated = min(1.0, float(world.predictions.response[at]) * touchpoint.effect * mean)
    nothing = float("nan") if world.predictions.nothing is None else float(world.predictions.nothing[at])
    p = treated - nothing if isfinite(nothing) else treated * world.catalog.groups[action.group].incrementality
    threshold = action.cost + touchpoint.attention
    return Worth(p=p, c=_context(action, seen), v=action.value, l=action.lever, threshold=threshold, treated=treated)


def _believed(levels: Sequence[tuple[float, float]], strength: float) -> float:
    """The mean multiplier of a predicted response: each level of evidence, from the widest, shrunk to the one above it.

    What a narrower level counts is left out of the wider one.
    """
    mean = 1.0
    for (successes, expected), inner in zip(levels, (*levels[1:], (0.0, 0.0)), strict=True):
        mean = (strength * mean + successes - inner[0]) / (strength + expected - inner[1])
    return mean


def _tallies(world: World) -> Tallies:
    """Successes and expected successes: in all, at this touchpoint, here by the action's group, here by action."""
    found: dict[str, tuple[float, float]] = {}
    for (name, place), one in world.learner.evidence.items():
        levels = ["all"]
        if place == world.touchpoint.name:
            at = world.catalog.positions.get(name)
            group = [] if at is None else [f"group {world.catalog.actions[at].group}"]
            levels += ["here", *group, f"action {name}"]
        for level in levels:
            successes, expected = found.get(level, (0.0, 0.0))
            found[level] = (successes + one.successes, expected + one.expected)
    return found


def _context(action: Action, seen: Seen) -> float:
    world, read, product = seen.world, reader(seen.facts, seen.world, action), 1.0
    for weight in world.policy.weights:
        if covers(weight.scope, action, world) and (weight.when is None or holds(weight.when, read)):
            by = 1.0 if weight.scale is None else read(weight.scale)
            if isinstance(by, int | float):
                product *= 1.0 + (weight.factor - 1.0) * min(1.0, max(0.0, float(by)))
    steering = world.policy.preferences
    about = [*(f"topic:{one}" for one in action.topics), f"group:{action.group}", f"channel:{world.touchpoint.channel}"]
    for one in about:
        word = world.state.preferences.get(one)
        product *= {"more": steering.more, "less": steering.less}.get((word.wanted if word else None) or "", 1.0)
    put_off = [one.at for one in world.state.postponed if one.group == action.group]
    return product * (ramp(max(put_off), world.now, world.policy.contact.maybe_later) if put_off else 1.0)


def ramp(since: datetime, now: datetime, rule: MaybeLater) -> float:
    """From 1 down to `to`, then up to 1 again."""
    passed = now - since
    if passed < rule.down:
        return 1.0 - (1.0 - rule.to) * max(0.0, passed / rule.down)
    if passed < rule.down + rule.up:
        return rule.to + (1.0 - rule.to) * ((passed - rule.down) / rule.up)
    return 1.0
