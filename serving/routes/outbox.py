"""GET /v1/outbox: what waits to be sent, and decisions that wait to be made."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from features.log import offers
from serving.ports import Current
from serving.problems import DOCUMENTED
from serving.schemas import OutboxEntry, OutboxOut
from serving.settings import Settings


def router(current: Current, settings: Settings) -> APIRouter:
    routes = APIRouter(prefix="/v1/outbox", tags=["outbox"], responses=DOCUMENTED)

    @routes.get("", summary="List what falls due")
    def due(
        due_before: Annotated[AwareDatetime | None, Query(description="Due before this time; before now, if left out.")] = None,
    ) -> OutboxOut:
        """Outbound messages and waits that fall due, earliest first; those sent or expired are gone."""
        ports = current()
        now = ports.clock.now()
        waiting = ports.log.query(
            lambda connection: offers.outbox(connection, due_before=due_before or now, now=now, limit=settings.outbox_page)
        )
        entries = [
            OutboxEntry(
                decision_id=one.decision_id,
                placement=one.placement,
                customer_id=one.customer_id,
                touchpoint=one.touchpoint,
                kind=one.kind,
                action=one.action,
                due_at=one.due_at,
                expires_at=one.expires_at,
            )
            for one in waiting
        ]
        return OutboxOut(at=now, entries=entries)

    return routes
