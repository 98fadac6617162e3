"""Conditions over everything that a condition may read."""

from collections.abc import Mapping, Sequence
from random import Random

from decisioning.conditions import All, Any, Condition, Not, Test

Fields = Mapping[str, tuple[float | str | bool, ...]]
"""Fields with literals to compare them with."""

STAGES = ("prospect", "active", "loyal", "at_risk", "lapsed")
INTENTS = ("browse", "buy", "help")
TIERS = ("bronze", "silver", "gold")
AGES = ("19-24", "25-34", "35+")
PURPOSES = ("marketing", "personalisation", "third_party", "service")

NUMBERS: Mapping[str, tuple[float, ...]] = {
    "profile.orders_90d": (0.5, 1, 2, 3.1, 8),
    "profile.spend_90d_bakery": (0, 5, 12.5, 40),
    "profile.since_order": (2, 10, 30.2, 90),
    "profile.points": (100, 1000),
    "state.emotion_valence": (-0.5, 0, 0.5),
    "state.emotion_intensity": (0.2, 0.4, 0.7),
    "state.given": (1, 2, 4),
    "state.received": (1, 3),
    "state.worth": (5, 20),
    "prediction.churn": (0.1, 0.3, 0.8),
    "context.basket": (1, 3, 10),
}
FLAGS: tuple[str, ...] = (
    "state.known",
    "state.open_complaint",
    "state.hardship",
    "state.open_promise",
    "state.broken_promise",
    "context.urgent",
    *(f"state.consent_{purpose}" for purpose in PURPOSES),
)
WORDS: Mapping[str, tuple[str, ...]] = {
    "profile.tier": TIERS,
    "profile.age_band": AGES,
    "context.intent": INTENTS,
}
"""Facts of the customer, by what their values are like."""

ALWAYS_KNOWN = ("state.given", "state.received", "state.worth")
"""Nothing can make these missing: a condition that asks for it never holds."""

ACTION_NUMBERS: Mapping[str, tuple[float, ...]] = {"action.value": (1, 5, 10), "action.cost": (0.1, 0.5)}
ACTION_WORDS: Mapping[str, tuple[str, ...]] = {
    "action.job": ("sell", "serve", "inform"),
    "action.topic": ("bakery", "produce", "dairy"),
}


def customer_fields(arms: Mapping[str, Sequence[str]]) -> Fields:
    """Every field of the customer with literals to compare it with; `arms` are those of the experiments, by name."""
    flags = dict.fromkeys(FLAGS, (True, False))
    return {**NUMBERS, **flags, **WORDS, **{f"experiment.{name}": tuple(told) for name, told in arms.items()}}


def all_fields(arms: Mapping[str, Sequence[str]]) -> Fields:
    """Those of the customer, of the action and of the journey."""
    return {**customer_fields(arms), **ACTION_NUMBERS, **ACTION_WORDS, "stage": STAGES}


def condition(rng: Random, fields: Fields) -> Condition:
    """A condition whose tests read different fields, so that it can be made to hold."""
    return _tree(rng, fields, rng.sample(list(fields), rng.choice((1, 2, 2, 3, 4))), any_of=0.8)


def mild_condition(rng: Random, fields: Fields) -> Condition:
    """One that often holds, so that of thirty rules some let an action pass."""
    return _tree(rng, fields, rng.sample(list(fields), rng.choice((3, 4, 5))), any_of=0.97)


def _tree(rng: Random, fields: Fields, names: Sequence[str], *, any_of: float) -> Condition:
    if len(names) == 1:
        test = _test(rng, names[0], fields[names[0]])
        return Not(test) if rng.random() < 0.1 else test
    cut = rng.randrange(1, len(names))
    parts = (_tree(rng, fields, names[:cut], any_of=any_of), _tree(rng, fields, names[cut:], any_of=any_of))
    made: Condition = Any(parts) if rng.random() < any_of else All(parts)
    return Not(made) if rng.random() < (1.0 - any_of) / 2 else made


def _test(rng: Random, field: str, literals: tuple[float | str | bool, ...]) -> Test:
    literal = rng.choice(literals)
    if isinstance(literal, bool):
        return Test(field, rng.choice(("=", "=", "!=")), literal)
    if rng.random() < 0.1 and field not in ALWAYS_KNOWN:
        return Test(field, rng.choice(("missing", "present")))
    if isinstance(literal, str):
        op = rng.choice(("=", "!=", "in"))
        return Test(field, op, tuple(rng.sample(literals, min(2, len(literals)))) if op == "in" else literal)  # type: ignore[type-var]
    return Test(field, rng.choice(("<", "<=", ">", ">=", "!=")), float(literal))
