"""A log of a brand with a control group: decisions as a server writes them, orders, ratings, successes, with a known truth."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from decisioning.customer import Profile, State
from decisioning.domain import Learner, Placement, Predictions, Request
from decisioning.emotion import Signal
from decisioning.rulebook import Rulebook
from features.log import Log, Record
from features.log.decisions import Inputs, decide_from, to_record
from features.playbook import Playbook
from features.published import publish
from features.trial_metrics import Asked
from tests import corner, worlds
from tests.worlds import NOW, SALT

DAY = timedelta(days=1)
HORIZON = 28 * DAY
POLICY = (
    corner.TEXTS["policy.yaml"].replace("exploration: {mass: 0.0, strength: 50}", "exploration: {mass: 0.2, strength: 50}")
    + "groups: {control: 0.3, random: 0.1}\n"
)
CATALOG = corner.TEXTS["catalog.yaml"].replace("budget: 3\n", "lever: 3.0\n")
PROFILE = corner.TEXTS["profile.yaml"].replace(
    "points: {sum: total, unit: points}",
    "points: {sum: total, unit: points}\n      often: {band: orders_30d, cuts: [2], labels: [seldom, weekly]}",
)
BRAND = corner.TEXTS["brand.yaml"].replace(
    "Satisfaction Rated:", "Recommendation Rated: {rating: rating, scale: [0, 10]}\n  Satisfaction Rated:"
)


def playbook(**changed: str) -> Playbook:
    return corner.playbook(**({"policy": POLICY, "catalog": CATALOG, "profile": PROFILE, "brand": BRAND} | changed))


def asked(**changed: Any) -> Asked:
    signals: Mapping[str, Signal] = playbook().brand.signals
    given = {"event": "Order Completed", "value": "total", "margin": 0.5, "horizon": HORIZON, "signals": signals}
    return Asked(**(given | changed))


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes what happens at a brand into its log."""

    log: Log
    book: Playbook
    rulebook: Rulebook

    @classmethod
    def opened(cls, log: Log, book: Playbook | None = None, *, at: datetime = NOW - DAY) -> "Writer":
        book = book or playbook()
        publish(book, log, now=at)
        log.set_once("salt", SALT)
        return cls(log=log, book=book, rulebook=book.compiled())

    def decision(
        self, customer: str, at: datetime = NOW, *, name: str = "", touchpoint: str = "app", orders: float = 3.0
    ) -> Record:
        index = self.book.profile.index
        values = np.full(len(index), np.nan, dtype=np.float32)
        for feature, value in {"orders_30d": orders, "since_order": 2.0, "often": float(orders >= 2)}.items():
            if feature in index.positions:
                values[index.positions[feature]] = value
        request = Request(
            decision_id=name or f"d-{customer}", customer_id=customer, touchpoint=touchpoint, placements=(Placement(),)
        )
        catalog = self.book.catalog
        inputs = Inputs(
            profile=Profile(index=index, values=values, present=~np.isnan(values)),
            state=State(customer_id=customer, known=True, consents={"marketing": True}),
            predictions=Predictions(
                response=np.array([{"bread": 0.05, "points": 0.4}.get(action.name, 0.1) for action in catalog.actions]),
                assumed=np.ones(len(catalog.actions), dtype=np.bool_),
                customer={},
            ),
            learner=Learner(evidence={}),
            stock={},
            population={},
            ledger={},
            brand="Corner",
            salt=SALT,
            degraded=(),
            catalog=self.book.version,
            bundle=None,
            tzdata="2026.1",
        )
        return to_record(decide_from(request, inputs, self.rulebook, at=at), inputs, self.rulebook, known_time=at)


def event(name: str, customer: str, at: datetime, message_id: str = "", **properties: Any) -> Record:
    body = {"type": "track", "event": name, "properties": properties}
    payload = json.dumps(body).encode()
    return worlds.record("event", message_id or f"{name}-{customer}-{at.isoformat()}", payload, at=at, customer_id=customer)


def success(made: Record, at: datetime) -> Record:
    """That the offer of a decision was taken."""
    action = made.body["results"][0]["action"]
    body = {"decision_id": made.message_id, "touchpoint": "app", "action": action, "outcome": "accepted", "success": True}
    return worlds.record("outcome", f"o-{made.message_id}", json.dumps(body).encode(), at=at, customer_id=made.customer_id)


def history(writer: Writer, customers: int, *, seed: int = 1, effect: float = 0.5) -> Iterator[Sequence[Record]]:
    """For each customer: orders before, one decision within 60 days, orders after, and here and there a rating.

    The treatment makes `effect` more orders of 20 in four weeks; of 10 successes each.
    """
    random = np.random.default_rng(seed)
    for number in range(customers):
        who, at = f"c{number:05d}", NOW + DAY * float(random.uniform(0, 60))
        pace = random.exponential(2.0)
        records = [
            event("Order Completed", who, at - DAY * float(day), total=20.0)
            for day in random.uniform(1, 80, random.poisson(3 * pace))
        ]
        made = writer.decision(who, at, orders=float(random.integers(1, 4)))
        body = made.body
        more = effect if body["group"] == "treatment" else 0.0
        records.append(made)
        records += [
            event("Order Completed", who, at + DAY * float(day), total=20.0)
            for day in random.uniform(0, 27, random.poisson(pace + more))
        ]
        if random.random() < 0.5:
            records.append(event("Satisfaction Rated", who, at + DAY, rating=int(random.integers(1, 6))))
        first = body["results"][0]
        if first["kind"] == "action" and random.random() < {"bread": 0.1, "points": 0.4}[first["action"]]:
            records.append(success(made, at + DAY))
        yield sorted(records, key=lambda one: one.known_time)


def written(log: Log, customers: int, **about: Any) -> Writer:
    writer = Writer.opened(log)
    records = [one for of in history(writer, customers, **about) for one in of]
    log.append(sorted(records, key=lambda one: one.known_time))
    return writer


def body_changed(record: Record, **changes: Any) -> Record:
    """The record with other things in it; a change to None takes it out."""
    body = {name: said for name, said in (record.body | changes).items() if said is not None}
    return replace(record, payload=msgspec.json.encode(body))
