"""POST /v1/outcomes: what became of a decision. Never too late."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import APIRouter

from features.log import AHEAD, EARLIEST, Record
from serving.ports import Current
from serving.problems import DOCUMENTED, TAKEN, Problem
from serving.said import append
from serving.schemas import OutcomeIn, OutcomeOut

_ONLY = "main"
"""The place of an imported decision."""


def router(current: Current) -> APIRouter:
    routes = APIRouter(prefix="/v1/outcomes", tags=["outcomes"], responses=DOCUMENTED | TAKEN)

    @routes.post("", summary="Hear what became of a decision")
    def hear(outcome: OutcomeIn) -> OutcomeOut:
        """Hear what became of a decision; it counts from the next decision on. Repeated message ids count once."""
        ports = current()
        now = ports.clock.now()
        decision = ports.log.record(outcome.decision_id)
        if decision is None or decision.kind != "decision":
            raise Problem(422, "Unknown decision", f"no decision was logged under {outcome.decision_id!r}; check the id")
        made = decision.body
        action, offer = _meant(outcome, made["results"])
        if outcome.at is not None and not EARLIEST <= outcome.at <= now + AHEAD:
            raise Problem(
                422,
                "The outcome is from another time",
                f"at lies between {EARLIEST:%Y} and the engine's time, {now:%Y-%m-%dT%H:%M:%SZ}; send when it happened",
            )
        at = outcome.at or now
        taken = (
            {"success": True, "gives": offer.get("gives", 0.0)}
            if outcome.outcome == offer.get("success") and not outcome.machine
            else {}
        )
        body = {
            "message_id": outcome.message_id,
            "decision_id": outcome.decision_id,
            "customer_id": decision.customer_id,
            "touchpoint": made["touchpoint"],
            "placement": outcome.placement or offer.get("placement"),
            "action": action,
            "group": offer.get("group"),
            "topics": offer.get("topics", []),
            "outcome": outcome.outcome,
            "value": outcome.value,
            "at": at,
        }
        if outcome.machine:
            body["machine"] = True
        record = Record(
            kind="outcome",
            message_id=outcome.message_id,
            customer_id=decision.customer_id,
            event_time=at,
            known_time=now,
            payload=msgspec.json.encode(body | taken),
        )
        new = append([record], ports)
        if decision.customer_id is not None:
            ports.profiles.heard([decision.customer_id])
        return OutcomeOut(accepted=new, decision_id=outcome.decision_id, action=action)

    return routes


def _meant(outcome: OutcomeIn, results: Sequence[Mapping[str, Any]]) -> tuple[str | None, Mapping[str, Any]]:
    """Which action of a decision an outcome is of, as its record has it; None where nothing was chosen at that place.

    Problem 422 for a place or an action that is none of this decision's.
    """
    places = sorted({result.get("placement", _ONLY) for result in results})
    if outcome.placement is not None and outcome.placement not in places:
        raise Problem(422, "Which place?", f"name one of the places that this decision filled: {', '.join(places)}")
    chosen = {
        result["action"]: result
        for result in results
        if result["kind"] == "action" and outcome.placement in (None, result.get("placement", _ONLY))
    }
    action = outcome.action or (next(iter(chosen)) if len(chosen) == 1 else None)
    if chosen and action not in chosen:
        raise Problem(422, "Which action?", f"name one of the actions that this decision chose: {', '.join(sorted(chosen))}")
    if action is not None and not chosen:
        raise Problem(422, "Which action?", "this decision chose no action there; leave action out")
    return action, chosen.get(action or "", {})
