"""GET and DELETE /v1/customers/{id}: the right to know, and the right to be forgotten."""

from typing import Annotated

from fastapi import APIRouter, Path

from serving.customer_page import customer_page
from serving.customer_schemas import CustomerOut
from serving.ports import Current
from serving.problems import DOCUMENTED, Problem
from serving.schemas import ErasedOut, LoggedId

_CHECK = "check the id ('anonymous:' goes before an anonymousId)"


def router(current: Current) -> APIRouter:
    routes = APIRouter(prefix="/v1/customers", tags=["customers"], responses=DOCUMENTED)

    @routes.get(
        "/{customer_id:path}",
        summary="Read all that is known of a customer",
        responses={404: DOCUMENTED[422] | {"description": "Nobody has heard of them."}},
    )
    def read(customer_id: Annotated[LoggedId, Path()]) -> CustomerOut:
        """Who they are, what they agreed to, what bears on the next decision, and every value with where it came from."""
        page = customer_page(customer_id, current())
        if page is None:
            raise Problem(404, "No such customer", f"nobody has heard of a customer {customer_id!r}; {_CHECK}")
        return page

    @routes.delete(
        "/{customer_id:path}",
        summary="Erase a customer",
        responses={404: DOCUMENTED[422] | {"description": "Nothing is kept of them."}},
    )
    def erase(customer_id: Annotated[LoggedId, Path()]) -> ErasedOut:
        """Destroy the keys of the customer's records, and delete state, offers and profiles. The receipt says what remains.

        Any of the customer's ids will do (`anonymous:` before an anonymousId), and all are erased. It cannot be undone. A
        call that was interrupted may be sent again; the same id may start afresh.
        """
        ports = current()
        erasure = ports.erase(customer_id, ports.clock.now())
        if erasure is None:
            raise Problem(404, "No such customer", f"nothing is kept of a customer {customer_id!r}; {_CHECK}")
        log = erasure.log
        return ErasedOut(
            receipt_id=log.receipt_id if log else None,
            erased_at=erasure.erased_at,
            sequence=log.sequence if log else None,
            records=log.records if log else 0,
            states=log.states if log else 0,
            offers=log.offers if log else 0,
            ids=list(log.members) if log else [customer_id],
            links=log.links if log else 0,
            online_rows=erasure.online,
            offline_rows=erasure.offline,
            remains=list(erasure.remains),
        )

    return routes
