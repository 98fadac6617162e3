"""A small town's year: who shops for what, who stays away, who takes up which offer. Seeded; the truth is known."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from features.log import Record

START = datetime(2017, 1, 1, 15, tzinfo=UTC)
CUSTOMERS = 240
DEPARTMENTS = {"bakery": "PASTRY", "produce": "PRODUCE"}


def favourite(customer: int) -> str:
    """Every other customer loves bread, the rest greens."""
    return "bakery" if customer % 2 == 0 else "produce"


def history(seed: int = 5) -> list[Record]:
    """Weekly orders, which a third of the town stops one day; ten mailings, taken up by those who love their topic."""
    rng = np.random.default_rng(seed)
    records = [*_consents(), *_orders(rng), *_mailings(rng)]
    return sorted(records, key=lambda record: (record.event_time, record.kind, record.message_id))


def _consents() -> Iterator[Record]:
    for customer in range(CUSTOMERS):
        body = {"customer_id": f"c{customer}", "purpose": "marketing", "granted": True, "source": "test"}
        yield _record("consent", f"consent-{customer}", customer, START, body)


def _orders(rng: np.random.Generator) -> Iterator[Record]:
    for customer in range(CUSTOMERS):
        leaves = int(rng.integers(60, 340)) if customer % 3 == 0 else 400
        day = int(rng.integers(0, 7))
        while day < 360:
            # those who leave come less often before they go
            if day > leaves:
                break
            topic = favourite(customer) if rng.random() < 0.85 else "produce" if favourite(customer) == "bakery" else "bakery"
            price = round(float(rng.uniform(5, 30)), 2)
            products = [{"product_id": "p", "category": DEPARTMENTS[topic], "price": price, "quantity": 1}]
            body = {
                "type": "track",
                "event": "Order Completed",
                "messageId": f"order-{customer}-{day}",
                "userId": f"c{customer}",
                "properties": {"total": price, "products": products},
            }
            at = START + timedelta(days=day, hours=int(rng.integers(0, 6)))
            yield _record("event", f"order-{customer}-{day}", customer, at, body)
            day += int(rng.integers(4, 10)) * (3 if leaves - day < 40 else 1)


def _mailings(rng: np.random.Generator) -> Iterator[Record]:
    for mailing in range(10):
        at = START + timedelta(days=65 + 26 * mailing)
        ends = at + timedelta(days=14)
        topic = ("bakery", "produce")[mailing % 2]
        for customer in rng.choice(CUSTOMERS, 120, replace=False):
            decision_id = f"mail-{mailing}-{customer}"
            offer = {
                "kind": "action",
                "action": f"mailing_{mailing}:{topic}",
                "group": f"mailing_{mailing}",
                "topics": [topic],
                "features": {"coupons": 1 + mailing % 3},
                "send_at": at,
                "expires_at": ends,
                "probability": None,
            }
            decision = {
                "decision_id": decision_id,
                "customer_id": f"c{customer}",
                "touchpoint": "email",
                "at": at,
                "origin": "imported",
                "results": [offer],
            }
            yield _record("decision", decision_id, customer, at, decision)
            yield _outcome(decision_id, customer, offer, "delivered", at)
            if rng.random() < (0.5 if topic == favourite(int(customer)) else 0.02):
                yield _outcome(decision_id, customer, offer, "accepted", at + timedelta(days=3))


def _outcome(decision_id: str, customer: int, offer: dict[str, Any], outcome: str, at: datetime) -> Record:
    message_id = f"{outcome}-{decision_id}"
    body = {
        "message_id": message_id,
        "decision_id": decision_id,
        "customer_id": f"c{customer}",
        "touchpoint": "email",
        "placement": "main",
        "action": offer["action"],
        "group": offer["group"],
        "topics": offer["topics"],
        "outcome": outcome,
        "value": None,
        "at": at,
    }
    return _record("outcome", message_id, customer, at, body)


def _record(kind: Any, message_id: str, customer: int, at: datetime, body: dict[str, Any]) -> Record:
    return Record(
        kind=kind,
        message_id=message_id,
        customer_id=f"c{customer}",
        event_time=at,
        known_time=at,
        payload=msgspec.json.encode(body),
    )
