"""How a condition reads a field: `profile.x`, `state.x`, `prediction.x`, `context.x`, `experiment.x`, `action.x`, `stage`."""

from collections.abc import Mapping

from decisioning.catalog import Action
from decisioning.conditions import Lookup, Value
from decisioning.customer import Profile, State
from decisioning.policy import Policy

STATE_FIELDS: tuple[str, ...] = (
    "known", "open_complaint", "emotion_valence", "emotion_intensity", "hardship", "open_promise", "broken_promise",
    "given", "received", "worth",
)  # fmt: skip
"""Besides `consent_<purpose>`; see `decisioning.standing` for their values."""

ACTION_FIELDS: tuple[str, ...] = ("name", "group", "job", "topic", "value", "cost", "gives", "partner")


def consented(state: State, policy: Policy) -> frozenset[str]:
    """The purposes that the customer consents to now; the brand's default holds for those never spoken of."""
    return frozenset(name for name, purpose in policy.purposes.items() if state.consents.get(name, purpose.default))


def lookup(facts: Mapping[str, Value], profile: Profile, action: Action | None = None) -> Lookup:
    """How a condition reads a field; a field nobody knows is missing."""
    of_action = action_lookup(action) if action is not None else None

    def read(field: str) -> Value:
        if field in facts:
            return facts[field]
        space, _, name = field.partition(".")
        if space == "profile":
            return profile.get(name)
        return of_action(field) if space == "action" and of_action is not None else None

    return read


def action_lookup(action: Action) -> Lookup:
    """How a condition reads the fields of an action; an action's topic is its first."""

    def read(field: str) -> Value:
        name = field.partition(".")[2]
        if name == "topic":
            return action.topics[0] if action.topics else None
        value: Value = getattr(action, name)
        return value

    return read
