"""POST /v1/outcomes: what became of a decision. Never too late."""

import msgspec
from fastapi import APIRouter

from features.log import EARLIEST, Record
from serving.ports import Current
from serving.problems import DOCUMENTED, Problem
from serving.schemas import OutcomeIn, OutcomeOut


def router(current: Current) -> APIRouter:
    routes = APIRouter(prefix="/v1/outcomes", tags=["outcomes"], responses=DOCUMENTED)

    @routes.post("", summary="Hear what became of a decision")
    def hear(outcome: OutcomeIn) -> OutcomeOut:
        """Hear what became of a decision; it counts from the next decision on. Repeated message ids count once."""
        ports = current()
        now = ports.clock.now()
        decision = ports.log.record(outcome.decision_id)
        if decision is None or decision.kind != "decision":
            raise Problem(422, "Unknown decision", f"no decision was logged under {outcome.decision_id!r}; check the id")
        made = decision.body
        chosen = {
            result["action"]: result
            for result in made["results"]
            if result["kind"] == "action" and outcome.placement in (None, result.get("placement"))
        }
        action = outcome.action or (next(iter(chosen)) if len(chosen) == 1 else None)
        if chosen and action not in chosen:
            known = ", ".join(sorted(chosen))
            raise Problem(422, "Which action?", f"name one of the actions that this decision chose: {known}")
        if outcome.at is not None and not EARLIEST <= outcome.at <= now:
            raise Problem(
                422,
                "The outcome is from another time",
                f"at lies between {EARLIEST:%Y} and the engine's time, {now:%Y-%m-%dT%H:%M:%SZ}",
            )
        at = outcome.at or now
        offer = chosen.get(action or "", {})
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
        new = ports.log.append([record])[0]
        if decision.customer_id is not None:
            ports.profiles.heard([decision.customer_id])
        return OutcomeOut(accepted=new, decision_id=outcome.decision_id, action=action)

    return routes
