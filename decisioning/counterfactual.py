"""What moved a choice: the priority of an action beside the one it would have had without one thing that was known.

Nothing here is a guess at what a model or a rule "looks at": each cause is taken away, the action is weighed again by the
same code that weighed it first, and the difference is what the cause did (leave-one-out; Robnik-Sikonja and Kononenko,
IEEE TKDE 20(5), 2008). A datum is taken away as it is when the customer contests it: it is missing, for models and weights.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from decisioning import preferences
from decisioning.arbitration import weigh
from decisioning.conditions import fields_of
from decisioning.customer import FeatureIndex, Profile
from decisioning.domain import Predictions
from decisioning.factors import Whose, factors
from decisioning.policy import Policy, Weight
from decisioning.sifting import Asked, sift
from decisioning.trace import Weighed

Predict = Callable[[Profile], Predictions]
"""The models of the decision, asked again with another profile."""

NOTICED = 0.02
"""Of the larger of the two priorities: what moves less is not named."""
_MOST_DATA = 60
"""How many kinds of data are taken away in turn, at most."""
_CLOSE = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One cause, and the priority of the action with it and without it.

    `about` names the weight's rule, topic, group or channel; of a datum it is its first feature, of evidence it is empty.
    `says` is what a weight or a datum is in words. `features` are what was missing when a datum was taken away.
    """

    whose: Whose | Literal["datum", "evidence"]
    about: str
    having: float
    lacking: float
    says: str = ""
    features: tuple[str, ...] = ()

    @property
    def moved(self) -> float:
        """What it did, as a share of the larger priority: above 0 it helped, below it held back."""
        larger = max(abs(self.having), abs(self.lacking))
        return (self.having - self.lacking) / larger if larger > 0.0 else 0.0


def reasons(whole: Weighed, at: int, predict: Predict | None = None) -> tuple[Reason, ...]:
    """All that moved the candidate at a position by more than NOTICED and can be named, the strongest first.

    A weight is named where it `says` something and reads nothing sensitive, a datum where the action's model read it, it is
    known, says something and is not sensitive. Data are left out without `predict`, or where it answers otherwise now.
    """
    found = [*_of_context(whole, at), *_of_evidence(whole, at)]
    if predict is not None and answers_as_then(whole, predict):
        found += _of_data(whole, at, predict)
    return tuple(sorted((one for one in found if abs(one.moved) > NOTICED), key=lambda one: (-abs(one.moved), one.about)))


def answers_as_then(whole: Weighed, predict: Predict) -> bool:
    """Whether the models still predict what the decision was made with."""
    asked, positions = whole.sifted.asked, whole.sifted.plan.positions
    then, now = asked.predictions.response[positions], predict(asked.profile).response[positions]
    return bool(np.allclose(then, now, rtol=_CLOSE, atol=_CLOSE))


def data_read(whole: Weighed, at: int) -> dict[str, tuple[str, ...]]:
    """The known features that the action's model read, by what they say; what says nothing or is sensitive is left out."""
    asked = whole.sifted.asked
    index, found = asked.profile.index, dict[str, tuple[str, ...]]()
    for name in dict.fromkeys(asked.predictions.reads.get(whole.sifted.plan.actions[at].name, ())):
        position = index.positions.get(name)
        if position is not None and asked.profile.present[position]:
            feature = index.features[position]
            if feature.says and not feature.sensitive:
                found[feature.says] = (*found.get(feature.says, ()), name)
    return found


def reads_sensitive(weight: Weight, policy: Policy, index: FeatureIndex) -> bool:
    """Whether a weight follows from a sensitive attribute, by itself or by the stages of the journey."""
    fields = set(fields_of(weight.when)) if weight.when is not None else set[str]()
    if "stage" in fields:
        fields |= {field for stage in policy.journey if stage.when is not None for field in fields_of(stage.when)}
    if weight.scale is not None:
        fields.add(weight.scale)
    names = {field.removeprefix("profile.") for field in fields if field.startswith("profile.")}
    return any(index[name].sensitive for name in names if name in index.positions)


def _of_context(whole: Weighed, at: int) -> Iterator[Reason]:
    sifted = whole.sifted
    policy, index = sifted.asked.rulebook.policy, sifted.asked.profile.index
    for one in factors(sifted, at):
        says = ""
        if one.whose == "weight":
            weight = policy.weights[one.weight]
            if not weight.says or reads_sensitive(weight, policy, index):
                continue
            says = weight.says
            neutral = sifted.plan.weights.factor.copy()
            neutral[one.weight] = 1.0
            plan = replace(sifted.plan, weights=replace(sifted.plan.weights, factor=neutral))
            lacking = weigh(replace(sifted, plan=plan), whole.beliefs)
        else:
            lacking = weigh(replace(sifted, asked=_unsaid(sifted.asked, one.whose, one.about)), whole.beliefs)
        yield Reason(
            whose=one.whose,
            about=one.about,
            having=float(whole.worths.priority[at]),
            lacking=float(lacking.priority[at]),
            says=says,
        )


def _unsaid(asked: Asked, whose: Whose, about: str) -> Asked:
    """The customer as if they had never said this."""
    state = asked.state
    if whose == "maybe_later":
        return replace(asked, state=replace(state, postponed=tuple(one for one in state.postponed if one.group != about)))
    name = {"topic": preferences.topic, "group": preferences.group, "channel": preferences.channel}[whose](about)
    words = {key: word for key, word in state.preferences.items() if key != name}
    return replace(asked, state=replace(state, preferences=words))


def _of_evidence(whole: Weighed, at: int) -> Iterator[Reason]:
    """What became of earlier messages, as against what was predicted of them."""
    beliefs = whole.beliefs
    unmoved = weigh(whole.sifted, replace(beliefs, shape=beliefs.rate))
    yield Reason(whose="evidence", about="", having=float(whole.worths.priority[at]), lacking=float(unmoved.priority[at]))


def _of_data(whole: Weighed, at: int, predict: Predict) -> Iterator[Reason]:
    for says, names in list(data_read(whole, at).items())[:_MOST_DATA]:
        lacking = weigh(sift(whole.sifted.plan, _contested(whole.sifted.asked, names, predict)), whole.beliefs)
        yield Reason(
            whose="datum",
            about=names[0],
            having=float(whole.worths.priority[at]),
            lacking=float(lacking.priority[at]),
            says=says,
            features=names,
        )


def _contested(asked: Asked, names: tuple[str, ...], predict: Predict) -> Asked:
    """The customer as if these data were contested: no rule and no model sees them."""
    profile = asked.profile.without(frozenset(names))
    predictions = predict(profile)
    if predictions.nothing is None:
        predictions = replace(predictions, nothing=asked.predictions.nothing)
    facts = {name: value for name, value in asked.facts.items() if not name.startswith("prediction.")}
    facts |= {f"prediction.{name}": value for name, value in predictions.customer.items()}
    return replace(asked, profile=profile, predictions=predictions, facts=facts)
