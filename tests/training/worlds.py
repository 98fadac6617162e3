"""A small brand that has something to learn: some customers stop coming, and offers are taken by those who buy the topic."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from features.log import Log, Record
from features.workspace import Workspace

NOW = datetime(2017, 11, 1, tzinfo=UTC)
START = datetime(2017, 1, 1, 9, tzinfo=UTC)
TOPICS = ("bakery", "produce")

FILES = {
    "brand.yaml": "{name: Test, currency: USD, time_zone: UTC, locale: en-US, "
    "purposes: {personalisation: {default: true, says: x}}}",
    "touchpoints.yaml": "{}",
    "catalog.yaml": "{groups: {}, actions: {}}",
    "policy.yaml": "{journey: [{stage: active}]}",
    "profile.yaml": """
topics: {bakery: [PASTRY], produce: [PRODUCE]}
views:
  orders:
    purpose: personalisation
    on: {event: Order Completed}
    features:
      orders_30d: {sum: 1, half_life: 30d}
      spend_90d: {sum: total, half_life: 90d}
      since_order: {since: last}
      "spend_90d_{topic}": {sum: products.price, by: topic, half_life: 90d}
  offers:
    purpose: personalisation
    on: {outcome: accepted}
    features:
      accepted_180d: {sum: 1, half_life: 180d}
""",
    "models.yaml": """
churn:
  event: Order Completed
  horizons: [30d]
  active_within: 60d
  train: [2017-04-01, 2017-05-01, 2017-06-01]
  test: [2017-09-01]
  columns: [orders_30d, spend_90d, since_order]
  rises_with: [since_order]
  parameters: {num_iterations: 30, num_leaves: 4, min_data_in_leaf: 10}
  references: {auc: {value: 0.7, source: a guess}}
preference:
  touchpoint: mailer
  success: accepted
  train: {from: 2017-03-01, until: 2017-07-01}
  test: {from: 2017-07-01, until: 2017-11-01}
  folds: [2017-04-20, 2017-05-20]
  customer: [spend_90d, accepted_180d]
  action: {kind: {labels: [A, B]}, topic: {}}
  cross: {spend_topic: {pick: "spend_90d_{topic}"}, share_topic: {pick: "spend_90d_{topic}", over: spend_90d}}
  rises_with: [spend_topic]
  parameters: {num_iterations: 30, num_leaves: 4, min_data_in_leaf: 10}
""",
}
RULES = """
experiment: kairos
alias: champion
models:
  churn: {registered_as: test-churn, gates: {auc: {at_least: 0.6}}, may_lose: 0.5}
  preference: {registered_as: test-preference, gates: {group_auc: {at_least: 0.5}}}
"""


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def workspace(folder: Path, **changed: str) -> Workspace:
    """The brand's folder, written and loaded, with the texts of some files changed by name: models=...."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (FILES | {f"{name}.yaml": text for name, text in changed.items()}).items():
        (folder / name).write_text(text, encoding="utf-8")
    made = Workspace.load(folder)
    made.data.mkdir(exist_ok=True)
    return made


def open_log(where: Path, records: Sequence[Record] = ()) -> Log:
    where.mkdir(parents=True, exist_ok=True)
    log = Log(f"sqlite:///{where / 'log.db'}")
    if records:
        log.append(list(records))
    return log


def history(*, customers: int = 150, seed: int = 1) -> list[Record]:
    """Orders until October, and a mailing with two offers on the 10th of each month. A third lapse at some time."""
    random = np.random.default_rng(seed)
    records: list[Record] = []
    for number in range(customers):
        who, likes = f"c{number}", int(number % 2)
        ends = random.integers(60, 280) if number % 3 == 0 else 300
        pace = random.uniform(3, 12)
        day = random.uniform(0, pace)
        while day < ends:
            topic = likes if random.random() < 0.85 else 1 - likes
            at = START + timedelta(days=float(np.round(day, 3)))
            records.append(order(f"o-{who}-{day:.3f}", who, at, topic=topic, total=float(np.round(random.uniform(5, 40), 2))))
            # the pace slows before a customer goes
            day += float(random.exponential(pace * (2.5 if ends < 300 and day > ends - 40 else 1)))
        for month in range(2, 11):
            sent = datetime(2017, month, 10, tzinfo=UTC)
            taken = [topic for topic in (0, 1) if sent < START + timedelta(days=float(ends))
                     and random.random() < (0.45 if topic == likes else 0.05)]  # fmt: skip
            records += mailing(f"m{month}", who, sent, accepted=taken)
    return sorted(records, key=lambda record: record.known_time)


def order(
    name: str, customer: str, at: datetime, *, topic: int = 0, total: float = 10.0, known: datetime | None = None
) -> Record:
    products = [{"product_id": "p", "category": ("PASTRY", "PRODUCE")[topic], "price": total, "quantity": 1}]
    properties = {"order_id": name, "total": total, "products": products}
    return record("event", name, customer, at, known, {"type": "track", "event": "Order Completed", "properties": properties})


def mailing(
    group: str, customer: str, at: datetime, *, accepted: Sequence[int] = (), days: int = 20, after: timedelta | None = None
) -> list[Record]:
    """An imported decision with an offer a topic, and the outcomes of those that were accepted, `after` it was sent."""
    decision = f"{group}-{customer}"
    offers = [offer(f"{group}:{topic}", group, topic, at, at + timedelta(days=days)) for topic in TOPICS]
    made = [record("decision", decision, customer, at, None, decided(decision, at, offers))]
    for topic in accepted:
        when = at + (after or timedelta(days=5))
        made.append(outcome(f"{decision}-{topic}", decision, customer, f"{group}:{TOPICS[topic]}", when, topic=topic))
    return made


def decided(decision: str, at: datetime, offers: Sequence[dict[str, Any]], **changed: Any) -> dict[str, Any]:
    about = {"decision_id": decision, "customer_id": "a", "touchpoint": "mailer", "outbound": True, "origin": "imported"}
    return about | {"at": at.isoformat(), "results": offers} | changed


def offer(action: str, group: str, topic: str, send_at: datetime, expires_at: datetime, **more: Any) -> dict[str, Any]:
    times = {"send_at": send_at.isoformat(), "expires_at": expires_at.isoformat()}
    about = {
        "kind": "action",
        "placement": "main",
        "action": action,
        "group": group,
        "topics": [topic],
        "features": {"kind": "A"},
        "probability": None,
        "success": "accepted",
    }
    return about | times | more


def outcome(
    name: str, decision: str, customer: str, action: str, at: datetime, *, topic: int = 0, kind: str = "accepted", **more: Any
) -> Record:
    body = {"decision_id": decision, "touchpoint": "mailer", "action": action, "topics": [TOPICS[topic]], "outcome": kind}
    return record("outcome", name, customer, at, None, body | more)


def identity(name: str, source: str, target: str, at: datetime, *, known: datetime | None = None) -> Record:
    kind = "identify" if source.startswith("anonymous:") else "alias"
    return record("identity", name, target, at, known, {"type": kind, "source": source, "target": target})


def record(kind: Any, name: str, customer: str | None, at: datetime, known: datetime | None, body: dict[str, Any]) -> Record:
    payload = json.dumps(body).encode()
    return Record(kind=kind, message_id=name, customer_id=customer, event_time=at, known_time=known or at, payload=payload)
