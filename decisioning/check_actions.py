"""Whether each action is whole: of groups, topics and places that exist, with numbers that make sense."""

from collections.abc import Iterator
from datetime import timedelta

from decisioning.catalog import Action, Catalog
from decisioning.check_conditions import condition_faults
from decisioning.known_names import Fault, Known, unknown
from decisioning.policy import CONTACT_MEMORY

_NONE = timedelta(0)


def action_faults(catalog: Catalog, known: Known) -> Iterator[Fault]:
    for action in catalog.actions:
        for key, cause in (*_name_faults(action, known), *_place_faults(action, catalog, known), *_range_faults(action)):
            yield "catalog", ("actions", action.name, *key), cause


def touchpoint_faults(catalog: Catalog) -> Iterator[Fault]:
    for name, touchpoint in catalog.touchpoints.items():
        for key in ("attention", "effect"):
            if getattr(touchpoint, key) < 0:
                yield "touchpoints", (name, key), "is below 0; use 0 or more"
        if touchpoint.horizon <= _NONE:
            yield "touchpoints", (name, "horizon"), "must be longer than 0"


def _name_faults(action: Action, known: Known) -> Iterator[tuple[tuple[str, ...], str]]:
    if not action.name:
        yield (), "an action needs a name"
    yield from ((("group",), fault) for fault in unknown("group", action.group, known.groups))
    yield from ((("purpose",), fault) for fault in unknown("consent purpose", action.purpose, known.purposes))
    for topic in action.topics:
        yield from ((("topics",), fault) for fault in unknown("topic", topic, known.topics))
    for key in ("eligible", "relevant"):
        yield from (((key,), fault) for fault in condition_faults(getattr(action, key), known))


def _place_faults(action: Action, catalog: Catalog, known: Known) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, treatments in action.treatments.items():
        yield from ((("treatments", name), fault) for fault in unknown("touchpoint", name, known.touchpoints))
        if not treatments:
            yield ("treatments", name), "the list is empty; write a text, or leave the touchpoint out"
    if {"catalog", "touchpoints"} & set(known.unread):  # a treatment or a place that cannot be read may be the one
        return
    places = [catalog.touchpoints[name] for name in action.treatments if name in catalog.touchpoints]
    if not any(action.job in touchpoint.jobs for touchpoint in places):
        yield ("job",), f"no touchpoint it has a treatment for does the job {action.job!r}"


def _range_faults(action: Action) -> Iterator[tuple[tuple[str, ...], str]]:
    if action.valid_from and action.valid_until and action.valid_from >= action.valid_until:
        yield ("valid_until",), "is not after valid_from; the action would never be valid"
    for key in ("value", "cost", "lever", "gives"):
        if getattr(action, key) < 0:
            yield (key,), "is below 0; use 0 or more"
    if action.budget is not None and action.budget < 0:
        yield ("budget",), "is below 0; use 0 or more, or leave it out"
    if action.expires <= _NONE:
        yield ("expires",), "must be longer than 0"
    if action.outcome.window <= _NONE:
        yield ("outcome", "window"), "must be longer than 0"
    if action.every is not None and not _NONE < action.every <= CONTACT_MEMORY:
        yield ("every",), f"must be longer than 0 and at most {CONTACT_MEMORY.days}d"
    if action.partner is not None and not action.partner.strip():
        yield ("partner",), "is empty; write the partner's name, or leave it out"
