"""What nobody has said yet counts from the next decision on: promises that came due, and data that are contested."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from decisioning.customer import Profile
from decisioning.domain import Predictions
from features.log import decisions
from features.log.forms import recorded
from features.log.inputs import inputs_of
from serving.app import create_app
from serving.clock import HeldClock
from serving.settings import Settings
from tests.log.writing import DAY
from tests.serving.conftest import Shop


def say(shop: Shop, kind: Any, message_id: str, *, customer: str = "anna", **body: Any) -> None:
    now = shop.ports.clock.now()
    shop.log.append([recorded(kind, {"customer_id": customer} | body, message_id=message_id, at=None, now=now)])


def promise(shop: Shop, name: str, *, due: timedelta = DAY) -> None:
    due_at = shop.ports.clock.now() + due
    say(shop, "promise", name, promise_id=name, by="Kim", what="We call you.", due=due_at, action="bread", make_good="sorry")


@contextmanager
def later(shop: Shop, by: timedelta, **ports: Any) -> Any:
    """The same shop some time later."""
    moved = replace(shop.ports, clock=HeldClock(shop.ports.clock.now() + by), **ports)
    with TestClient(create_app(Settings(salt="test"), moved)) as client:
        yield replace(shop, client=client, ports=moved)


def words(shop: Shop, name: str) -> list[tuple[str, str, str]]:
    """What the log has of a promise after it was made: by whom, what, and under which message id."""
    records = [one for one in shop.log.read(kinds=("promise",)) if one.body["promise_id"] == name]
    return [(one.body["by"], one.body.get("status", "open"), one.message_id) for one in records[1:]]


def test_who_decides_first_after_a_promise_came_due_records_that_it_was_broken_once(shop: Shop) -> None:
    shop.known()
    promise(shop, "p1")
    promise(shop, "p2", due=3 * DAY)
    shop.decide()
    assert words(shop, "p1") == []
    with later(shop, 2 * DAY) as then:
        made = [then.decide(touchpoint=touchpoint) for touchpoint in ("app", "phone", "app")]
        assert all(one["logged"] for one in made)
        assert words(shop, "p1") == [("kairos", "broken", "p1:breach")]
        assert words(shop, "p2") == []
        breach = shop.log.record("p1:breach")
        assert breach is not None
        assert (breach.event_time, breach.known_time) == (shop.ports.clock.now() + DAY, then.ports.clock.now())
        assert shop.log.state("anna")[0].promises["p1"].presumed
        # it stands with the first of the decisions, whole or not at all
        first = shop.log.record(made[0]["decision_id"])
        assert first is not None and breach.sequence == first.sequence + 1
    assert shop.log.verify().fault is None


def test_to_simulate_records_no_breach(shop: Shop) -> None:
    shop.known()
    promise(shop, "p1")
    with later(shop, 2 * DAY) as then:
        then.decide(mode="simulate")
    assert words(shop, "p1") == []


class Outrun:
    """The shop's log, in which another decision on the same customer lands just before the first one that is appended."""

    def __init__(self, other: Shop) -> None:
        self._other, self._outran = other, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other.log, name)

    def append(self, records: Any, **more: Any) -> list[bool]:
        if not self._outran:
            self._outran = True
            self._other.decide(touchpoint="phone", decision_id="won")
        return self._other.log.append(records, **more)


def test_of_two_who_see_a_breach_at_once_one_records_it(shop: Shop) -> None:
    shop.known()
    promise(shop, "p1")
    with later(shop, 2 * DAY) as then, later(shop, 2 * DAY, log=Outrun(then)) as lost:
        assert lost.decide(decision_id="lost")["logged"]
    won, breach, second = (shop.log.record(name) for name in ("won", "p1:breach", "lost"))
    assert won is not None and breach is not None and second is not None
    assert won.sequence < breach.sequence < second.sequence
    assert words(shop, "p1") == [("kairos", "broken", "p1:breach")]


def test_what_makes_good_makes_it_good(shop: Shop) -> None:
    shop.known()
    promise(shop, "p1")
    shop.event("Complaint Opened")
    with later(shop, 2 * DAY) as then:
        made = then.decide()
        (result,) = made["results"]
        assert result["action"] == "sorry"
        then.post("/v1/outcomes", {"message_id": "o", "decision_id": made["decision_id"], "outcome": "accepted"})
        kept = shop.log.state("anna")[0].promises["p1"]
        assert (kept.status, kept.made_good_at) == ("broken", then.ports.clock.now())


class Watched:
    """Models that keep the profiles which they were asked with."""

    def __init__(self, models: Any) -> None:
        self._models = models
        self.seen: list[Profile] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._models, name)

    def predict(self, profile: Profile) -> tuple[Predictions, tuple[str, ...]]:
        self.seen.append(profile)
        answer: tuple[Predictions, tuple[str, ...]] = self._models.predict(profile)
        return answer


@pytest.mark.parametrize("customer", ["anna", "bob"])
def test_what_is_contested_no_rule_and_no_model_sees_from_the_next_decision_on(customer: str, shop: Shop) -> None:
    shop.known("anna")
    shop.known("bob")
    models = Watched(shop.models)
    say(shop, "contest", "c1", feature="orders_30d", by="customer", because="That was my neighbour.")
    with later(shop, timedelta(0), models=models) as then:
        made = then.decide(customer)
    is_contested = customer == "anna"
    assert any(one["rule"] == "has_shopped" for one in made["rejected"]) == is_contested
    _, profile = models.seen  # the first is of the server that warms up
    assert (profile.get("orders_30d") is None) == is_contested
    assert profile.get("points") == 12.0
    # and the record holds what was read: decided again from it, it is the same
    record = shop.log.record(made["decision_id"])
    assert record is not None
    inputs = inputs_of(record, shop.ports.rulebook, salt="test")
    assert (inputs.profile.get("orders_30d") is None) == is_contested
    assert decisions.replayed(record, shop.ports.rulebook, salt="test") == decisions.decision_of(record)


def test_what_is_settled_is_used_again(shop: Shop) -> None:
    shop.known()
    say(shop, "contest", "c1", feature="orders_30d", by="customer", because="That was my neighbour.")
    with later(shop, DAY) as then:
        assert any(one["rule"] == "has_shopped" for one in then.decide()["rejected"])
        say(then, "contest", "c2", feature="orders_30d", by="Kim", settled=True)
        assert then.decide()["results"][0]["action"] == "bread"
