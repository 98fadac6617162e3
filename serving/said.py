"""What somebody says becomes a durable record, once, and counts from the next decision on."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from features.log import Conflict, Record
from features.log.forms import FormError, Said, recorded
from features.log.records import Kind
from serving.ports import Ports
from serving.problems import Problem


def say(kind: Said, body: Mapping[str, Any], *, message_id: str | None, ports: Ports, at: datetime | None = None) -> bool:
    """Append what was said at a time (now, where it is None); False where this message id said it before.

    Without a message id it gets one of its own. Problem 422 for what does not fit its form, 409 for an id that is taken.
    """
    try:
        record = recorded(kind, body, message_id=message_id or uuid.uuid4().hex, at=at, now=ports.clock.now())
    except FormError as error:
        raise Problem(422, "What was said does not fit", str(error)) from error
    return append(ports.hear([record]), ports)


def append(records: Sequence[Record], ports: Ports) -> bool:
    """Append records, all or none; whether they are new. Problem 409 where the id of one says something else already."""
    for record in records:
        if (kept := ports.log.record(record.message_id)) is not None:
            _require_same(record.message_id, kept, record.kind, record.customer_id, _told(record), ports)
    try:
        new = ports.log.append(records, whole=True)
    except Conflict as error:
        ids = ", ".join(repr(one.message_id) for one in records)
        raise Problem(
            409, "This message id is taken", f"some of {ids} were said before, and others not; use a new id"
        ) from error
    for record, is_new in zip(records, new, strict=True):
        if not is_new:
            kept = ports.log.record(record.message_id)
            _require_same(record.message_id, kept, record.kind, record.customer_id, _told(record), ports)
    return any(new)


def said_before(kind: Said, message_id: str | None, customer_id: str, ports: Ports, **about: object) -> bool:
    """Whether a message id has said this of a customer already, whatever the brand may say of it now.

    `about` are the fields by which one thing said is told from another. Problem 409 where it says something else.
    """
    kept = None if message_id is None else ports.log.record(message_id)
    if message_id is None or kept is None:
        return False
    _require_same(message_id, kept, kind, customer_id, about, ports)
    return True


_ABOUT: Mapping[Kind, tuple[str, ...]] = {
    "promise": ("promise_id", "status", "what", "due"),
    "preference": ("topics", "channels", "groups", "a_week", "pause_until"),
    "consent": ("purpose", "granted"),
    "contest": ("feature", "settled"),
    "note": ("text", "customer_said"),
    "outcome": ("decision_id", "outcome", "action"),
}
"""What tells one thing said from another of its kind: a withdrawal must never pass for the consent that came under its id."""


def _told(record: Record) -> dict[str, object]:
    body = record.body
    return {name: body.get(name) for name in _ABOUT[record.kind]}


def _require_same(
    message_id: str, kept: Record | None, kind: str, customer_id: str | None, about: Mapping[str, object], ports: Ports
) -> None:
    # none is kept where its customer was erased: the id stays taken
    said = {} if kept is None else kept.body
    same = (
        kept is not None
        and kept.kind == kind
        and all(_is_in(said.get(name), word) for name, word in msgspec.to_builtins(about).items())
    )
    names = {ports.log.customer(one or "").name for one in (customer_id, kept.customer_id)} if kept is not None else set()
    if not same or len(names) != 1:
        raise Problem(409, "This message id is taken", f"{message_id!r} says something else; use a new id")


def _is_in(kept: object, word: object) -> bool:
    """Whether what is kept says this already. Records leave out what says nothing: False, and no wishes."""
    if isinstance(kept, dict) and isinstance(word, dict):
        return word.items() <= kept.items()
    return kept == (None if word is False or word == {} else word) or kept is word


def chosen(decision_id: str, action: str | None, customer_id: str, ports: Ports) -> Mapping[str, Any] | None:
    """What a customer's decision chose, as its record has it: the action named, or the only one; None where it chose none.

    Problem 422 where the decision is unknown or another customer's, or the action is not clear from it.
    """
    record = ports.log.record(decision_id)
    if record is None or record.kind != "decision":
        raise Problem(422, "Unknown decision", f"no decision was logged under {decision_id!r}; check the id")
    if ports.log.customer(record.customer_id or "").name != ports.log.customer(customer_id).name:
        raise Problem(422, "Another customer's decision", f"{decision_id!r} was not made for {customer_id!r}; check both ids")
    results: dict[str, Mapping[str, Any]] = {
        result["action"]: result for result in record.body["results"] if result["kind"] == "action"
    }
    if action is None and len(results) <= 1:
        return next(iter(results.values()), None)
    if action not in results:
        known = ", ".join(sorted(results)) or "none"
        raise Problem(422, "Which action?", f"name one of the actions that this decision chose: {known}")
    return results[action]


def known(what: str, name: str, among: Sequence[str] | Mapping[str, Any], *, field: str) -> None:
    """Problem 422 where a brand has no such thing, with those it has."""
    if name not in among:
        cause = f"{name!r} is no {what} of this brand; known: {', '.join(sorted(among)) or 'none'}"
        raise Problem(422, f"Unknown {what}", cause, errors=[(f"body.{field}", cause)])
