"""A decision as a record: what was answered, and everything it was decided from, so that it can be decided again.

What is not kept follows from what is: candidates, rejections and explanations are made by deciding again with the published
catalog that the record names. Numbers that `decide` reads as float32 are kept as that.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisioning.beliefs import Beliefs
from decisioning.catalog import Catalog
from decisioning.chance import WHOLE, hashed
from decisioning.customer import Profile, State
from decisioning.decide import decide
from decisioning.domain import (
    Candidate,
    Decision,
    Learner,
    Ledger,
    Placement,
    Predictions,
    Rejection,
    Request,
    Result,
)
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


def to_record(decision: Decision, inputs: Inputs, rulebook: Rulebook, *, known_time: datetime) -> Record:
    """The record of a live decision; its message id is the decision id."""
    request = decision.request
    plan = rulebook.plans[request.touchpoint]
    candidates = {candidate.action: candidate for candidate in decision.candidates}
    body = {
        "decision_id": request.decision_id,
        "customer_id": request.customer_id,
        "touchpoint": request.touchpoint,
        "outbound": plan.touchpoint.direction == "outbound",
        "at": decision.at,
        "origin": "live",
        "placements": request.placements,
        "context": request.context,
        "group": decision.group,
        "arms": decision.arms,
        "journey_stage": decision.journey_stage,
        "reasons": decision.reasons,
        "results": [_offer(result, candidates, rulebook.catalog) for result in decision.results],
        "units": _units(decision, candidates.values(), plan),
        "inputs": _packed(inputs, decision, rulebook, plan),
    }
    return Record(
        kind="decision",
        message_id=request.decision_id,
        customer_id=request.customer_id,
        event_time=decision.at,
        known_time=known_time,
        payload=msgspec.json.encode(body),
    )


def decide_from(request: Request, inputs: Inputs, rulebook: Rulebook, *, at: datetime) -> Decision:
    """Decide from what was gathered, live, or from what a record holds, in replay: the same call, the same decision."""
    return decide(
        request=request,
        profile=inputs.profile,
        state=inputs.state,
        predictions=inputs.predictions,
        learner=inputs.learner,
        stock=inputs.stock,
        population=inputs.population,
        ledger=inputs.ledger,
        rulebook=rulebook,
        brand=inputs.brand,
        now=at,
        salt=inputs.salt,
        degraded=inputs.degraded,
    )


def replayed(record: Record, rulebook: Rulebook, *, salt: str) -> Decision:
    """The decision of a record, decided again; `rulebook` is of the version that the record names.

    Raises ReplayFault where that is not what was answered, to the unit of each probability.
    """
    first = decision_of(record)
    again = decide_from(first.request, inputs_of(record, rulebook, salt=salt), rulebook, at=first.at)
    plan = rulebook.plans[first.request.touchpoint]
    if again != first or _units(again, again.candidates, plan) != record.body["units"]:
        raise ReplayFault(f"{record.message_id!r} comes out otherwise today: it was decided by another version of Kairos")
    return again


def decision_of(record: Record, again: Callable[[], Decision] | None = None) -> Decision:
    """The decision that a record holds, as it was answered. What it was made of comes from `again`, when asked for."""
    body = record.body
    if "decision" in body:
        return _before(body["decision"])
    request = Request(
        decision_id=body["decision_id"],
        customer_id=body["customer_id"],
        touchpoint=body["touchpoint"],
        placements=msgspec.convert(body["placements"], tuple[Placement, ...]),
        context=body["context"],
    )
    return Decision(
        request=request,
        at=record.event_time,
        group=body["group"],
        arms=body["arms"],
        journey_stage=body["journey_stage"],
        results=msgspec.convert(body["results"], tuple[Result, ...]),
        reasons=tuple(body["reasons"]),
        nothing_units=body["units"][-1],
        trace=_Again(again),
    )


def versions_of(record: Record) -> tuple[str, str | None]:
    """The catalog and bundle versions a decision was made with."""
    inputs = record.body["inputs"]
    return inputs["catalog"], inputs["bundle"]


def inputs_of(record: Record, rulebook: Rulebook, *, salt: str) -> Inputs:
    """What the decision was made from. Raises ReplayFault for records that hold too little, and for another salt."""
    if record.version < REPLAYED_SINCE:
        raise ReplayFault(
            f"{record.message_id!r} was decided by a Kairos whose decisions could not be decided again by this one"
        )
    packed = record.body["inputs"]
    if packed["salt"] != _fingerprint(salt):
        raise ReplayFault(f"{record.message_id!r} was drawn with another salt; give the one of the log it comes from")
    catalog, plan = rulebook.catalog, rulebook.plans[record.body["touchpoint"]]
    values = _unpacked(packed["profile"], np.float32)
    response, nothing = np.zeros(len(catalog.actions)), np.full(len(catalog.actions), np.nan)
    assumed = np.zeros(len(catalog.actions), dtype=np.bool_)
    response[plan.positions] = _unpacked(packed["response"], np.float32)
    assumed[plan.positions] = np.unpackbits(_unpacked(packed["assumed"], np.uint8), count=len(plan.positions))
    if "nothing" in packed:
        nothing[plan.positions] = _unpacked(packed["nothing"], np.float32)
    shape = (_unpacked(packed["shape"], np.uint16).astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    learner = Learner(evidence={}, snapshot=packed["snapshot"])
    learner.believed[plan] = Beliefs.of(shape, _unpacked(packed["rate"], np.float32).astype(np.float64))
    return Inputs(
        profile=Profile(index=rulebook.index, values=values, present=~np.isnan(values)),
        state=msgspec.convert(packed["state"], State),
        predictions=Predictions(
            response=response,
            assumed=assumed,
            nothing=nothing if "nothing" in packed else None,
            customer=packed["customer"],
            reads={action: tuple(names) for action, names in packed["reads"].items()},
            hours={plan.touchpoint.channel: _unpacked(packed["hours"], np.float32).astype(np.float64)}
            if "hours" in packed
            else {},
        ),
        learner=learner,
        stock=packed["stock"],
        population=dict(zip(plan.habits.names, _unpacked(packed["population"], np.float32).tolist(), strict=True))
        if "population" in packed
        else {},
        ledger=msgspec.convert(packed["ledger"], dict[str, Ledger]),
        brand=packed["brand"],
        salt=salt,
        degraded=tuple(packed["degraded"]),
        catalog=packed["catalog"],
        bundle=packed["bundle"],
        tzdata=packed["tzdata"],
    )


@dataclass(frozen=True, slots=True)
class _Again:
    """A trace that is made by deciding again, once somebody asks."""

    again: Callable[[], Decision] | None

    def candidates(self) -> tuple[Candidate, ...]:
        return self._decision().candidates

    def rejected(self) -> tuple[Rejection, ...]:
        return self._decision().rejected

    def _decision(self) -> Decision:
        if self.again is None:
            raise ReplayFault("what a decision was made of is not in its record; decide again with `replayed`")
        return self.again()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A trace as records of version 2 and before kept it."""

    kept: tuple[tuple[Candidate, ...], tuple[Rejection, ...]]

    def candidates(self) -> tuple[Candidate, ...]:
        return self.kept[0]

    def rejected(self) -> tuple[Rejection, ...]:
        return self.kept[1]


def _before(body: Mapping[str, Any]) -> Decision:
    """A decision as version 2 and before wrote it."""
    kept = (
        msgspec.convert(body["candidates"], tuple[Candidate, ...]),
        msgspec.convert(body["rejected"], tuple[Rejection, ...]),
    )
    return Decision(
        request=msgspec.convert(body["request"], Request),
        at=datetime.fromisoformat(body["at"]),
        group=body["group"],
        arms={},
        journey_stage=body["journey_stage"],
        results=msgspec.convert(body["results"], tuple[Result, ...]),
        reasons=tuple(body["reasons"]),
        nothing_units=body["nothing_units"],
        trace=_Kept(kept=kept),
    )


def _offer(result: Result, candidates: Mapping[str, Candidate], catalog: Catalog) -> dict[str, Any]:
    """One result as it was answered, and what training, the learner, the outbox and the state read of it."""
    offer = {name: value for name, value in msgspec.to_builtins(result).items() if value not in (None, "")}
    if result.units is not None:
        offer["probability"] = result.units / WHOLE
    if result.action is None:
        return offer
    action = catalog[result.action]
    if action.gives:
        offer["gives"] = action.gives
    return offer | {
        "group": action.group,
        "topics": action.topics,
        "features": action.response.features,
        "mandatory": action.mandatory,
        "expected": candidates[action.name].response,
        "success": action.outcome.success,
        "window_us": round(action.outcome.window.total_seconds() * 1e6),
    }


def _units(decision: Decision, candidates: Iterable[Candidate], plan: Plan) -> list[int]:
    """The probability of each action of a plan at the first place, in the plan's order, and last that of nothing."""
    units = {one.action: one.units for one in candidates}
    return [*(units.get(action.name, 0) for action in plan.actions), decision.nothing_units]


def _packed(inputs: Inputs, decision: Decision, rulebook: Rulebook, plan: Plan) -> dict[str, Any]:
    """Only what the decision read: the candidates' predictions and beliefs, for outbound ones the population's habits."""
    predictions, chosen = inputs.predictions, {result.action for result in decision.results}
    beliefs = beliefs_of(inputs.learner, plan, rulebook.policy.exploration.strength)
    packed = {
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
        packed["nothing"] = _text(predictions.nothing[plan.positions], np.float32)
    if plan.touchpoint.direction == "outbound":
        packed["population"] = _text(np.array([inputs.population.get(name, 0.0) for name in plan.habits.names]), np.float32)
        if (hours := predictions.hours.get(plan.touchpoint.channel)) is not None:
            packed["hours"] = _text(hours, np.float32)
    return packed


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
