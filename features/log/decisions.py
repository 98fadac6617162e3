"""A decision as a record: what was answered, and everything it was decided from, so that it can be decided again.

What is not kept follows from what is: candidates, rejections and explanations are made by deciding again with the published
catalog that the record names.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from decisioning.catalog import Catalog
from decisioning.chance import WHOLE
from decisioning.decide import decide
from decisioning.domain import Candidate, Decision, Placement, Rejection, Request, Result
from decisioning.rulebook import Plan, Rulebook
from features.log.inputs import Inputs, ReplayFault, inputs_of, packed
from features.log.records import Record


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
        "inputs": packed(inputs, decision, rulebook, plan),
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

    Raises ReplayFault where that cannot be done, or is not what was answered, to the unit of each probability.
    """
    first = decision_of(record)
    try:
        again = decide_from(first.request, inputs_of(record, rulebook, salt=salt), rulebook, at=first.at)
    except ReplayFault:
        raise
    except Exception as error:  # what a version of before read may not fit the rules of today in any way
        raise ReplayFault(f"{record.message_id!r} cannot be decided again by this version of Kairos: {error!r}") from error
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
