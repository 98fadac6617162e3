"""Eight weeks after the demo starts: households come, are decided for by the real server, and answer as a known truth says.

The demo's data hold no trial: nobody was left without an offer by chance. Here the decisions are the engine's own, only
what becomes of them is made up, so that what a measurement finds can be set beside what is true.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from examples.grocer.sample import Playground

DAYS = 28
"""Households come in during so many days, and each is followed for as many from its first decision on."""
BATCH = 500
_BEFORE = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What an offer does, in four weeks: `more` orders, as a share of those that the household makes anyway; it is taken with
    the probability `taken`. Of all households the share `rates` says how satisfied it is, whatever it was told."""

    more: float = 0.5
    taken: float = 0.25
    rates: float = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """What came of it. `more_orders` is what deciding adds to a household's orders in truth: the mean over those in the group
    `treatment`, of whom some were made no offer."""

    households: int
    offered: int
    taken: int
    more_orders: float


def live(
    brand: Playground,
    households: Mapping[str, float],
    *,
    touchpoints: tuple[str, ...] = ("app_home", "web"),
    truth: Truth | None = None,
    seed: int = 7,
    progress: Callable[[str, float], None] = lambda doing, share: None,
) -> Season:
    """Let each household (its orders in 28 days as they come without us) come once; then let time pass until all is over.

    The clock of the playground ends twice `DAYS` later. Deterministic for the same arguments on a fresh copy.
    """
    truth, random = truth or Truth(), np.random.default_rng(seed)
    comes = sorted(
        (float(day), name) for name, day in zip(sorted(households), random.uniform(0, DAYS, len(households)), strict=True)
    )
    opens, events, offered, taken, added = brand.clock.now(), [], 0, 0, []
    for number, (day, name) in enumerate(comes):
        at = opens + timedelta(days=day)
        brand.clock.go_on(at - brand.clock.now())
        ask = {
            "decision_id": f"season-{name}",
            "customer_id": name,
            "touchpoint": touchpoints[random.integers(len(touchpoints))],
        }
        answer = brand.server.decide(ask)
        told = answer["results"][0]["kind"] == "action"
        offered += told
        if told and random.random() < truth.taken:
            taken += 1
            outcome = {"message_id": f"season-taken-{name}", "decision_id": answer["decision_id"], "outcome": "accepted"}
            brand.server.ask("/v1/outcomes", outcome)
        more = truth.more * households[name] if told else 0.0
        if answer["group"] == "treatment":
            added.append(more)
        days = random.uniform(0, DAYS, random.poisson(households[name] + more))
        events += [_order(name, at + timedelta(days=float(one)), random) for one in days]
        if random.random() < truth.rates:
            events.append(_rating(name, at + timedelta(days=1), int(random.integers(2, 6))))
        progress("deciding", number / len(comes))
    brand.clock.go_on(opens + timedelta(days=2 * DAYS) - brand.clock.now())
    for first in range(0, len(events), BATCH):
        brand.server.ask("/v1/events", {"batch": events[first : first + BATCH]})
    progress("lived", 1.0)
    return Season(households=len(comes), offered=offered, taken=taken, more_orders=float(np.mean(added)))


def usual_orders(brand: Playground) -> dict[str, float]:
    """By household, the orders that 28 days bring by the pace of the last 90; those who did not order then are left out."""
    since, found = brand.clock.now() - timedelta(days=_BEFORE), dict[str, int]()
    for record in brand.log.read(kinds=("event",)):
        if record.event_time >= since and record.customer_id and record.body.get("event") == "Order Completed":
            found[record.customer_id] = found.get(record.customer_id, 0) + 1
    return {name: DAYS * orders / _BEFORE for name, orders in found.items()}


def _order(name: str, at: datetime, random: np.random.Generator) -> dict[str, Any]:
    price = round(float(random.lognormal(3.0, 0.6)), 2)
    products = [{"product_id": "any", "category": "GROCERY", "price": price, "quantity": 1}]
    return _event("Order Completed", name, at, total=price, products=products)


def _rating(name: str, at: datetime, stars: int) -> dict[str, Any]:
    return _event("Satisfaction Rated", name, at, rating=stars)


def _event(what: str, name: str, at: datetime, **properties: Any) -> dict[str, Any]:
    said = {"type": "track", "event": what, "userId": name, "timestamp": at.isoformat()}
    return {**said, "messageId": f"season-{what}-{name}-{at.timestamp():.3f}", "properties": properties}
