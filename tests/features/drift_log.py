"""A log of a brand whose champion came in ninety days ago: decisions, shows and successes, drift where planted."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from decisioning.customer import Profile, State
from decisioning.domain import Learner, Placement, Predictions, Request
from decisioning.rulebook import Rulebook
from features import bundle
from features.answers import Response
from features.bundle import BundledModel
from features.calibration import Platt
from features.log import Log, Record
from features.log.decisions import Inputs, decide_from, to_record
from features.playbook import Playbook
from features.published import publish
from features.rows import Column, RowSpec
from tests import corner, worlds
from tests.worlds import SALT

DAY = timedelta(days=1)
CATALOG = (
    corner.TEXTS["catalog.yaml"]
    .replace("    budget: 3\n", "")
    .replace("    gives: 1.5\n", "    outcome: {success: accepted, window: 7d}\n")
    .replace("valid_from: 2017-12-01", "valid_from: 2017-01-01")
    .replace("valid_until: 2018-02-01", "valid_until: 2019-02-01")
)
CHEESE = (
    CATALOG
    + """
  cheese:
    group: offers
    job: sell
    value: 10.0
    purpose: marketing
    topics: [bakery]
    response: {model: preference, features: {coupons: 1}}
    treatments:
      app: {title: Cheese, body: Hello.}
"""
)
BEGAN = 90 * DAY
"""Before now, the champion came in."""


@dataclass(frozen=True, kw_only=True)
class Brand:
    """Plants drift in the last thirty days: what customers spent times `spend`, successes times `responses`, and an action
    that is `new` since twenty days. `champion` is the bundle's name."""

    log: Log
    now: datetime
    champion: str
    customers: int = 150
    spend: float = 1.0
    responses: float = 1.0
    new: bool = False
    seed: int = 1
    rulebooks: dict[str, Rulebook] = field(default_factory=dict)

    def write(self, *, before: int, since: int) -> None:
        """So many decisions in the ninety days before the champion came in, and in the ninety days since."""
        self.log.set_once("salt", SALT)
        random = np.random.default_rng(self.seed)
        first, last = corner.playbook(catalog=CATALOG), corner.playbook(catalog=CHEESE)
        publish(first, self.log, now=self.now - 200 * DAY)
        self.rulebooks.update({book.version: book.compiled() for book in (first, last)})
        at = [*random.uniform(-180, -90, before), *random.uniform(-90, -0.01, since)]
        moments, decided, heard = sorted(at), list[Record](), list[Record]()
        is_newer = False
        for number, days in enumerate(moments):
            if self.new and days > -20 and not is_newer:
                publish(last, self.log, now=self.now - 20 * DAY)
                is_newer = True
            made, chance = self._decision(random, f"d{number}", days, last if is_newer else first)
            decided.append(made)
            heard += self._heard(random, made, chance, days)
        self.log.append(decided)
        self.log.append(sorted(heard, key=lambda one: one.known_time))

    def _decision(self, random: np.random.Generator, name: str, days: float, book: Playbook) -> tuple[Record, float]:
        index, recent = book.profile.index, days > -30
        customer, orders = f"c{random.integers(self.customers):03d}", float(random.poisson(3.0) + 1)
        values = np.full(len(index), np.nan, dtype=np.float32)
        known = {"orders_30d": orders, "spend_90d": float(random.exponential(50.0)) * (self.spend if recent else 1.0)}
        for feature, value in (known | {"since_order": float(random.uniform(0, 20))}).items():
            values[index.positions[feature]] = value
        chance = float(1 / (1 + np.exp(2.0 - 0.2 * orders)))
        response = np.array([chance if one.response.model else one.response.prior for one in book.catalog.actions])
        request = Request(decision_id=name, customer_id=customer, touchpoint="app", placements=(Placement(),))
        at = self.now + days * DAY
        inputs = Inputs(
            profile=Profile(index=index, values=values, present=~np.isnan(values)),
            state=State(customer_id=customer, known=True, consents={"marketing": True}),
            predictions=Predictions(
                response=response,
                assumed=np.array([one.response.model is None for one in book.catalog.actions]),
                customer={"churn": float(random.uniform(0.1, 0.3))},
            ),
            learner=Learner(evidence={}),
            stock={},
            population={},
            ledger={},
            brand="Corner",
            salt=SALT,
            degraded=(),
            catalog=book.version,
            bundle=self.champion if days >= -BEGAN / DAY else "the one before",
            tzdata="2026.1",
        )
        rulebook = self.rulebooks[book.version]
        return to_record(decide_from(request, inputs, rulebook, at=at), inputs, rulebook, known_time=at), chance

    def _heard(self, random: np.random.Generator, made: Record, chance: float, days: float) -> Iterator[Record]:
        first = made.body["results"][0]
        if first["kind"] != "action":
            return
        chance = chance if first["action"] != "points" else 0.2
        drifted = self.responses if days > -30 and first["action"] == "bread" else 1.0
        at = made.event_time + timedelta(minutes=1)
        yield outcome(made, "shown", at)
        if random.random() < chance * drifted:
            yield outcome(made, "accepted", at + timedelta(hours=1))


def outcome(made: Record, kind: str, at: datetime) -> Record:
    """What came of a decision's first place."""
    body = {"decision_id": made.message_id, "touchpoint": "app", "action": made.body["results"][0]["action"], "outcome": kind}
    return worlds.record("outcome", f"{kind}-{made.message_id}", json.dumps(body).encode(), at=at, customer_id=made.customer_id)


def promoted(folder: Path) -> str:
    """A bundle of one model that reads orders and spend, and the pointer to it."""
    model = BundledModel(
        name="preference",
        forests={"response": "tree\nversion=v4\nend of trees\n"},
        row=RowSpec(tuple(Column(name=name, side="customer", of=name) for name in ("orders_30d", "spend_90d"))),
        answer=Response(about="offer", calibration=Platt()),
    )
    book = corner.playbook(catalog=CATALOG)
    made = bundle.bundled([model], book.profile.index, tuple(book.profile.topics))
    bundle.write(made, folder)
    bundle.switch(folder, made.hash)
    return made.hash
