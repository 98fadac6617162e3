"""What an action is worth here and now: priority = P x C x V x L, and what it must exceed.

The posterior sits on the response probability if treated. A model's prediction p counts as `strength` expected responses:
the multiplier m of p has the prior Gamma(strength, strength) and, after s responses where e were predicted, the posterior
Gamma(strength + s, strength + e) (the conjugate of a Poisson count with known exposure; Gelman et al., Bayesian Data
Analysis, 2.6). P = incrementality x p x m.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from decisioning.catalog import Action, Touchpoint
from decisioning.conditions import Lookup, holds
from decisioning.domain import Learner, Predictions, Terms
from decisioning.eligibility import Situation
from decisioning.policy import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """An action that passed, weighed. Its sampled priority is min(top, unit * m) with m ~ Gamma(shape, rate).

    `response` is the probability of success if treated before any evidence; `terms` hold expected values.
    """

    action: Action
    terms: Terms
    threshold: float
    response: float
    unit: float
    top: float
    shape: float
    rate: float


def weigh(actions: Sequence[Action], situation: Situation, *, predictions: Predictions, learner: Learner) -> tuple[Worth, ...]:
    """Weigh the actions that passed every tier, in the order given."""
    return tuple(_weigh(action, situation, predictions, learner) for action in actions)


def _weigh(action: Action, situation: Situation, predictions: Predictions, learner: Learner) -> Worth:
    catalog, policy, touchpoint = situation.catalog, situation.policy, situation.touchpoint
    group = catalog.groups[action.group]
    at = catalog.positions[action.name]
    response = min(1.0, float(predictions.response[at]) * touchpoint.effect)
    evidence = learner.of(action.name, touchpoint.name)
    shape = policy.exploration.strength + evidence.successes
    rate = policy.exploration.strength + evidence.expected
    context = context_weight(action, touchpoint, policy.weights, situation.lookups[action.name])
    beyond_p = context * action.value * action.lever
    assumed = ["incrementality"]
    if predictions.assumed[at]:
        assumed.append("response")
    if touchpoint.effect != 1.0:
        assumed.append("touchpoint_effect")
    return Worth(
        action=action,
        terms=Terms(
            p=min(1.0, response * shape / rate) * group.incrementality,
            c=context,
            v=action.value,
            l=action.lever,
            assumed=tuple(assumed),
        ),
        threshold=action.cost + touchpoint.attention,
        response=response,
        unit=response * group.incrementality * beyond_p,
        top=group.incrementality * beyond_p,
        shape=shape,
        rate=rate,
    )


def context_weight(action: Action, touchpoint: Touchpoint, weights: Sequence[Weight], lookup: Lookup) -> float:
    """The product of the factors that apply: each whole where its condition holds, or by its scale's value."""
    product = 1.0
    for weight in weights:
        if not weight.scope.covers(action, touchpoint) or (weight.when is not None and not holds(weight.when, lookup)):
            continue
        if weight.scale is None:
            product *= weight.factor
            continue
        value = lookup(weight.scale)
        if isinstance(value, int | float):
            product *= 1.0 + (weight.factor - 1.0) * min(1.0, max(0.0, float(value)))
    return product
