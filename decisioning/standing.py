"""Where a customer stands at one moment: what suppresses selling, what is promised, how they feel. Found once a decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from decisioning import promises
from decisioning.conditions import Value
from decisioning.customer import State
from decisioning.domain import Predictions
from decisioning.emotion import intensity_at, is_strong, suppressing
from decisioning.episodes import is_open
from decisioning.policy import Policy
from decisioning.promises import is_broken
from decisioning.voice import Mood

SUPPRESSING: tuple[str, ...] = ("open_complaint", "negative_emotion", "hardship", "broken_promise")
"""Why nothing is sold, in the order in which it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`suppressed` says by which of SUPPRESSING nothing is sold, `make_good` which actions make up for broken promises."""

    suppressed: tuple[str, ...]
    mood: Mood
    make_good: frozenset[str]
    hardship: bool
    open_promise: bool
    broken_promise: bool


def standing(state: State, policy: Policy, now: datetime) -> Standing:
    """Where the customer stands now."""
    broken = [promise for promise in state.promises.values() if is_broken(promise, now)]
    hardship = is_open(state.hardship)
    emotion, strong = state.emotion, is_strong(state.emotion, policy.suppression, now)
    found = {
        "open_complaint": bool(state.open_complaints),
        "negative_emotion": bool(suppressing(state, policy.suppression, now)),
        "hardship": hardship,
        "broken_promise": bool(broken),
    }
    reasons = tuple(why for why in SUPPRESSING if found[why])
    return Standing(
        suppressed=reasons,
        mood="upset" if reasons else "happy" if strong and emotion is not None and emotion.valence > 0 else "usual",
        make_good=frozenset(promise.make_good for promise in broken if promise.make_good),
        hardship=hardship,
        open_promise=any(promises.is_open(promise, now) for promise in state.promises.values()),
        broken_promise=bool(broken),
    )


def customer_facts(
    *,
    state: State,
    standing: Standing,
    predictions: Predictions,
    context: Mapping[str, str | float | bool],
    arms: Mapping[str, str],
    policy: Policy,
    now: datetime,
) -> dict[str, Value]:
    """Every fact about the customer at this moment by its written name, but for the profile's."""
    facts: dict[str, Value] = {
        "state.known": state.known,
        "state.open_complaint": bool(state.open_complaints),
        "state.hardship": standing.hardship,
        "state.open_promise": standing.open_promise,
        "state.broken_promise": standing.broken_promise,
        "state.given": sum(state.exchange.given.values()),
        "state.received": state.exchange.received,
        "state.worth": state.exchange.worth,
    }
    if state.emotion is not None:
        facts["state.emotion_valence"] = state.emotion.valence
        facts["state.emotion_intensity"] = intensity_at(state.emotion, now, half_life=policy.suppression.half_life)
    for name, purpose in policy.purposes.items():
        facts[f"state.consent_{name}"] = state.consents.get(name, purpose.default)
    for space, known in (("prediction", predictions.customer), ("context", context), ("experiment", arms)):
        for name, value in known.items():
            facts[f"{space}.{name}"] = value
    return facts
