"""POST /v1/promises and PATCH /v1/promises/{id}: what was promised to a customer, and what became of it."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path

from decisioning.catalog import Catalog
from decisioning.domain import SELLING
from decisioning.promises import Promise, standing
from features.log.forms import PromiseForm, read
from serving.ports import Current, Ports
from serving.problems import DOCUMENTED, TAKEN, Problem
from serving.said import chosen, known, said_before, say
from serving.said_schemas import PromiseEndIn, PromiseIn, PromiseOut
from serving.schemas import Id

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: DOCUMENTED[422] | {"description": "No such promise."}}


def router(current: Current) -> APIRouter:
    routes = APIRouter(prefix="/v1/promises", tags=["promises"], responses=DOCUMENTED | TAKEN)

    @routes.post("", summary="Make a promise")
    def make(asked: PromiseIn) -> PromiseOut:
        """Keep what was promised, and until when. Where it is broken nothing is sold until it is made good.

        With a decision the promise is one of the action that it chose.
        """
        ports = current()
        about = {"promise_id": asked.message_id, "what": asked.what, "due": asked.due}
        before = said_before("promise", asked.message_id, asked.customer_id, ports, **about)
        accepted = not before and say("promise", _body(asked, ports), message_id=asked.message_id, ports=ports, at=asked.at)
        return _answer(asked.message_id, asked.customer_id, ports, accepted=accepted)

    # an id may hold a slash
    @routes.patch("/{promise_id:path}", summary="Say what became of a promise", responses=_NOT_FOUND)
    def end(promise_id: Annotated[Id, Path()], asked: PromiseEndIn) -> PromiseOut:
        """Say that a promise was kept, broken or waived; what was said of the latest moment holds.

        To say again what holds already changes nothing.
        """
        ports = current()
        record = ports.log.record(promise_id)
        if record is None or record.kind != "promise" or read(record, PromiseForm).status != "open":
            raise Problem(404, "No such promise", f"no promise was made under {promise_id!r}; check the id")
        customer = str(record.customer_id)
        body = {"customer_id": customer, "promise_id": promise_id, "by": asked.by, "status": asked.status}
        accepted = not _holds(asked, ports.log.state(customer)[0].promises.get(promise_id, Promise())) and say(
            "promise", body, message_id=asked.message_id, ports=ports, at=asked.at
        )
        return _answer(promise_id, customer, ports, accepted=accepted)

    return routes


def _body(asked: PromiseIn, ports: Ports) -> dict[str, object]:
    """What is recorded of a promise, once it fits the brand."""
    catalog = ports.playbook.catalog
    known("touchpoint", asked.touchpoint, catalog.touchpoints, field="touchpoint")
    if asked.make_good is not None:
        known("action", asked.make_good, catalog.positions, field="make_good")
        if asked.make_good not in (able := sorted(_making_good(catalog))):
            cause = (
                f"sells, or is said nowhere that is there to recover; an action that can make good: {', '.join(able) or 'none'}"
            )
            raise Problem(422, "This cannot make good", f"{asked.make_good!r} {cause}", errors=[("body.make_good", cause)])
    if asked.action is not None and asked.decision_id is None:
        raise Problem(422, "An action of which decision?", "action names one that a decision chose; give its decision_id")
    made_at = asked.at or ports.clock.now()
    if asked.due < made_at:
        cause = f"is before the promise was made, {made_at:%Y-%m-%dT%H:%M:%SZ}; where that was earlier, say so by at"
        raise Problem(422, "Due before it was made", f"due {cause}", errors=[("body.due", cause)])
    offer = None
    if asked.decision_id is not None:
        offer = chosen(asked.decision_id, asked.action, asked.customer_id, ports)
    said = asked.model_dump(exclude={"message_id", "at", "action"}, exclude_none=True)
    return said | {"promise_id": asked.message_id} | ({"action": offer["action"]} if offer else {})


def _making_good(catalog: Catalog) -> Iterator[str]:
    """The actions that may be said where a broken promise is made good: no other one would ever end the suppression."""
    for action in catalog.actions:
        places = (catalog.touchpoints[name] for name in action.treatments)
        if action.job not in SELLING and any({action.job, "recover"} <= set(place.jobs) for place in places):
            yield action.name


def _holds(asked: PromiseEndIn, promise: Promise) -> bool:
    return not promise.presumed and asked.status == promise.status and asked.at in (None, promise.ended_at)


def _answer(promise_id: str, customer_id: str, ports: Ports, *, accepted: bool) -> PromiseOut:
    state, _ = ports.log.state(customer_id)
    promise = state.promises.get(promise_id, Promise())
    return PromiseOut(
        promise_id=promise_id,
        customer_id=state.customer_id,
        accepted=accepted,
        status=standing(promise, ports.clock.now()),
        action=promise.action,
    )
