"""A small brand and its decisions, for tests of every kind of explanation."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from decisioning.conditions import parse
from decisioning.customer import Emotion, Episode
from decisioning.domain import Decision
from decisioning.explain import for_customer
from decisioning.policy import Cap, Contact, Exploration, Groups, Rule, Rules
from decisioning.preferences import Preference
from decisioning.trace import Weighed
from tests import worlds
from tests.worlds import NOW, decided

ANGRY = Emotion(valence=-0.9, intensity=0.9, confidence=1.0, at=NOW)
CATALOG = worlds.catalog(
    worlds.action("coupon_bakery", value=12.0, lever=2.0, topics=("bakery",)),
    worlds.action("coupon_produce", value=6.0),
    worlds.action("thanks", job="celebrate", group="care", value=8.0),
    worlds.action("stale", valid_until=NOW),
    worlds.action("no_consent", purpose="nothing"),
    worlds.action("irrelevant", relevant=parse("profile.points >= 5000")),
    worlds.action("spent", budget=1),
)
POLICY = worlds.policy(
    purposes=worlds.policy().purposes | {"nothing": replace(worlds.policy().purposes["marketing"], default=False)},
    rules=Rules(suitability=(Rule(rule="gold_only", require=parse("profile.tier = gold"), says="Only gold."),)),
)
ONE_A_WEEK = worlds.policy(contact=Contact(caps=(Cap(rule="one_a_week", most=1, within=timedelta(days=7)),)))
SITUATIONS: dict[str, dict[str, Any]] = {
    "best": {},
    "explored": {"policy": replace(POLICY, exploration=Exploration(mass=0.99)), "request": worlds.request(decision_id="d0")},
    "random": {"policy": replace(POLICY, groups=Groups(random=1.0))},
    "control": {"policy": replace(POLICY, groups=Groups(control=1.0))},
    "stranger": {"state": worlds.state(known=False), "profile": worlds.profile().limited_to(frozenset())},
    "complaint": {"state": worlds.state(open_complaints=("c1",))},
    "anger": {"state": worlds.state(emotion=ANGRY)},
    "no consent": {"state": worlds.state(consents={})},
    "not worth it": {"predictions": worlds.predictions(CATALOG, 0.0)},
    "hardship": {"state": worlds.state(hardship=Episode(opened_at=NOW - timedelta(days=1)))},
    "pause": {"state": worlds.state(preferences={"pause": Preference(at=NOW, until=NOW + timedelta(days=9))})},
    "wait": {
        "policy": replace(ONE_A_WEEK, purposes=POLICY.purposes),
        "state": worlds.state(contacts=(worlds.contact(NOW - timedelta(days=6)),)),
        "request": worlds.request(touchpoint="email"),
    },
}


def told(**changes: Any) -> Decision:
    return decided(CATALOG, **({"policy": POLICY, "stock": {"spent": 0}} | changes))


def weighed(**changes: Any) -> Weighed:
    """What such a decision was made of."""
    trace = told(**changes).trace
    assert isinstance(trace, Weighed)
    return trace


def customer(decision: Decision, predict: Any = None) -> Any:
    """What is told of the first place."""
    return for_customer(decision, predict)["results"][0]
