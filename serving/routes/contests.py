"""POST /v1/customers/{id}/contests: a datum that the customer says is wrong, set aside until that is settled."""

from typing import Annotated

from fastapi import APIRouter, Path

from serving.ports import Current
from serving.problems import DOCUMENTED, TAKEN
from serving.said import known, said_before, say
from serving.said_schemas import ContestIn, ContestOut
from serving.schemas import LoggedId


def router(current: Current) -> APIRouter:
    routes = APIRouter(prefix="/v1/customers", tags=["contests"], responses=DOCUMENTED | TAKEN)

    @routes.post("/{customer_id:path}/contests", summary="Contest a datum")
    def contest(customer_id: Annotated[LoggedId, Path()], asked: ContestIn) -> ContestOut:
        """Set a datum of the profile aside: no decision reads it, from the next one on, until the contest is settled."""
        ports = current()
        before = said_before("contest", asked.message_id, customer_id, ports, feature=asked.feature, settled=asked.settled)
        if not before:
            known("feature", asked.feature, ports.playbook.profile.index.positions, field="feature")
        body = asked.model_dump(exclude={"message_id"}, exclude_none=True) | {"customer_id": customer_id}
        accepted = not before and say("contest", body, message_id=asked.message_id, ports=ports)
        state, _ = ports.log.state(customer_id)
        held = state.contested.get(asked.feature)
        return ContestOut(
            customer_id=state.customer_id,
            feature=asked.feature,
            accepted=accepted,
            contested=held is not None and not held.settled,
        )

    return routes
