"""A small brand with a profile that has one of everything, and records of its customers."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features.log import Log, Record
from features.schema import ProfileSpec
from features.workspace import Workspace
from features.yaml_nodes import decode

START = datetime(2017, 1, 1, 5, tzinfo=UTC)
"""Midnight in New York."""
ZONE = "America/New_York"
DAY = timedelta(days=1)

PROFILE = """
topics: {bakery: [PASTRY], produce: [PRODUCE, FRUIT]}
views:
  orders:
    purpose: personalisation
    owner: tests
    on: {event: Order Completed}
    features:
      orders_30d: {sum: 1, half_life: 30d, unit: orders, says: how often you shop}
      spend_30d: {sum: total, half_life: 30d, unit: USD}
      points: {sum: total, unit: points}
      lines: {sum: products.price}
      since_order: {since: last}
      tenure: {since: first}
      tier: {band: points, cuts: [100, 500], labels: [bronze, silver, gold]}
      "spend_90d_{topic}": {sum: products.price, by: topic, half_life: 90d, unit: USD, says: "what you spend on {topic}"}
      "items_{topic}": {sum: 1, by: topic}
      "hour_{hour}": {sum: 1, by: hour, half_life: 90d}
      "day_{day}": {sum: 1, by: day, half_life: 90d, says: "how often you shop on a {day}"}
  offers:
    purpose: personalisation
    on: {outcome: [delivered, accepted]}
    features:
      offers_7d: {sum: 1, on: {outcome: delivered}, half_life: 7d}
      since_accepted: {since: last, on: {outcome: accepted}}
      "accepted_{topic}": {sum: 1, by: topic, on: {outcome: [accepted]}, half_life: 180d}
  households:
    source: third_party
    purpose: third_party
    file: households.csv
    key: household
    known_at: 2017-02-01
    features:
      age_band: {column: age, labels: ["19-24", "25-34"]}
      members: {column: size}
"""
RICH = f"""
touchpoints: {{mailer: mail, app_home: app, app_list: app}}
groups: [coupons, care]
{PROFILE}
  ratings:
    purpose: research
    ttl: 60d
    on: {{event: [Satisfaction Rated, Effort Rated]}}
    features:
      "rated_{{touchpoint}}": {{sum: rating, by: touchpoint, on: {{event: Satisfaction Rated}}, half_life: 90d}}
      "ratings_{{touchpoint}}": {{count: rating, by: touchpoint, on: {{event: Satisfaction Rated}}, half_life: 90d}}
      "mean_{{touchpoint}}":
        {{ratio: {{of: "rated_{{touchpoint}}", over: "ratings_{{touchpoint}}"}}, by: touchpoint, default: 3, unit: points}}
      "told_{{event}}": {{sum: 1, by: event}}
  responses:
    purpose: personalisation
    on: {{outcome: [delivered, accepted, clicked]}}
    features:
      "sent_{{group}}": {{sum: 1, by: group, on: {{outcome: delivered}}, half_life: 30d, ttl: 90d}}
      "taken_{{group}}": {{sum: 1, by: group, on: {{outcome: accepted}}, half_life: 30d}}
      "rate_{{group}}": {{ratio: {{of: "taken_{{group}}", over: "sent_{{group}}"}}, by: group}}
      sent: {{sum: 1, on: {{outcome: delivered}}, half_life: 30d}}
      taken: {{sum: 1, on: {{outcome: accepted}}, half_life: 30d}}
      rate: {{ratio: {{of: taken, over: sent}}}}
      eager: {{band: rate, cuts: [0.1, 0.7], labels: [no, some, very], default: no}}
      "clicked_{{hour}}_{{channel}}": {{sum: 1, by: [hour, channel], on: {{outcome: clicked}}, half_life: 90d}}
      "clicked_{{channel}}_{{day}}": {{sum: 1, by: [day, channel], on: {{outcome: clicked}}}}
"""
"""The same with ratings, ratios, times to live and margins of two families."""
HOUSEHOLDS = "household,age,size\nc0,25-34,2\nc1,19-24,many\nc2,ageless,4\nstranger,25-34,1\nc0,19-24,3\n"
OTHERS = {
    "brand.yaml": f"{{name: Test, currency: USD, time_zone: {ZONE}, locale: en-US, purposes: "
    "{personalisation: {default: true, says: x}, third_party: {default: true, says: x}, research: {default: true, says: x}}}",
    "touchpoints.yaml": "{}",
    "catalog.yaml": "{groups: {}, actions: {}}",
    "policy.yaml": "{journey: [{stage: active}]}",
}


def spec(text: str = PROFILE) -> ProfileSpec:
    return decode(text, ProfileSpec, file="profile.yaml")


def workspace(folder: Path, profile: str = PROFILE, households: str | None = HOUSEHOLDS) -> Workspace:
    """The brand's folder, written and loaded; written over where it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**OTHERS, "profile.yaml": profile}.items():
        (folder / name).write_text(text, encoding="utf-8")
    if households is not None:
        (folder / "households.csv").write_text(households, encoding="utf-8")
    return Workspace.load(folder)


@contextmanager
def log_of(where: Workspace, records: Sequence[Record] = ()) -> Iterator[Log]:
    where.data.mkdir(exist_ok=True)
    log = Log(where.log_url)
    try:
        log.append(list(records))
        yield log
    finally:
        log.close()


def order(
    name: str, customer: str | None, at: datetime, *, known: datetime | None = None, total: Any = 10.0, products: Any = ()
) -> Record:
    """`products` are (department, price) pairs."""
    lines = [{"product_id": "p", "category": category, "price": price, "quantity": 1} for category, price in products]
    properties = {"order_id": name, "total": total, "discount": 0.0, "products": lines}
    body = {"type": "track", "event": "Order Completed", "messageId": name, "userId": customer, "properties": properties}
    return _record("event", name, customer, at, known, body)


def outcome(
    name: str,
    customer: str,
    at: datetime,
    *,
    known: datetime | None = None,
    kind: str = "delivered",
    topics: Sequence[str] = (),
    touchpoint: str = "mailer",
    group: str = "coupons",
) -> Record:
    body = {
        "message_id": name, "decision_id": f"d-{name}", "customer_id": customer, "touchpoint": touchpoint, "placement": "main",
        "action": "coupon", "topics": list(topics), "group": group, "outcome": kind, "value": None, "at": at.isoformat(),
    }  # fmt: skip
    return _record("outcome", name, customer, at, known, body)


def rating(
    name: str, customer: str, at: datetime, *, event: str, known: datetime | None = None, touchpoint: Any, value: Any
) -> Record:
    properties = {"rating": value, "touchpoint": touchpoint}
    body = {"type": "track", "event": event, "messageId": name, "userId": customer, "properties": properties}
    return _record("event", name, customer, at, known, body)


def identify(name: str, customer: str, at: datetime, **traits: str | None) -> Record:
    return _record("event", name, customer, at, None, {"type": "identify", "userId": customer, "traits": traits})


def consent(name: str, customer: str, at: datetime, *, purpose: str, granted: bool, known: datetime | None = None) -> Record:
    body = {"customer_id": customer, "purpose": purpose, "granted": granted, "source": "test"}
    return _record("consent", name, customer, at, known, body)


def contest(
    name: str, customer: str, at: datetime, *, feature: str, settled: bool = False, known: datetime | None = None
) -> Record:
    body = {"customer_id": customer, "feature": feature, "by": "customer", "because": "x", "settled": settled}
    return _record("contest", name, customer, at, known, body)


def linked(name: str, source: str, target: str, at: datetime, *, known: datetime | None = None) -> Record:
    kind = "identify" if source.startswith("anonymous:") else "alias"
    return _record("identity", name, target, at, known, {"type": kind, "source": source, "target": target})


IDS = ("A", "B", "C", "anonymous:x", "anonymous:y")
"""Who a joined life is about: known ids and two devices, which anyone may have used."""


def joined_life(random: np.random.Generator, *, records: int, links: int, words: int = 0, days: int = 300) -> list[Record]:
    """A life of IDS with links between them, told in time, late, twice or with a clock that runs ahead; and consents."""
    made = [_of(record, IDS[int(record.customer_id[1:])]) for record in life(random, customers=5, records=records, days=days)]
    for at in range(links + words):
        # whole days, so that times meet
        happened = START + timedelta(days=int(random.integers(days)))
        known = happened + timedelta(days=int(random.choice([0, 0, 3, 60, -1])))
        if at < links:
            source, target = str(random.choice(IDS)), str(random.choice(IDS[:3]))
            made.append(linked(f"l{at}", source, target, happened, known=known))
        else:
            purpose = str(random.choice(["personalisation", "third_party"]))
            who, granted = str(random.choice(IDS)), bool(random.integers(2))
            made.append(consent(f"w{at}", who, happened, known=known, purpose=purpose, granted=granted))
    return sorted(made, key=lambda record: record.known_time)


def _of(record: Record, customer: str) -> Record:
    return replace(record, customer_id=customer)


def life(random: np.random.Generator, *, customers: int, records: int, days: int = 300) -> list[Record]:
    """Records of the RICH profile in the order in which they became known; late ones, equal times, clocks that run ahead."""
    made: list[Record] = []
    for at in range(records):
        who = f"c{random.integers(customers)}"
        happened = START + timedelta(hours=int(random.integers(24 * days)))
        late = timedelta(hours=int(random.choice([0, 0, 0, 3, 24 * 40])))
        known = happened + late if random.random() > 0.05 else happened - timedelta(minutes=5)
        where = random.choice(["mailer", "app_home", "app_list", "kiosk"]).item()
        match random.integers(4):
            case 0:
                lines = [
                    (random.choice(["PASTRY", "PRODUCE", "FRUIT", "TYRES"]).item(), round(float(random.exponential(8)), 2))
                    for _ in range(random.integers(4))
                ]
                total = round(sum(price for _, price in lines), 2)
                made.append(order(f"m{at}", who, happened, known=known, total=total, products=lines))
            case 1:
                event = random.choice(["Satisfaction Rated", "Effort Rated"]).item()
                value = [1, 2.5, 5, None, "good"][random.integers(5)]
                made.append(rating(f"m{at}", who, happened, known=known, event=event, touchpoint=where, value=value))
            case _:
                kind = random.choice(["delivered", "accepted", "clicked"]).item()
                topics = [random.choice(["bakery", "produce", "tyres"]).item()]
                group = random.choice(["coupons", "care", "other"]).item()
                made.append(
                    outcome(f"m{at}", who, happened, known=known, kind=kind, topics=topics, touchpoint=where, group=group)
                )
    return sorted(made, key=lambda record: record.known_time)


def year(seed: int, *, customers: int = 12, records: int = 400) -> list[Record]:
    """Records in the order in which they became known: some late, some at the same time, some with a clock that runs ahead."""
    random = np.random.default_rng(seed)
    made: list[Record] = []
    for at in range(records):
        who = f"c{random.integers(customers)}"
        # whole hours, so that times meet
        happened = START + timedelta(hours=int(random.integers(24 * 300)))
        delay = timedelta(hours=int(random.choice([0, 0, 0, 3, 24 * 40])))
        known = happened + delay if random.random() > 0.03 else happened - timedelta(minutes=5)
        if random.random() < 0.7:
            products = [
                (str(random.choice(["PASTRY", "PRODUCE", "FRUIT", "TYRES"])), round(float(random.exponential(8)), 2))
                for _ in range(random.integers(4))
            ]
            total = round(sum(price for _, price in products), 2)
            made.append(order(f"m{at}", who, happened, known=known, total=total, products=products))
        else:
            kind = str(random.choice(["delivered", "accepted", "clicked"]))
            topics = [str(random.choice(["bakery", "produce", "tyres"]))]
            made.append(outcome(f"m{at}", who, happened, known=known, kind=kind, topics=topics))
    return sorted(made, key=lambda record: record.known_time)


def labels(customers: Sequence[str], *moments: datetime) -> pl.DataFrame:
    """Every customer at every moment."""
    pairs = [(who, at) for at in moments for who in customers]
    return pl.DataFrame(pairs, schema={"customer_id": pl.String, "at": pl.Datetime("us", "UTC")}, orient="row")


def changed(record: Record, **body: Any) -> Record:
    return replace(record, payload=json.dumps(record.body | body).encode())


def _record(kind: Any, name: str, customer: str | None, at: datetime, known: datetime | None, body: dict[str, Any]) -> Record:
    return Record(
        kind=kind,
        message_id=name,
        customer_id=customer,
        event_time=at,
        known_time=known or at,
        payload=json.dumps(body).encode(),
    )
