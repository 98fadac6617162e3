"""A brand and its customers for the benchmark of decisions: all that a decision can weigh, and nearly all passes."""

from dataclasses import replace
from datetime import time, timedelta
from random import Random

import numpy as np

from decisioning.catalog import Catalog
from decisioning.conditions import parse
from decisioning.domain import Evidence, Learner
from decisioning.policy import Cap, Contact, Policy, QuietHours, Rule, Rules, Scope, Stage, Weight
from tests import worlds
from tests.decisioning.oracle.world import World
from tests.proofs.deciding import INDEX

ACTIONS, RULES, HISTORY = 100, 30, 20
PLACES = {"inbound": "app_home", "outbound": "email"}
_GROUPS = tuple(f"group_{at}" for at in range(8))
_DAY = timedelta(days=1)


def customers(count: int) -> dict[str, list[World]]:
    """So many customers at the inbound and at the outbound touchpoint."""
    rng = Random(1)
    catalog, policy = _catalog(rng), _policy()
    learner = _learner(catalog, rng)
    return {
        where: [_world(catalog, policy, learner, touchpoint, at, rng) for at in range(count)]
        for where, touchpoint in PLACES.items()
    }


def _catalog(rng: Random) -> Catalog:
    return worlds.catalog(
        *(
            worlds.action(
                f"action_{at:03d}",
                group=_GROUPS[at % len(_GROUPS)],
                job=("sell", "sell", "inform", "serve", "retain")[at % 5],
                value=rng.uniform(1, 20),
                cost=rng.uniform(0, 0.2),
                topics=(worlds.TOPICS[at % 2],),
                eligible=parse("profile.orders_90d >= 1") if at % 3 == 0 else None,
                relevant=parse("context.intent != help") if at % 4 == 0 else None,
                valid_until=worlds.NOW + 30 * _DAY if at % 10 == 0 else None,
                budget=10_000 if at % 10 == 5 else None,
            )
            for at in range(ACTIONS)
        ),
        touchpoints=(worlds.touchpoint(attention=0.02), worlds.email(attention=0.05)),
    )


def _policy() -> Policy:
    """Thirty rules over the tiers that have rules, caps of every kind, weights, stages and quiet hours."""
    requires = (
        "profile.orders_90d > 0",
        ["profile.points >= 10", "state.open_complaint = false"],
        {"any": ["profile.tier in [silver, gold]", "profile.spend_90d_bakery > 1", "context.intent = buy"]},
        {"not": "state.emotion_valence < -0.5"},
        "profile.since_order < 100",
        {"any": ["action.value < 50", "stage = loyal"]},
    )
    rules = [
        Rule(
            rule=f"rule_{at}",
            require=parse(requires[at % len(requires)]),
            scope=Scope() if at % 3 == 0 else Scope(group=(_GROUPS[at % 8], _GROUPS[(at + 3) % 8])),
        )
        for at in range(RULES)
    ]
    caps = (
        Cap(rule="thirty_a_week", most=30, within=7 * _DAY),
        Cap(rule="each_action", most=3, within=30 * _DAY, each="action"),
        Cap(rule="each_group", most=8, within=14 * _DAY, each="group"),
        Cap(rule="each_channel", most=25, within=7 * _DAY, each="channel"),
        Cap(rule="selling", most=20, within=7 * _DAY, scope=Scope(job=("sell",))),
    )
    return worlds.policy(
        rules=Rules(eligibility=tuple(rules[:10]), applicability=tuple(rules[10:20]), suitability=tuple(rules[20:])),
        contact=Contact(caps=caps, quiet_hours=QuietHours(start=time(21), end=time(8))),
        weights=(
            Weight(rule="at_risk", factor=3.0, scale="prediction.churn", scope=Scope(job=("retain",))),
            Weight(rule="bakers", factor=1.5, when=parse("profile.spend_90d_bakery > 20"), scope=Scope(group=_GROUPS[:2])),
        ),
        journey=(
            Stage(stage="prospect", when=parse("profile.since_order missing")),
            Stage(stage="loyal", when=parse("profile.orders_90d >= 8")),
            Stage(stage="active"),
        ),
    )


def _learner(catalog: Catalog, rng: Random) -> Learner:
    seen = {}
    for action in catalog.actions:
        for place in PLACES.values():
            expected = float(np.float32(rng.uniform(1, 40)))
            seen[action.name, place] = Evidence(shows=200, expected=expected, successes=rng.randint(0, 40))
    return Learner(evidence=seen)


def _world(catalog: Catalog, policy: Policy, learner: Learner, touchpoint: str, at: int, rng: Random) -> World:
    """One customer, known well, with a history: nearly every action passes."""
    known: dict[str, float | str] = {
        "orders_90d": rng.uniform(1, 12),
        "spend_90d_bakery": rng.uniform(2, 60),
        "since_order": rng.uniform(0, 60),
        "points": float(rng.randint(20, 3000)),
        "tier": rng.choice(("silver", "gold")),
        **{name: rng.uniform(0, 5) for name in (*worlds.HOURS, *worlds.DAYS)},
    }
    contacts = []
    for _ in range(HISTORY):
        like = rng.choice(catalog.actions)
        contact = worlds.contact(worlds.NOW - rng.uniform(0, 30) * _DAY, action=like.name, group=like.group)
        contacts.append(replace(contact, answered=rng.random() < 0.3))
    response = np.array([rng.uniform(0.01, 0.4) for _ in catalog.actions], dtype=np.float32)
    return World(
        catalog=catalog,
        policy=policy,
        request=worlds.request(
            decision_id=f"d{at}", customer_id=f"c{at}", touchpoint=touchpoint, context={"intent": rng.choice(("buy", "browse"))}
        ),
        profile=worlds.profile(of=INDEX, **known),
        state=worlds.state(customer_id=f"c{at}", contacts=tuple(contacts), time_zone="America/Chicago"),
        predictions=replace(worlds.predictions(catalog), response=response.astype(np.float64)),
        learner=learner,
        stock={action.name: 500 for action in catalog.actions if action.budget},
        ledger={},
        population=dict.fromkeys((*worlds.HOURS, *worlds.DAYS), 1.0),
        now=worlds.NOW,
        salt=worlds.SALT,
    )
