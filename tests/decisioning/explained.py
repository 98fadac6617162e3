"""A small brand and its decisions, for tests of every kind of explanation."""

from dataclasses import replace
from typing import Any

from decisioning.conditions import parse
from decisioning.customer import Emotion
from decisioning.domain import Decision
from decisioning.policy import Rule, Rules
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


def told(**changes: Any) -> Decision:
    return decided(CATALOG, **({"policy": POLICY, "stock": {"spent": 0}} | changes))


def weighed(**changes: Any) -> Weighed:
    """What such a decision was made of."""
    trace = told(**changes).trace
    assert isinstance(trace, Weighed)
    return trace
