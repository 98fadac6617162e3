"""Records to write: events, decisions and outcomes as the server and the importer make them, kept small."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from decisioning.emotion import Feeling, Signal
from features.log import Record, StateRules, identity_record
from features.log.databases import engine_for
from features.log.forms import recorded
from tests import worlds
from tests.worlds import NOW

DAY = timedelta(days=1)
RULES = StateRules(
    signals={
        "Complaint Opened": Signal(complaint="opened", emotion=Feeling(valence=-0.8, intensity=0.8, confidence=0.9)),
        "Complaint Closed": Signal(complaint="closed"),
        "Satisfaction Rated": Signal(rating="rating"),
        "Hardship Reported": Signal(hardship="began"),
        "Hardship Resolved": Signal(hardship="ended"),
        'Réclamation "A"': Signal(complaint="opened"),
    },
    half_life=7 * DAY,
    channels={"app_home": "app", "email": "email"},
)


def event(name: str, *, message_id: str = "m1", at: datetime = NOW, customer: str = "1029", **properties: Any) -> Record:
    body = {"type": "track", "event": name, "messageId": message_id, "userId": customer, "properties": properties}
    return worlds.record("event", message_id, json.dumps(body).encode(), at=at, customer_id=customer)


def outcome(kind: str, *, message_id: str = "", at: datetime = NOW, **changes: Any) -> Record:
    """Of the action `coupon` of decision d1; its message id is the kind unless told."""
    message_id = message_id or kind
    body = {
        "message_id": message_id,
        "decision_id": "d1",
        "touchpoint": "app_home",
        "placement": "main",
        "action": "coupon",
        "group": "coupons",
        "outcome": kind,
    }
    return worlds.record("outcome", message_id, json.dumps(body | changes).encode(), at=at)


def offer(action: str = "coupon", *, at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """One result of a decision's payload: sent at a time, for a week, with a success hoped for within a fortnight."""
    given: dict[str, Any] = {
        "kind": "action",
        "placement": "main",
        "action": action,
        "group": "coupons",
        "send_at": at.isoformat(),
        "expires_at": (at + 7 * DAY).isoformat(),
        "expected": 0.2,
        "success": "accepted",
        "window_us": 14 * DAY // timedelta(microseconds=1),
    }
    return given | changes


def decision(
    *results: dict[str, Any],
    decision_id: str = "d1",
    touchpoint: str = "app_home",
    origin: str = "live",
    at: datetime = NOW,
    customer: str = "1029",
) -> Record:
    """Of one coupon, unless told."""
    body = {
        "decision_id": decision_id,
        "customer_id": customer,
        "touchpoint": touchpoint,
        "outbound": touchpoint != "app_home",
        "at": at.isoformat(),
        "origin": origin,
        "results": results or (offer(at=at),),
    }
    return worlds.record("decision", decision_id, json.dumps(body).encode(), at=at, customer_id=customer)


in_a_file = pytest.mark.parametrize("url", ["file"], indirect=True)
"""Marks a test of what only SQLite's files do."""


def tamper(url: str, *statements: str) -> None:
    """Change the database of a log behind its back. `:zeros` in a statement stands for 40 zero bytes."""
    engine = engine_for(url)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        for statement in statements:
            connection.execute(sa.text(statement), {"zeros": bytes(40)} if ":zeros" in statement else {})
    engine.dispose()


def linked(source: str, target: str, *, at: datetime = NOW, known: datetime | None = None, message_id: str = "") -> Record:
    """That `source` is the customer whom `target` names; told by an identify where the source is anonymous."""
    return identity_record(
        "identify" if source.startswith("anonymous:") else "alias",
        source=source,
        target=target,
        message_id=message_id or f"{source}>{target}@{at.isoformat()}",
        event_time=at,
        known_time=known or at,
    )


def promise(promise_id: str = "p", *, customer: str = "1029", at: datetime = NOW, **changes: Any) -> Record:
    """That the action `refund` promised something for the next day, and `apology` makes it good."""
    body = {"by": "app", "what": "We refund you.", "due": at + DAY, "make_good": "apology", "action": "refund"}
    return _said(promise_id, customer, at, body | changes)


def ending(status: str, promise_id: str = "p", *, customer: str = "1029", at: datetime = NOW, message_id: str = "") -> Record:
    """What became of a promise, by a colleague's word."""
    return _said(promise_id, customer, at, {"by": "Kim", "status": status}, message_id or f"{promise_id} {status} {at}")


def _said(promise_id: str, customer: str, at: datetime, body: dict[str, Any], message_id: str = "") -> Record:
    body = {"customer_id": customer, "promise_id": promise_id} | body
    return recorded("promise", body, message_id=message_id or promise_id, at=at, now=at)
