"""Customers of a brand at random: what is known of them, what they said, what was said to them, and when they are asked for."""

import math
from collections.abc import Iterator
from random import Random

import numpy as np
from numpy.typing import NDArray

from decisioning.customer import Profile
from decisioning.domain import Evidence, HoursOf, Learner, Ledger, Placement, Predictions, Request
from tests.decisioning.oracle.world import World
from tests.proofs.deciding import INDEX
from tests.proofs.random_brands import Brand
from tests.proofs.random_conditions import AGES, INTENTS, TIERS
from tests.proofs.random_policies import DAY
from tests.proofs.random_states import state

_OF = (HoursOf(), HoursOf(own=True), HoursOf(learned_from="visits", own=True))


def customers(rng: Random, brand: Brand, count: int) -> Iterator[World]:
    """Worlds of one brand. A few learners and populations serve them all."""
    learners = [_learner(rng, brand) for _ in range(3)]
    populations = [{}, {f"hour_{hour:02d}": rng.random() for hour in range(24)}]
    for at in range(count):
        yield customer(rng, brand, f"c{at}", learner=rng.choice(learners), population=rng.choice(populations))


def customer(rng: Random, brand: Brand, name: str, *, learner: Learner, population: dict[str, float]) -> World:
    catalog = brand.catalog
    now = brand.around + rng.uniform(-8, 8) * DAY
    if rng.random() < 0.3:
        now = now.replace(minute=rng.choice((0, 30)), second=0, microsecond=0)
    touchpoint = rng.choice(list(catalog.touchpoints))
    return World(
        catalog=catalog,
        policy=brand.policy,
        request=Request(
            decision_id=f"d{rng.getrandbits(60):x}",
            customer_id=name,
            touchpoint=touchpoint,
            placements=rng.choice(((Placement(),), (Placement(),), (Placement(count=2), Placement(id="side", count=2)))),
            context=_context(rng),
        ),
        profile=_profile(rng),
        state=state(rng, brand, name, now),
        predictions=_predictions(rng, brand),
        learner=learner,
        stock={
            one.name: rng.randint(0, one.budget) for one in catalog.actions if one.budget is not None and rng.random() < 0.8
        },
        ledger=_ledger(rng, brand),
        population=population,
        now=now,
        salt=brand.salt,
    )


def _context(rng: Random) -> dict[str, str | float | bool]:
    told: dict[str, str | float | bool] = {}
    if rng.random() < 0.7:
        told["intent"] = rng.choice(INTENTS)
    if rng.random() < 0.5:
        told["basket"] = float(rng.randint(0, 12))
    if rng.random() < 0.5:
        told["urgent"] = rng.random() < 0.5
    return told


def _profile(rng: Random) -> Profile:
    if rng.random() < 0.05:
        return Profile.empty(INDEX)
    known: dict[str, float] = {
        "orders_90d": rng.choice((0.0, 1.0, 2.0, rng.uniform(0, 10))),
        "spend_90d_bakery": rng.choice((0.0, 5.0, 12.5, rng.uniform(0, 60))),
        "since_order": rng.choice((2.0, 10.0, rng.uniform(0, 120))),
        "points": float(rng.randrange(2000)),
        "tier": float(rng.randrange(len(TIERS))),
        "age_band": float(rng.randrange(len(AGES))),
        f"hour_{rng.randrange(24):02d}": 9.0,
    }
    values = np.full(len(INDEX), np.nan, dtype=np.float32)
    for name, value in known.items():
        if rng.random() < 0.8:
            values[INDEX.positions[name]] = value
    return Profile(index=INDEX, values=values, present=~np.isnan(values))


def _predictions(rng: Random, brand: Brand) -> Predictions:
    count, dice = len(brand.catalog.actions), np.random.default_rng(rng.getrandbits(32))
    response = (dice.random(count, dtype=np.float32) ** 2).astype(np.float64)
    channels = sorted({one.channel for one in brand.catalog.touchpoints.values()})
    nothing = None
    if rng.random() < 0.5:
        nothing = dice.random(count, dtype=np.float32).astype(np.float64) * 0.25
        nothing[dice.random(count) < 0.5] = np.nan
    return Predictions(
        response=response,
        assumed=np.ones(count, dtype=np.bool_),
        customer={"churn": float(np.float32(rng.random()))} if rng.random() < 0.8 else {},
        nothing=nothing,
        hours={channel: _hours(rng) for channel in channels if rng.random() < 0.5},
        hours_of={channel: rng.choice(_OF) for channel in channels if rng.random() < 0.5},
    )


def _hours(rng: Random) -> NDArray[np.float64]:
    """What the hours of the week are worth: here and there nothing, or no number."""
    return np.array([rng.choice((0.0, math.nan, rng.random(), rng.expovariate(1.0))) for _ in range(168)])


def _learner(rng: Random, brand: Brand) -> Learner:
    pairs = [(one.name, place) for one in brand.catalog.actions for place in one.treatments]
    chosen = [one for one in pairs if rng.random() < 0.5]
    evidence = {}
    for pair in chosen:
        shows = rng.choice((1, 10, 300))
        expected = float(np.float32(shows * rng.uniform(0.01, 0.3)))
        evidence[pair] = Evidence(shows=shows, expected=expected, successes=rng.randint(0, max(1, shows // 4)))
    return Learner(evidence=evidence)


def _ledger(rng: Random, brand: Brand) -> dict[str, Ledger]:
    found = {}
    for one in brand.catalog.actions:
        if rng.random() < 0.1:
            ended = rng.randint(1, 30)
            found[one.name] = Ledger(ended=ended, kept=rng.randint(0, ended))
    return found
