"""What the context term C of a candidate is made of: each factor by itself, with whose word it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import isnan
from typing import Literal

from decisioning import preferences
from decisioning.arbitration import ramp, steered
from decisioning.policy import Weight
from decisioning.sifting import Sifted

Whose = Literal["weight", "topic", "group", "channel", "maybe_later"]
"""A weight of the policy; the customer's word on a topic, a group of actions or a channel; or that they put a group off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """`about` is the weight's rule, the topic, the group or the channel. `weight` is its position in the policy, else -1."""

    whose: Whose
    about: str
    factor: float
    weight: int = -1


def factors(sifted: Sifted, at: int) -> tuple[Factor, ...]:
    """The factors of the candidate at a position that are not 1. Their product is its C."""
    return tuple(one for one in (*_weights(sifted, at), *_words(sifted, at)) if one.factor != 1.0)


def _weights(sifted: Sifted, at: int) -> Iterator[Factor]:
    weights = sifted.plan.weights
    for place in range(weights.weight_start[at], weights.weight_start[at + 1]):
        if weights.asks[place] < 0 or sifted.flags[weights.asks[place]]:
            position = int(weights.weight[place])
            weight = sifted.asked.rulebook.policy.weights[position]
            yield Factor(whose="weight", about=weight.rule, factor=_scaled(weight, position, sifted), weight=position)


def _scaled(weight: Weight, position: int, sifted: Sifted) -> float:
    if weight.scale is None:
        return weight.factor
    share = float(sifted.numbers[sifted.plan.scale[position]])
    return 1.0 if isnan(share) else 1.0 + (weight.factor - 1.0) * min(1.0, max(0.0, share))


def _words(sifted: Sifted, at: int) -> Iterator[Factor]:
    action, asked = sifted.plan.actions[at], sifted.asked
    state, policy, channel = asked.state, asked.rulebook.policy, sifted.plan.touchpoint.channel
    for topic in action.topics:
        yield Factor(whose="topic", about=topic, factor=steered(policy.preferences, state, preferences.topic(topic)))
    yield Factor(whose="group", about=action.group, factor=steered(policy.preferences, state, preferences.group(action.group)))
    yield Factor(whose="channel", about=channel, factor=steered(policy.preferences, state, preferences.channel(channel)))
    put_off = [one.at for one in state.postponed if one.group == action.group]
    if put_off:
        left = ramp(policy.contact.maybe_later, max(timedelta(0), asked.now - max(put_off)))
        yield Factor(whose="maybe_later", about=action.group, factor=left)
