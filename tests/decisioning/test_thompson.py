"""The logged probabilities of whole decisions beside those of sampling, as architecture and policy put it into words."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from decisioning.catalog import Action
from decisioning.chance import WHOLE
from decisioning.domain import Placement
from decisioning.gamma import LEAST
from tests.decisioning.oracle.seen import look
from tests.decisioning.oracle.terms import Worth, weigh
from tests.decisioning.oracle.world import World
from tests.proofs.deciding import Decided, decided
from tests.proofs.random_brands import brand
from tests.proofs.random_customers import customers

DRAWS = 40_000
ROUNDED = 0.004
"""What the few digits of a shape may move a probability by: a shape is kept to 1 in 128."""


@pytest.mark.parametrize("seed", range(4))
def test_an_action_is_as_likely_as_its_sampled_priority_is_the_highest_above_its_threshold(seed: int) -> None:
    chance = np.random.default_rng(seed)
    for world, decision in _problems(seed, 15):
        names = [one.action for one in decision.candidates]
        expected = _by_sampling(world, names, chance)
        units = np.array([*(one.units for one in decision.candidates), decision.nothing_units]) / WHOLE
        off = np.abs(units - expected)
        assert (off <= 4.5 * np.sqrt(expected * (1.0 - expected) / DRAWS) + ROUNDED).all(), (names, units, expected)


def _problems(seed: int, count: int) -> Iterator[tuple[World, Decided]]:
    """First places with a real choice, of customers who are neither in a trial nor in distress."""
    rng = Random(seed)
    while count:
        for drawn in customers(rng, brand(rng, actions=12), 5):
            world = replace(drawn, request=replace(drawn.request, placements=(Placement(),)))
            decision = decided(world)
            passed = [world.catalog[one.action] for one in decision.candidates]
            plain = decision.group == "treatment" and not look(world).distress and not any(one.mandatory for one in passed)
            if count and plain and sum(one.units > 0 for one in decision.candidates) > 1:
                count -= 1
                yield world, decision


def _by_sampling(world: World, names: list[str], chance: np.random.Generator) -> NDArray[np.float64]:
    """The share of draws in which each action is chosen, and last nothing, the exploration mass included."""
    actions = [world.catalog[name] for name in names]
    worths = weigh(actions, look(world))
    helps = np.array([worths[name].p > 0 for name in names])
    sampled = np.column_stack([_sampled(one, world, worths[one.name], chance) for one in actions])
    above = np.where(helps & (sampled > [worths[name].threshold for name in names]), sampled, -np.inf)
    # who ties at a top, each with a lot of its own
    best = (above == above.max(axis=1, keepdims=True)) & np.isfinite(above)
    won = np.where(best, chance.random(above.shape), -1.0).argmax(axis=1)
    chosen = np.array([np.mean(best.any(axis=1) & (won == at)) for at in range(len(names))])
    mass = world.policy.exploration.mass
    return np.append((1.0 - mass) * chosen + mass * helps / helps.sum(), (1.0 - mass) * np.mean(~best.any(axis=1)))


def _sampled(action: Action, world: World, worth: Worth, chance: np.random.Generator) -> NDArray[np.float64]:
    """Priorities: the posterior of how many times its prediction an action's responses come to, drawn."""
    strength, own = world.policy.exploration.strength, world.learner.of(action.name, world.touchpoint.name)
    shape, rate = strength * _prior(action, world) + own.successes, strength + own.expected
    m = chance.gamma(max(shape, LEAST), shape / rate / max(shape, LEAST), DRAWS)
    at = world.catalog.positions[action.name]
    treated = np.minimum(1.0, float(world.predictions.response[at]) * world.touchpoint.effect * m)
    nothing = np.nan if world.predictions.nothing is None else float(world.predictions.nothing[at])
    p = treated * world.catalog.groups[action.group].incrementality if np.isnan(nothing) else treated - nothing
    return p * worth.c * worth.v * worth.l


def _prior(action: Action, world: World) -> float:
    """What is believed of an action before its own evidence here: from all, to this place, to its group here."""
    here, strength = world.touchpoint.name, world.policy.exploration.strength
    groups = {one.name: one.group for one in world.catalog.actions}
    mean = 1.0
    levels = (
        lambda name, place: place != here,
        lambda name, place: place == here and groups.get(name) != action.group,
        lambda name, place: place == here and groups.get(name) == action.group and name != action.name,
    )
    for level in levels:
        seen = [one for (name, place), one in world.learner.evidence.items() if level(name, place)]
        mean = (strength * mean + sum(one.successes for one in seen)) / (strength + sum(one.expected for one in seen))
    return mean
