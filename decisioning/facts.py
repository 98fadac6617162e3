"""The names that conditions may read, and their values for one customer: `profile.x`, `state.x`, `prediction.x`, ..."""

from collections.abc import Mapping
from datetime import datetime

from decisioning.catalog import Action
from decisioning.conditions import Lookup, Value
from decisioning.customer import Profile, State
from decisioning.domain import Predictions
from decisioning.emotion import intensity_at
from decisioning.policy import Policy

STATE_FIELDS: tuple[str, ...] = ("known", "open_complaint", "emotion_valence", "emotion_intensity")
ACTION_FIELDS: tuple[str, ...] = ("name", "group", "job", "topic", "value", "cost")


def customer_facts(
    *,
    profile: Profile,
    state: State,
    predictions: Predictions,
    context: Mapping[str, str | float | bool],
    policy: Policy,
    now: datetime,
) -> dict[str, Value]:
    """Every fact about the customer at this moment by its written name, but for the profile's, which are read on demand."""
    facts: dict[str, Value] = {
        "state.known": state.known,
        "state.open_complaint": bool(state.open_complaints),
    }
    if state.emotion is not None:
        facts["state.emotion_valence"] = state.emotion.valence
        facts["state.emotion_intensity"] = intensity_at(state.emotion, now, half_life=policy.suppression.half_life)
    granted = consented(state, policy)
    facts |= {f"state.consent_{name}": name in granted for name in policy.purposes}
    facts |= {f"prediction.{name}": value for name, value in predictions.customer.items()}
    facts |= {f"context.{name}": value for name, value in context.items()}
    return facts


def consented(state: State, policy: Policy) -> frozenset[str]:
    """The purposes that the customer consents to now; the brand's default holds for those never spoken of."""
    return frozenset(name for name, purpose in policy.purposes.items() if state.consents.get(name, purpose.default))


def lookup(facts: Mapping[str, Value], profile: Profile, action: Action | None = None) -> Lookup:
    """How a condition reads a field; a field nobody knows is missing."""

    def read(field: str) -> Value:
        if field in facts:
            return facts[field]
        space, _, name = field.partition(".")
        if space == "profile":
            return profile.get(name)
        if space == "action" and action is not None:
            topic = action.topics[0] if action.topics else None
            return topic if name == "topic" else getattr(action, name)
        return None

    return read
