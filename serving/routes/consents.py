"""PUT /v1/customers/{id}/consents: what a customer agrees to, and withdraws."""

import uuid
from collections.abc import Iterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path

from features.log import Record
from serving.customer_page import consents
from serving.ports import Current, Ports
from serving.problems import DOCUMENTED, TAKEN, Problem
from serving.said import append
from serving.said_schemas import ConsentsIn, ConsentsOut
from serving.schemas import LoggedId


def router(current: Current) -> APIRouter:
    routes = APIRouter(prefix="/v1/customers", tags=["consents"], responses=DOCUMENTED | TAKEN)

    @routes.put("/{customer_id:path}/consents", summary="Say what a customer agrees to")
    def put(customer_id: Annotated[LoggedId, Path()], asked: ConsentsIn) -> ConsentsOut:
        """Keep the customer's word on one or more purposes, all of it or none; purposes left out stay as they were.

        A purpose that is withdrawn is obeyed by the next decision, and its data are missing from the next training set.
        """
        ports = current()
        accepted = append(list(_records(customer_id, asked, ports)), ports)
        state, _ = ports.log.state(customer_id)
        return ConsentsOut(customer_id=state.customer_id, accepted=accepted, consents=dict(consents(state, ports)))

    return routes


def _records(customer_id: str, asked: ConsentsIn, ports: Ports) -> Iterator[Record]:
    """One record a purpose, each with an id of its own."""
    words, purposes, now = asked.model_extra or {}, ports.playbook.brand.purposes, ports.clock.now()
    known = ", ".join(sorted(purposes))
    faults = [(f"body.{name}", f"is no purpose of this brand; known: {known}") for name in words if name not in purposes]
    if faults or not words:
        detail = "Nothing was kept; see errors." if faults else f"name the purposes, each true or false; known: {known}"
        raise Problem(422, "Unknown purpose" if faults else "No purpose is named", detail, errors=faults)
    message_id = asked.message_id or uuid.uuid4().hex
    for purpose, granted in words.items():
        body = {"customer_id": customer_id, "purpose": purpose, "granted": granted, "source": asked.source}
        yield Record(
            kind="consent",
            message_id=f"{message_id}:{purpose}",
            customer_id=customer_id,
            event_time=now,
            known_time=now,
            payload=msgspec.json.encode(body),
        )
