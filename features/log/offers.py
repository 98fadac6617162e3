"""What decisions put out and what became of it: the outbox, what is left of budgets, and the learner's evidence.

An offer is one action, or one wait, of a live decision. Imported decisions make none: nobody knows with what probability
they were chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from decisioning.domain import Evidence, Learner
from features.log.records import SEEN, Record, microseconds, moment
from features.log.tables import identities, learner, offers, records

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One entry of the outbox."""

    decision_id: str
    placement: str
    customer_id: str
    touchpoint: str
    kind: str
    action: str | None
    due_at: datetime
    expires_at: datetime


def follow(connection: sa.Connection, dialect: Any, fresh: Sequence[Record]) -> None:
    """Follow new records: live decisions put offers out, outcomes confirm them and teach the learner."""
    named = {record.message_id: record.body for record in fresh if record.kind == "outcome"}
    out = _with_offers(connection, {body["decision_id"] for body in named.values() if body.get("decision_id")})
    for record in fresh:
        if record.kind == "decision":
            body = record.body
            if body["origin"] == "live":
                _put_out(connection, body)
                out.add(body["decision_id"])
        elif record.kind == "outcome":
            body = named[record.message_id]
            if body.get("decision_id") in out:
                _confirm(connection, dialect, body, at=microseconds(record.event_time))


def within_budgets(connection: sa.Connection, budgets: Mapping[str, int], fresh: Sequence[Record]) -> bool:
    """Whether, with the new records in, no action with a budget is out more often than it may be."""
    if not budgets:
        return True
    now = max(record.known_time for record in fresh)
    out = taken(connection, list(budgets), now)
    return all(out[action] <= most for action, most in budgets.items())


def taken(connection: sa.Connection, actions: Sequence[str], now: datetime) -> dict[str, int]:
    """How many of each action are out: shown, or reserved and not yet expired."""
    is_out = sa.or_(offers.c.shown_us.is_not(None), offers.c.expires_us > microseconds(now))
    query = sa.select(offers.c.action, sa.func.count()).where(offers.c.action.in_(actions), is_out)
    counted = {row[0]: int(row[1]) for row in connection.execute(query.group_by(offers.c.action))}
    return {action: counted.get(action, 0) for action in actions}


def outbox(connection: sa.Connection, *, due_before: datetime, now: datetime, limit: int = 1000) -> list[Waiting]:
    """Outbound messages and waits that fall due before a time and have neither been sent nor expired, earliest first.

    Each names the customer as of now, whatever id the decision was made for.
    """
    query = (
        sa.select(*offers.c, sa.func.coalesce(identities.c.name, offers.c.customer_id).label("name"))
        .outerjoin_from(offers, identities, identities.c.customer_id == offers.c.customer_id)
        .where(offers.c.outbound, offers.c.due_us < microseconds(due_before))
        .where(offers.c.shown_us.is_(None), offers.c.expires_us > microseconds(now))
        .order_by(offers.c.due_us, offers.c.decision_id, offers.c.placement, offers.c.slot)
        .limit(limit)
    )
    return [
        Waiting(
            decision_id=row.decision_id,
            placement=row.placement,
            customer_id=row.name,
            touchpoint=row.touchpoint,
            kind=row.kind,
            action=row.action,
            due_at=moment(row.due_us),
            expires_at=moment(row.expires_us),
        )
        for row in connection.execute(query)
    ]


def evidence(connection: sa.Connection) -> Learner:
    """All evidence, with the sequence number it is as of."""
    snapshot = connection.execute(sa.select(sa.func.coalesce(sa.func.max(records.c.sequence), 0))).scalar_one()
    found = {
        (row.action, row.touchpoint): Evidence(shows=row.shows, expected=row.expected, successes=row.successes)
        for row in connection.execute(sa.select(learner))
    }
    return Learner(evidence=found, snapshot=int(snapshot))


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """An offer that had its success within its window, when (microseconds), under the id it was made for."""

    decision_id: str
    action: str
    customer_id: str
    success_us: int


def successes(connection: sa.Connection) -> list[Success]:
    """Every success of an offer, each offer once."""
    columns = (offers.c.decision_id, offers.c.action, offers.c.customer_id, offers.c.success_us)
    query = sa.select(*columns).where(offers.c.success_us.is_not(None))
    return [Success(**row._mapping) for row in connection.execute(query)]


def succeeded(connection: sa.Connection, decision_ids: Sequence[str]) -> set[tuple[str, str]]:
    """(decision, action) of the successes among these decisions' offers."""
    found: set[tuple[str, str]] = set()
    for start in range(0, len(decision_ids), _CHUNK):
        among = offers.c.decision_id.in_(decision_ids[start : start + _CHUNK])
        query = sa.select(offers.c.decision_id, offers.c.action).where(among, offers.c.success_us.is_not(None))
        found.update((row.decision_id, row.action) for row in connection.execute(query))
    return found


def _put_out(connection: sa.Connection, body: Mapping[str, Any]) -> None:
    rows = []
    for slot, result in enumerate(body["results"]):
        if result["kind"] == "nothing":
            continue
        rows.append(
            {
                "decision_id": body["decision_id"],
                "placement": result["placement"],
                "slot": slot,
                "customer_id": body["customer_id"],
                "kind": result["kind"],
                "action": result.get("action"),
                "touchpoint": body["touchpoint"],
                "outbound": body["outbound"],
                "due_us": microseconds(datetime.fromisoformat(result["send_at"])),
                "expires_us": microseconds(datetime.fromisoformat(result["expires_at"])),
                "expected": result.get("expected"),
                "success": result.get("success"),
                "window_us": result.get("window_us"),
            }
        )
    if rows:
        connection.execute(sa.insert(offers), rows)


def _with_offers(connection: sa.Connection, decision_ids: set[str]) -> set[str]:
    """Those of the decisions that have offers: an import's outcomes have none, and there are many of them."""
    ids = sorted(decision_ids)
    found: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        query = sa.select(offers.c.decision_id).where(offers.c.decision_id.in_(ids[start : start + _CHUNK]))
        found.update(connection.execute(query).scalars())
    return found


def _confirm(connection: sa.Connection, dialect: Any, body: Mapping[str, Any], *, at: int) -> None:
    """The first sign that an offer was seen counts as a show, and as a failure; a success in its window reverses that.

    What a machine opened or clicked was shown; a success is a person's.
    """
    decision_id, action = body["decision_id"], body.get("action")
    if action is None:
        return
    is_offer = sa.and_(offers.c.decision_id == decision_id, offers.c.action == action)
    offer = connection.execute(sa.select(offers).where(is_offer).limit(1)).one_or_none()
    if offer is None:
        return
    outcome = body["outcome"]
    in_window = offer.window_us is None or at <= max(offer.due_us, offer.shown_us or 0) + offer.window_us
    by_a_person = not body.get("machine")
    succeeds = offer.success_us is None and outcome == offer.success and by_a_person and in_window
    shows = offer.shown_us is None and outcome in SEEN
    if not shows and not succeeds:
        return
    changes = {"shown_us": at} if shows else {}
    connection.execute(sa.update(offers).where(is_offer).values(changes | ({"success_us": at} if succeeds else {})))
    gained = {
        "action": action,
        "touchpoint": offer.touchpoint,
        "shows": int(shows),
        "expected": (offer.expected or 0.0) if shows else 0.0,
        "successes": int(succeeds),
    }
    insert = dialect.insert(learner).values(gained)
    added = {name: learner.c[name] + insert.excluded[name] for name in ("shows", "expected", "successes")}
    connection.execute(insert.on_conflict_do_update(index_elements=["action", "touchpoint"], set_=added))
