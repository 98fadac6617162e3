"""POST /v1/decisions, GET /v1/decisions/{id}, GET /v1/decisions/{id}/why."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from serving.deciding import answer_request, recorded
from serving.ports import Current
from serving.problems import DOCUMENTED, Problem
from serving.schemas import DecisionAsk, DecisionOut
from serving.settings import Settings

DecisionId = Annotated[str, Path(max_length=200)]


def router(current: Current, settings: Settings) -> APIRouter:
    routes = APIRouter(prefix="/v1/decisions", tags=["decisions"], responses=DOCUMENTED)

    @routes.post("", summary="Decide the next best action")
    def decide(ask: DecisionAsk) -> DecisionOut:
        """The next best action for one customer at one touchpoint now, or an honest nothing or wait."""
        return answer_request(ask, current(), settings)

    # an id may hold a slash, so the longer address comes first
    @routes.get("/{decision_id:path}/why", summary="Explain a past decision", responses=_NOT_FOUND)
    def why(
        decision_id: DecisionId, audience: Annotated[Literal["customer", "staff"], Query(alias="for")] = "customer"
    ) -> dict[str, Any]:
        """Why: in plain words for the customer, or the whole trace for staff.

        To the customer, `change` lists what can be pressed, each with what it is `about`:

        | press | sends |
        |---|---|
        | `less_like` | `PUT /v1/customers/{id}/preferences` with `less_like`: this decision, `action`: about |
        | `topic`, `channel` | the same with `topics` or `channels`: {about: more, usual, less or none} |
        | `pace`, `pause` | the same with `a_week`: a number, or `pause_until`: a time; null takes it back |
        | `contest` | `POST /v1/customers/{id}/contests` with `feature`: about, `because`: the customer's words |
        | `withdraw_consent` | `PUT /v1/customers/{id}/consents` with {about: false} |
        """
        return _found(recorded(decision_id, current(), settings, explain=audience), decision_id).explanation or {}

    @routes.get("/{decision_id:path}", summary="Read a past decision", responses=_NOT_FOUND)
    def read(decision_id: DecisionId) -> DecisionOut:
        """A past decision, as it was answered."""
        return _found(recorded(decision_id, current(), settings), decision_id)

    return routes


_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: DOCUMENTED[422] | {"description": "No such decision."}}


def _found(decision: DecisionOut | None, decision_id: str) -> DecisionOut:
    if decision is None:
        raise Problem(404, "No such decision", f"no decision was logged under {decision_id!r}; check the id")
    return decision
