"""What conditions may read of a world, and how they read it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import blake2b

from decisioning.catalog import Action
from decisioning.conditions import All, Any, Condition, Not, Test, Value
from decisioning.customer import Emotion, Episode
from decisioning.promises import Promise
from tests.decisioning.oracle.world import World

ZERO = timedelta(0)
Facts = Mapping[str, Value]


def facts_of(world: World) -> dict[str, Value]:
    """Every fact by its written name, but for the profile's and the action's own."""
    state, policy = world.state, world.policy
    facts: dict[str, Value] = {
        "state.known": state.known,
        "state.open_complaint": bool(state.open_complaints),
        "state.hardship": is_open(state.hardship),
        "state.open_promise": any(is_due(one, world) for one in state.promises.values()),
        "state.broken_promise": any(is_broken(one, world) for one in state.promises.values()),
        "state.given": sum(state.exchange.given.values()),
        "state.received": state.exchange.received,
        "state.worth": state.exchange.worth,
        "group": group_of(world),
    }
    if state.emotion is not None:
        facts["state.emotion_valence"] = state.emotion.valence
        facts["state.emotion_intensity"] = intensity(state.emotion, world)
    for name, purpose in policy.purposes.items():
        facts[f"state.consent_{name}"] = state.consents.get(name, purpose.default)
    for name, prediction in world.predictions.customer.items():
        facts[f"prediction.{name}"] = prediction
    for name, value in world.request.context.items():
        facts[f"context.{name}"] = value
    facts |= {f"experiment.{name}": arm for name, arm in arms_of(world).items()}
    facts |= world.said
    if "stage" not in world.said:
        facts["stage"] = next(
            one.stage for one in policy.journey if one.when is None or holds(one.when, reader(facts, world, None))
        )
    return facts


def reader(facts: Facts, world: World, action: Action | None) -> Callable[[str], Value]:
    """How a field is read; one that nobody knows is missing."""

    def read(field: str) -> Value:
        if field in facts:
            return facts[field]
        space, _, name = field.partition(".")
        if space == "profile":
            return world.profile.get(name)
        if space == "action" and action is not None:
            return (action.topics[0] if action.topics else None) if name == "topic" else getattr(action, name)
        return None

    return read


def holds(condition: Condition, read: Callable[[str], Value]) -> bool:
    match condition:
        case All(parts):
            return all(holds(part, read) for part in parts)
        case Any(parts):
            return any(holds(part, read) for part in parts)
        case Not(part):
            return not holds(part, read)
        case Test(field, op, literal):
            value = read(field)
            if op in ("missing", "present"):
                return (value is None) == (op == "missing")
            if value is None:
                return op == "!="
            if op == "in":
                return value in literal  # type: ignore[operator]
            if op in ("=", "!="):
                return (value == literal) == (op == "=")
            if isinstance(value, str):
                return False
            return {"<": value < literal, "<=": value <= literal, ">": value > literal, ">=": value >= literal}[op]  # type: ignore[operator]


def intensity(emotion: Emotion, world: World) -> float:
    """What is left of a feeling: half of it after each half-life."""
    age = max(ZERO, world.now - emotion.at)
    return float(emotion.intensity * 0.5 ** (age / world.policy.suppression.half_life))


def is_open(episode: Episode | None) -> bool:
    if episode is None or episode.opened_at is None:
        return False
    return episode.closed_at is None or episode.opened_at > episode.closed_at


def is_broken(promise: Promise, world: World) -> bool:
    """Said to be broken and not made good, or overdue."""
    if promise.status == "broken":
        return promise.made_good_at is None
    overdue = promise.due is not None and promise.due < world.now
    return promise.status == "open" and promise.made_at is not None and overdue


def is_due(promise: Promise, world: World) -> bool:
    """Made, and its time has not passed."""
    return promise.status == "open" and promise.made_at is not None and (promise.due is None or promise.due >= world.now)


# ------------------------------------------------------------------------------------------------------- chance that stays


def share(salt: str, *parts: str) -> float:
    """Where in [0, 1) a salted name falls."""
    digest = blake2b("\x1f".join((salt, *parts)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 24) / 2**40


def group_of(world: World) -> str:
    at, groups = share(world.salt, "group", world.who), world.policy.groups
    if at < groups.control:
        return "control"
    return "random" if at < groups.control + groups.random else "treatment"


def arms_of(world: World) -> dict[str, str]:
    """The arm of each experiment the customer takes part in."""
    found: dict[str, str] = {}
    for experiment in world.policy.experiments:
        if any(found.get(other) not in arms for other, arms in experiment.within.items()):
            continue
        at, reached = share(world.salt, "experiment", experiment.experiment, world.who), 0.0
        for arm, width in experiment.arms.items():
            reached += width
            if at < reached:
                found[experiment.experiment] = arm
                break
    return found
