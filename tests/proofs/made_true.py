"""A fact of a world, made what a test wants of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from decisioning.conditions import Test, Value
from decisioning.customer import Emotion, Episode, Exchange, Profile, State
from decisioning.domain import Predictions
from decisioning.promises import Promise
from tests.decisioning.oracle.facts import is_broken, is_due
from tests.decisioning.oracle.world import World


def made_true(test: Test, world: World) -> World:
    space, _, name = test.field.partition(".")
    value = _value_for(test)
    match space:
        case "profile":
            return replace(world, profile=_profile(world, name, value, test))
        case "context":
            rest = {key: one for key, one in world.request.context.items() if key != name}
            context = rest if value is None else {**rest, name: value}
            return replace(world, request=replace(world.request, context=context))
        case "prediction":
            return replace(world, predictions=_predicted(world.predictions, name, value))
        case "state":
            return replace(world, state=_state(world, name, value))
        case "stage" | "experiment" | "action":
            return replace(world, said={**world.said, test.field: value})
    raise KeyError(test.field)


def _profile(world: World, name: str, value: Value, test: Test) -> Profile:
    profile = world.profile
    at = profile.index.positions[name]
    values = profile.values.copy()
    if value is None:
        values[at] = np.nan
    elif isinstance(value, str):
        values[at] = profile.index[name].labels.index(value)
    else:
        values[at] = value
        if test.op in ("<=", ">=") and isinstance(test.literal, float):
            # the nearest number of the store's own precision that is on the right side
            beyond = float(values[at]) > test.literal if test.op == "<=" else float(values[at]) < test.literal
            towards = np.float32(-np.inf if test.op == "<=" else np.inf)
            values[at] = np.nextafter(values[at], towards) if beyond else values[at]
    return replace(profile, values=values, present=~np.isnan(values))


def _predicted(predictions: Predictions, name: str, value: Value) -> Predictions:
    rest = {key: one for key, one in predictions.customer.items() if key != name}
    return replace(predictions, customer=rest if value is None else {**rest, name: float(value)})


def _state(world: World, name: str, value: Value) -> State:
    state = world.state
    if name.startswith("consent_"):
        return replace(state, consents={**state.consents, name.removeprefix("consent_"): bool(value)})
    if name in ("emotion_valence", "emotion_intensity"):
        old = state.emotion or Emotion(valence=0.0, intensity=0.0, confidence=1.0, at=world.now)
        changed = replace(old, at=world.now, **{name.removeprefix("emotion_"): value})
        return replace(state, emotion=None if value is None else changed)
    if name in ("given", "received", "worth"):
        number = 0 if value is None else value
        exchange = Exchange(
            given={"rating": int(np.ceil(float(number)))} if name == "given" else state.exchange.given,
            received=int(np.ceil(float(number))) if name == "received" else state.exchange.received,
            worth=float(number) if name == "worth" else state.exchange.worth,
        )
        return replace(state, exchange=exchange)
    by_name: Mapping[str, Callable[[], State]] = {
        "known": lambda: replace(state, known=bool(value)),
        "open_complaint": lambda: replace(state, open_complaints=("k1",) if value else ()),
        "hardship": lambda: replace(state, hardship=Episode(opened_at=world.now) if value else None),
        "broken_promise": lambda: replace(state, promises=promises(world, is_broken, _BROKEN if value else None)),
        "open_promise": lambda: replace(state, promises=promises(world, is_due, _DUE if value else None)),
    }
    return by_name[name]()


FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
_BROKEN = Promise(made_at=datetime(2020, 1, 1, tzinfo=UTC), status="broken", due=datetime(2020, 1, 2, tzinfo=UTC))
_DUE = Promise(made_at=datetime(2020, 1, 1, tzinfo=UTC), due=FOREVER)


def promises(world: World, out: Callable[[Promise, World], bool], new: Promise | None) -> dict[str, Promise]:
    """The promises without those of a kind, and with a new one where it is given."""
    left = {name: one for name, one in world.state.promises.items() if not out(one, world)}
    return left if new is None else {**left, "new": new}


def _value_for(test: Test) -> Value:
    """A value that satisfies a test."""
    literal = test.literal
    match test.op:
        case "missing":
            return None
        case "present":
            return 1.0
        case "in":
            assert isinstance(literal, tuple)
            return literal[0]
        case "!=":
            return None if not isinstance(literal, bool) else not literal
        case "<" | ">":
            assert isinstance(literal, float)
            return literal + (0.0625 if test.op == ">" else -0.0625)
        case _:
            assert not isinstance(literal, tuple)
            return literal
