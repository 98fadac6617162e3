"""A decision as a record: what was answered, and everything it was decided from, so that it can be decided again."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from decisioning.catalog import Catalog
from decisioning.chance import WHOLE
from decisioning.customer import FeatureIndex, Profile, State
from decisioning.decide import decide
from decisioning.domain import Candidate, Decision, Evidence, Learner, Predictions, Request, Result
from decisioning.policy import Policy
from features.log.records import Record
from features.log.state import written


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What `decide` was given besides catalog and policy, which `catalog` names by their version."""

    profile: Profile
    state: State
    predictions: Predictions
    learner: Learner
    stock: Mapping[str, int]
    population: Mapping[str, float]
    brand: str
    salt: str
    degraded: tuple[str, ...]
    catalog: str
    bundle: str | None
    tzdata: str


def to_record(decision: Decision, inputs: Inputs, catalog: Catalog, *, known_time: datetime) -> Record:
    """The record of a live decision; its message id is the decision id."""
    request = decision.request
    touchpoint = catalog.touchpoints[request.touchpoint]
    candidates = {candidate.action: candidate for candidate in decision.candidates}
    body = {
        "decision_id": request.decision_id,
        "customer_id": request.customer_id,
        "touchpoint": request.touchpoint,
        "outbound": touchpoint.direction == "outbound",
        "at": decision.at,
        "origin": "live",
        "results": [_offer(result, candidates, catalog) for result in decision.results],
        "decision": decision,
        "inputs": _packed(inputs, decision, catalog),
    }
    return Record(
        kind="decision",
        message_id=request.decision_id,
        customer_id=request.customer_id,
        event_time=decision.at,
        known_time=known_time,
        payload=msgspec.json.encode(body),
    )


def decide_from(request: Request, inputs: Inputs, catalog: Catalog, policy: Policy, *, at: datetime) -> Decision:
    """Decide from what was gathered, live, or from what a record holds, in replay: the same call, the same decision."""
    return decide(
        request=request,
        profile=inputs.profile,
        state=inputs.state,
        predictions=inputs.predictions,
        learner=inputs.learner,
        stock=inputs.stock,
        population=inputs.population,
        catalog=catalog,
        policy=policy,
        brand=inputs.brand,
        now=at,
        salt=inputs.salt,
        degraded=inputs.degraded,
    )


def decision_of(record: Record) -> Decision:
    """The decision that a record holds."""
    return msgspec.convert(record.body["decision"], Decision)


def versions_of(record: Record) -> tuple[str, str | None]:
    """The catalog and bundle versions a decision was made with."""
    inputs = record.body["inputs"]
    return inputs["catalog"], inputs["bundle"]


def inputs_of(record: Record, index: FeatureIndex, catalog: Catalog) -> Inputs:
    """What the decision was made from; `index` and `catalog` must be of the version the record names."""
    packed = record.body["inputs"]
    values = np.frombuffer(base64.b64decode(packed["profile"]), dtype="<f4").astype(np.float32)
    touchpoint = record.body["touchpoint"]
    positions = [catalog.positions[action.name] for action in catalog.at(touchpoint)]
    response, assumed = np.zeros(len(catalog.actions)), np.zeros(len(catalog.actions), dtype=np.bool_)
    response[positions] = np.frombuffer(base64.b64decode(packed["response"]), dtype="<f8")
    assumed[positions] = np.array(packed["assumed"], dtype=np.bool_)
    return Inputs(
        profile=Profile(index=index, values=values, present=~np.isnan(values)),
        state=msgspec.convert(packed["state"], State),
        predictions=Predictions(
            response=response,
            assumed=assumed,
            customer=packed["customer"],
            reads={action: tuple(names) for action, names in packed["reads"].items()},
        ),
        learner=Learner(
            evidence={
                (action, touchpoint): Evidence(shows=shows, expected=expected, successes=successes)
                for action, shows, expected, successes in packed["evidence"]
            },
            snapshot=packed["snapshot"],
        ),
        stock=packed["stock"],
        population=packed["population"],
        brand=packed["brand"],
        salt=packed["salt"],
        degraded=tuple(packed["degraded"]),
        catalog=packed["catalog"],
        bundle=packed["bundle"],
        tzdata=packed["tzdata"],
    )


def _offer(result: Result, candidates: Mapping[str, Candidate], catalog: Catalog) -> dict[str, Any]:
    """One result as training, the learner and the outbox read it."""
    offer: dict[str, Any] = {
        "kind": result.kind,
        "placement": result.placement,
        "send_at": result.send_at,
        "expires_at": result.expires_at,
        "probability": None if result.units is None else result.units / WHOLE,
    }
    if result.action is None:
        return offer
    action = catalog[result.action]
    return offer | {
        "action": action.name,
        "group": action.group,
        "topics": action.topics,
        "features": action.response.features,
        "mandatory": action.mandatory,
        "expected": candidates[action.name].response,
        "success": action.outcome.success,
        "window_us": round(action.outcome.window.total_seconds() * 1e6),
    }


def _packed(inputs: Inputs, decision: Decision, catalog: Catalog) -> dict[str, Any]:
    """Only what the decision read: the candidates' predictions and evidence, for outbound ones the population's habits."""
    touchpoint = decision.request.touchpoint
    chosen = {result.action for result in decision.results}
    positions = [catalog.positions[action.name] for action in catalog.at(touchpoint)]
    outbound = catalog.touchpoints[touchpoint].direction == "outbound"
    return {
        "profile": base64.b64encode(inputs.profile.values.astype("<f4").tobytes()).decode(),
        "state": written(inputs.state),
        "response": base64.b64encode(inputs.predictions.response[positions].astype("<f8").tobytes()).decode(),
        "assumed": [bool(inputs.predictions.assumed[at]) for at in positions],
        "customer": inputs.predictions.customer,
        "reads": {action: list(names) for action, names in inputs.predictions.reads.items() if action in chosen},
        "evidence": [
            (action, seen.shows, seen.expected, seen.successes)
            for (action, where), seen in inputs.learner.evidence.items()
            if where == touchpoint
        ],
        "snapshot": inputs.learner.snapshot,
        "stock": inputs.stock,
        "population": inputs.population if outbound else {},
        "brand": inputs.brand,
        "salt": inputs.salt,
        "degraded": inputs.degraded,
        "catalog": inputs.catalog,
        "bundle": inputs.bundle,
        "tzdata": inputs.tzdata,
    }
