"""What a decision was made from, and how its record keeps it: only what was read, so that it can be decided again.

Numbers that `decide` reads as float32 are kept as that.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisioning.beliefs import Beliefs
from decisioning.chance import hashed
from decisioning.customer import Profile, State
from decisioning.domain import Decision, HoursOf, Learner, Ledger, Predictions
from decisioning.errors import KairosError
from decisioning.learning import beliefs_of
from decisioning.rulebook import Plan, Rulebook
from features.log.records import Record
from features.log.written import written

REPLAYED_SINCE = 3
"""The first version of records that hold enough to be decided again."""


class ReplayFault(KairosError):
    """A decision cannot be decided again, or comes out otherwise; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What `decide` was given besides the rulebook, whose version is `catalog`."""

    profile: Profile
    state: State
    predictions: Predictions
    learner: Learner
    stock: Mapping[str, int]
    population: Mapping[str, float]
    ledger: Mapping[str, Ledger]
    brand: str
    salt: str
    degraded: tuple[str, ...]
    catalog: str
    bundle: str | None
    tzdata: str


def packed(inputs: Inputs, decision: Decision, rulebook: Rulebook, plan: Plan) -> dict[str, Any]:
    """Only what the decision read: the candidates' predictions and beliefs, for outbound ones the population's habits."""
    predictions, chosen = inputs.predictions, {result.action for result in decision.results}
    beliefs = beliefs_of(inputs.learner, plan, rulebook.policy.exploration.strength)
    kept = {
        "profile": _text(inputs.profile.values, np.float32),
        "state": written(inputs.state),
        "response": _text(predictions.response[plan.positions], np.float32),
        "assumed": _text(np.packbits(predictions.assumed[plan.positions]), np.uint8),
        "customer": predictions.customer,
        "reads": {action: list(names) for action, names in predictions.reads.items() if action in chosen},
        # the binary digits of a shape are few: half of a float32 holds them
        "shape": _text(beliefs.shape.astype(np.float32).view(np.uint32) >> 16, np.uint16),
        "rate": _text(beliefs.rate, np.float32),
        "snapshot": inputs.learner.snapshot,
        "stock": inputs.stock,
        "ledger": inputs.ledger,
        "brand": inputs.brand,
        "salt": _fingerprint(inputs.salt),
        "degraded": inputs.degraded,
        "catalog": inputs.catalog,
        "bundle": inputs.bundle,
        "tzdata": inputs.tzdata,
    }
    if predictions.nothing is not None:
        kept["nothing"] = _text(predictions.nothing[plan.positions], np.float32)
    if plan.touchpoint.direction == "outbound":
        kept["population"] = _text(np.array([inputs.population.get(name, 0.0) for name in plan.habits.names]), np.float32)
        if (hours := predictions.hours.get(plan.touchpoint.channel)) is not None:
            kept["hours"] = _text(hours, np.float32)
        if (hours_of := predictions.hours_of.get(plan.touchpoint.channel)) is not None:
            kept["hours_of"] = hours_of
    return kept


def inputs_of(record: Record, rulebook: Rulebook, *, salt: str) -> Inputs:
    """What the decision was made from. Raises ReplayFault for records that hold too little, and for another salt."""
    if record.version < REPLAYED_SINCE:
        raise ReplayFault(
            f"{record.message_id!r} was decided by a Kairos whose decisions could not be decided again by this one"
        )
    kept = record.body["inputs"]
    if kept["salt"] != _fingerprint(salt):
        raise ReplayFault(f"{record.message_id!r} was drawn with another salt; give the one of the log it comes from")
    catalog, plan = rulebook.catalog, rulebook.plans[record.body["touchpoint"]]
    values = profile_of(kept["profile"])
    response, nothing = np.zeros(len(catalog.actions)), np.full(len(catalog.actions), np.nan)
    assumed = np.zeros(len(catalog.actions), dtype=np.bool_)
    response[plan.positions] = _unpacked(kept["response"], np.float32)
    assumed[plan.positions] = np.unpackbits(_unpacked(kept["assumed"], np.uint8), count=len(plan.positions))
    if "nothing" in kept:
        nothing[plan.positions] = _unpacked(kept["nothing"], np.float32)
    shape = (_unpacked(kept["shape"], np.uint16).astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    learner = Learner(evidence={}, snapshot=kept["snapshot"])
    learner.believed[plan] = Beliefs.of(shape, _unpacked(kept["rate"], np.float32).astype(np.float64))
    return Inputs(
        profile=Profile(index=rulebook.index, values=values, present=~np.isnan(values)),
        state=msgspec.convert(kept["state"], State),
        predictions=Predictions(
            response=response,
            assumed=assumed,
            nothing=nothing if "nothing" in kept else None,
            customer=kept["customer"],
            reads={action: tuple(names) for action, names in kept["reads"].items()},
            hours={plan.touchpoint.channel: _unpacked(kept["hours"], np.float32).astype(np.float64)} if "hours" in kept else {},
            hours_of={plan.touchpoint.channel: msgspec.convert(kept["hours_of"], HoursOf)} if "hours_of" in kept else {},
        ),
        learner=learner,
        stock=kept["stock"],
        population=dict(zip(plan.habits.names, _unpacked(kept["population"], np.float32).tolist(), strict=True))
        if "population" in kept
        else {},
        ledger=msgspec.convert(kept["ledger"], dict[str, Ledger]),
        brand=kept["brand"],
        salt=salt,
        degraded=tuple(kept["degraded"]),
        catalog=kept["catalog"],
        bundle=kept["bundle"],
        tzdata=kept["tzdata"],
    )


def profile_of(packed: str) -> NDArray[np.float32]:
    """The profile that a decision read, from `profile` of its record's inputs: one value a position, NaN where missing."""
    return _unpacked(packed, np.float32)


def responses_of(response: str, assumed: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The predictions (n,) of a plan's actions, and which were declared, from `response` and `assumed` of the inputs."""
    said = _unpacked(response, np.float32)
    return said, np.unpackbits(_unpacked(assumed, np.uint8), count=len(said)).astype(np.bool_)


def _text(values: NDArray[Any], kind: type[np.generic]) -> str:
    """Numbers as text: the first bytes of all, then the second ones: signs and exponents are alike and deflate well."""
    numbers = np.ascontiguousarray(values, dtype=np.dtype(kind).newbyteorder("<"))
    return base64.b64encode(numbers.view(np.uint8).reshape(len(numbers), numbers.itemsize).T.tobytes()).decode()


def _unpacked(text: str, kind: type[np.generic]) -> NDArray[Any]:
    little = np.dtype(kind).newbyteorder("<")
    planes = np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(little.itemsize, -1)
    return np.ascontiguousarray(planes.T).view(little).reshape(-1).astype(kind)


def _fingerprint(salt: str) -> int:
    """Tells whether it is the same salt, and nothing else of it."""
    return hashed(salt, "fingerprint")
