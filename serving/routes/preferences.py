"""GET and PUT /v1/customers/{id}/preferences: what a customer asked for, obeyed from the next decision on."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path

from decisioning.customer import State
from decisioning.preferences import PACE, PAUSE, Preference, Wanted, group, topic
from serving.ports import Current, Ports
from serving.problems import DOCUMENTED, TAKEN, Problem
from serving.said import chosen, said_before, say
from serving.said_schemas import PreferencesIn, PreferencesOut
from serving.schemas import LoggedId

_KINDS = ("topics", "channels", "groups")


def router(current: Current) -> APIRouter:
    routes = APIRouter(prefix="/v1/customers", tags=["preferences"], responses=DOCUMENTED)

    @routes.get("/{customer_id:path}/preferences", summary="Read what a customer asked for")
    def read(customer_id: Annotated[LoggedId, Path()]) -> PreferencesOut:
        """What the customer asked for, as it holds now; empty for one who asked for nothing."""
        return _answer(customer_id, current())

    @routes.put("/{customer_id:path}/preferences", summary="Say what a customer asks for", responses=TAKEN)
    def put(customer_id: Annotated[LoggedId, Path()], asked: PreferencesIn) -> PreferencesOut:
        """Keep what the customer asks for: topics, channels, groups of actions, pace, a pause, or less like one message.

        What is left out stays as it was; the word given last holds.
        """
        ports = current()
        about = asked.model_dump(include=asked.model_fields_set & {*_KINDS, "a_week", "pause_until"})
        if not said_before("preference", asked.message_id, customer_id, ports, **about):
            body = _body(asked, customer_id, ports)
            if asked.less_like is None or body.keys() - {"customer_id", "source"}:
                say("preference", body, message_id=asked.message_id, ports=ports)
        return _answer(customer_id, ports)

    return routes


def _body(asked: PreferencesIn, customer_id: str, ports: Ports) -> dict[str, object]:
    """What is recorded of what was asked, once the brand has everything that it names."""
    if faults := list(_unknown(asked, ports)):
        raise Problem(422, "Unknown to this brand", "Nothing of it was kept; see errors.", errors=faults)
    if asked.action is not None and asked.less_like is None:
        raise Problem(422, "An action of which decision?", "action names one that a decision chose; give it as less_like")
    less = _less_like(asked.less_like, asked.action, customer_id, ports) if asked.less_like is not None else {}
    wishes = {kind: less.get(kind, {}) | (getattr(asked, kind) or {}) for kind in _KINDS}
    told = asked.model_dump(include={"a_week", "pause_until"} & asked.model_fields_set)
    said = {kind: words for kind, words in wishes.items() if words}
    return {"customer_id": customer_id, "source": asked.source} | said | told


def _unknown(asked: PreferencesIn, ports: Ports) -> Iterator[tuple[str, str]]:
    catalog = ports.playbook.catalog
    brand = {
        "topics": catalog.topics,
        "channels": {one.channel for one in catalog.touchpoints.values()},
        "groups": catalog.groups,
    }
    for kind in _KINDS:
        for name in sorted(set(getattr(asked, kind) or ()) - set(brand[kind])):
            known = ", ".join(sorted(brand[kind])) or "none"
            yield f"body.{kind}", f"{name!r} is none of this brand's {kind}; known: {known}"


def _less_like(decision_id: str, action: str | None, customer_id: str, ports: Ports) -> dict[str, dict[str, Wanted]]:
    """Less of the topics of what a decision chose, or of its group; what the customer declined altogether stays declined."""
    offer = chosen(decision_id, action, customer_id, ports)
    if offer is None:
        raise Problem(422, "Less like what?", f"decision {decision_id!r} chose no action; there is nothing to show less of")
    held = ports.log.state(customer_id)[0].preferences
    if offer["topics"]:
        return {"topics": {name: "less" for name in offer["topics"] if not _declined(held, topic(name))}}
    return {"groups": {} if _declined(held, group(offer["group"])) else {offer["group"]: "less"}}


def _declined(held: Mapping[str, Preference], about: str) -> bool:
    return about in held and held[about].wanted == "none"


def _answer(customer_id: str, ports: Ports) -> PreferencesOut:
    state, _ = ports.log.state(customer_id)
    pace, pause, now = state.preferences.get(PACE), state.preferences.get(PAUSE), ports.clock.now()
    return PreferencesOut(
        customer_id=state.customer_id,
        topics=_wanted(state, "topic"),
        channels=_wanted(state, "channel"),
        groups=_wanted(state, "group"),
        a_week=pace.a_week if pace else None,
        pause_until=_ahead(pause.until if pause else None, now),
        said={about: wish.at for about, wish in sorted(state.preferences.items())},
    )


def _wanted(state: State, kind: str) -> dict[str, Wanted]:
    named = ((about.partition(":"), wish.wanted) for about, wish in sorted(state.preferences.items()))
    return {name: wanted for (of, _, name), wanted in named if of == kind and wanted is not None}


def _ahead(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment > now else None
