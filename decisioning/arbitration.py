"""What each candidate is worth here and now: priority = P x C x V x L, and what it must exceed.

The belief of an action is a multiplier m of its predicted response, Gamma(shape, rate) (see `decisioning.beliefs`). With p the
prediction at this touchpoint the response if treated is min(1, p m), and P is what the message adds to it: less the
response without it where a control measures that, else the share that its group declares. C is the product of the policy's
weights that apply, of the customer's own words on topics, group and channel, and of what "maybe later" leaves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numba import njit
from numpy.typing import NDArray

from decisioning import preferences
from decisioning.beliefs import Beliefs
from decisioning.customer import State
from decisioning.domain import Terms
from decisioning.policy import MaybeLater, Policy, Steering
from decisioning.programs import Flags, Numbers
from decisioning.sifting import Sifted
from decisioning.weights import Weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Worths:
    """What n candidates are worth to one customer, (n,) each.

    `p` and `c` are terms, `response` is that if treated before any evidence, `nothing` that without the message (NaN where
    no control measured it). The sampled priority of a candidate is min(top, scale m - offset).
    """

    p: Floats
    c: Floats
    priority: Floats
    response: Floats
    nothing: Floats
    scale: Floats
    offset: Floats
    top: Floats


def weigh(sifted: Sifted, beliefs: Beliefs) -> Worths:
    """Weigh all candidates of a touchpoint, those too that do not pass."""
    plan, asked = sifted.plan, sifted.asked
    weights, predictions, positions, policy = plan.weights, asked.predictions, plan.positions, asked.rulebook.policy
    # as a record keeps them, so that deciding again reads the same
    response = predictions.response[positions].astype(np.float32).astype(np.float64)
    nothing = np.full(len(positions), np.nan)
    if predictions.nothing is not None:
        nothing = predictions.nothing[positions].astype(np.float32).astype(np.float64)
    said = _said(weights, asked.state, policy, asked.now)
    channel = steered(policy.preferences, asked.state, preferences.channel(plan.touchpoint.channel))
    out = np.empty((8, len(positions)))
    _weigh(
        response, nothing, plan.touchpoint.effect, beliefs.shape, beliefs.rate, weights.incrementality, weights.value,
        weights.lever, weights.factor, plan.scale, weights.weight, weights.asks, weights.weight_start, weights.word,
        weights.word_start, said, channel, sifted.numbers, sifted.flags, out,
    )  # fmt: skip
    p, c, priority, at_touchpoint, without, unit, offset, top = out
    return Worths(p=p, c=c, priority=priority, response=at_touchpoint, nothing=without, scale=unit, offset=offset, top=top)


def terms(sifted: Sifted, worths: Worths, at: int) -> Terms:
    """The terms of the candidate at a position. What was declared rather than measured is named."""
    plan = sifted.plan
    assumed = [
        *(["incrementality"] if np.isnan(worths.nothing[at]) else []),
        *(["response"] if sifted.asked.predictions.assumed[plan.positions[at]] else []),
        *(["touchpoint_effect"] if plan.touchpoint.effect != 1.0 else []),
    ]
    return Terms(
        p=float(worths.p[at]),
        c=float(worths.c[at]),
        v=float(plan.weights.value[at]),
        l=float(plan.weights.lever[at]),
        assumed=tuple(assumed),
    )


def ramp(maybe_later: MaybeLater, ago: timedelta) -> float:
    """What "maybe later" leaves of a weight so long after it was said: down to `to`, then up to 1 again, both straight."""
    if ago < maybe_later.down:
        return 1.0 - (1.0 - maybe_later.to) * (ago / maybe_later.down)
    since = ago - maybe_later.down
    if since >= maybe_later.up:
        return 1.0
    return maybe_later.to + (1.0 - maybe_later.to) * (since / maybe_later.up)


def _said(weights: Weights, state: State, policy: Policy, now: datetime) -> Floats:
    """The factor of each word that a candidate may be bound by."""
    said = np.ones(len(weights.words))
    for about in state.preferences:
        if (at := weights.words.get(about)) is not None:
            said[at] = steered(policy.preferences, state, about)
    last: dict[str, datetime] = {}
    for one in state.postponed:
        last[one.group] = max(one.at, last.get(one.group, one.at))
    for group, when in last.items():
        if (at := weights.words.get(preferences.group(group))) is not None:
            said[at] *= ramp(policy.contact.maybe_later, max(timedelta(0), now - when))
    return said


def steered(steering: Steering, state: State, about: str) -> float:
    word = state.preferences.get(about)
    if word is None or word.wanted not in ("more", "less"):
        return 1.0
    return steering.more if word.wanted == "more" else steering.less


@njit(cache=True, nogil=True)
def _weigh(
    response: Floats,
    nothing: Floats,
    effect: float,
    shape: Floats,
    rate: Floats,
    incrementality: Floats,
    value: Floats,
    lever: Floats,
    factor: Floats,
    scale: Ints,
    weight: Ints,
    asks: Ints,
    weight_start: Ints,
    word: Ints,
    word_start: Ints,
    said: Floats,
    channel: float,
    numbers: Numbers,
    holds: Flags,
    out: NDArray[np.float64],
) -> None:
    for k in range(len(response)):
        c = channel
        for at in range(weight_start[k], weight_start[k + 1]):
            if asks[at] < 0 or holds[asks[at]]:
                w = weight[at]
                if scale[w] < 0:
                    c *= factor[w]
                elif not np.isnan(numbers[scale[w]]):
                    c *= 1.0 + (factor[w] - 1.0) * min(1.0, max(0.0, numbers[scale[w]]))
        for at in range(word_start[k], word_start[k + 1]):
            c *= said[word[at]]
        beyond = c * value[k] * lever[k]
        treated = response[k] * effect
        expected = min(1.0, treated * shape[k] / rate[k])
        if np.isnan(nothing[k]):
            share, without = incrementality[k], 0.0
            p = expected * share
        else:
            share, without = 1.0, nothing[k]
            p = expected - without
        out[0, k] = p
        out[1, k] = c
        out[2, k] = p * c * value[k] * lever[k]
        out[3, k] = min(1.0, treated)
        out[4, k] = nothing[k]
        out[5, k] = share * treated * beyond
        out[6, k] = without * beyond
        out[7, k] = (share - without) * beyond
