"""Merging in the log: one state a customer, the same whatever came first; never two people through one device."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.customer import State
from features.join import Customer, Joined
from features.log import Conflict, Log, Record
from features.log.identity import link_of
from features.log.offers import outbox
from features.log.state import fold
from tests import worlds
from tests.log.writing import DAY, RULES, decision, event, linked, offer, outcome
from tests.worlds import NOW

X, Y = "anonymous:x", "anonymous:y"
HOUR = timedelta(hours=1)


def consent(customer: str, granted: bool, *, at: datetime = NOW, purpose: str = "marketing") -> Record:
    payload = json.dumps({"purpose": purpose, "granted": granted}).encode()
    name = f"c-{customer}-{purpose}-{granted}-{at.isoformat()}"
    return worlds.record("consent", name, payload, at=at, customer_id=customer)


def identify(customer: str, *, at: datetime = NOW, message_id: str = "", **traits: str) -> Record:
    body = {"type": "identify", "traits": traits}
    name = message_id or f"i-{customer}-{at.isoformat()}-{traits}"
    return worlds.record("event", name, json.dumps(body).encode(), at=at, customer_id=customer)


def of(record: Record, customer: str) -> Record:
    return replace(record, customer_id=customer)


# ------------------------------------------------------------------------------------------------------------- what is kept


def test_what_was_known_of_each_id_is_known_of_the_customer(log: Log) -> None:
    log.append([event("Complaint Opened", customer=X, complaint_id="c1"), identify("anna", first_name="Ada")])
    log.append(
        [
            decision(customer=X),
            of(outcome("rejected"), X),
            of(outcome("unsubscribed"), "anna"),
            decision(offer("b"), decision_id="d2", customer="anna"),
        ]
    )
    log.append([linked(X, "anna")])
    state, _ = log.state(X)
    assert (state.customer_id, state.members) == ("anna", (X,))
    assert (state.open_complaints, state.traits, state.closed_channels) == (("c1",), {"first_name": "Ada"}, ("app",))
    assert [one.action for one in state.contacts] == ["coupon", "b"]  # counted together
    assert [one.action for one in state.refusals] == ["coupon"]
    assert log.state("anna") == log.state(X)
    assert log.verify().fault is None


def test_what_comes_later_under_any_id_is_the_customers(log: Log) -> None:
    log.append([linked(X, "anna"), linked("old", "anna")])
    log.append([event("Complaint Opened", customer=X, complaint_id="c1"), decision(customer="old")])
    log.append([of(outcome("shown"), "old")])
    state, _ = log.state("anna")
    assert state.open_complaints == ("c1",)
    assert [one.confirmed for one in state.contacts] == [True]
    assert log.verify().fault is None


def test_a_merge_keeps_the_strictest_consent_and_a_later_word_counts(log: Log) -> None:
    log.append([consent(X, False), consent("anna", True, at=NOW + HOUR), consent("anna", True, purpose="service")])
    log.append([linked(X, "anna", at=NOW + 2 * HOUR)])
    assert log.state("anna")[0].consents == {"marketing": False, "service": True}
    log.append([consent("anna", True, at=NOW + 3 * HOUR)])
    assert log.state("anna")[0].consents == {"marketing": True, "service": True}
    assert log.verify().fault is None


def test_a_refusal_from_before_a_merge_that_comes_late_still_outweighs(log: Log) -> None:
    log.append([consent("anna", True, at=NOW + HOUR), linked(X, "anna", at=NOW + 2 * HOUR)])
    log.append([consent(X, False, at=NOW)])
    assert log.state("anna")[0].consents == {"marketing": False}
    assert log.verify().fault is None


def test_what_was_told_last_of_a_trait_holds_whichever_came_first(log: Log) -> None:
    log.append([identify("anna", at=NOW + HOUR, first_name="Ada", city="York"), linked(X, "anna")])
    log.append([identify(X, at=NOW, first_name="Bea", city="Bath", locale="en-GB")])
    state, _ = log.state("anna")
    assert state.traits == {"first_name": "Ada", "city": "York", "locale": "en-GB"}
    assert state.locale == "en-GB"


def test_the_group_is_that_of_the_id_that_was_decided_for_first(log: Log) -> None:
    log.append([decision(customer=X), decision(customer="anna", decision_id="d2"), linked(X, "anna")])
    assert log.state("anna")[0].group_id == X
    log.append([decision(customer="anna", decision_id="d3"), linked("old", "anna")])
    assert log.state("anna")[0].group_id == X


def test_a_customer_of_several_ids_for_whom_nothing_was_decided_yet_keeps_the_group_of_the_first_decision(log: Log) -> None:
    log.append([linked(X, "anna"), decision(decision_id="imported", customer=X, origin="imported")])
    assert log.state("anna")[0].group_id is None
    log.append([decision(customer="anna"), linked("anna", "new")])
    assert log.state("anna")[0] == log.state("new")[0]
    assert (log.state("new")[0].customer_id, log.state("new")[0].group_id) == ("new", "anna")
    assert log.verify().fault is None


def test_a_shared_device_moves_to_whom_it_knew_first_when_that_becomes_known(log: Log) -> None:
    log.append(
        [
            event("Complaint Opened", customer=X, complaint_id="c1"),
            linked(X, "b", at=NOW + HOUR),
            event("A", customer="b", message_id="m2"),
        ]
    )
    assert log.state("b")[0].open_complaints == ("c1",)
    log.append([linked(X, "a", at=NOW)])
    assert log.customer(X) == Customer(name="a", members=("a", X))
    assert (log.state("a")[0].open_complaints, log.state("b")[0].open_complaints) == (("c1",), ())
    assert log.state("b")[0].members == ()
    assert log.verify().fault is None


def test_the_outbox_names_the_customer_as_of_now(log: Log) -> None:
    log.append([decision(customer=X, touchpoint="email")])
    log.append([linked(X, "anna")])
    (entry,) = log.query(lambda connection: outbox(connection, due_before=NOW + DAY, now=NOW))
    assert entry.customer_id == "anna"


# ---------------------------------------------------------------------------------------------------------------- conflicts


@pytest.mark.parametrize(
    "before", [(), (event("A", customer=X),), (event("A", customer=X), event("B", message_id="m2", customer="anna"))]
)
def test_what_was_decided_for_an_id_before_it_became_another_customers_is_a_conflict(
    before: tuple[Record, ...], log: Log
) -> None:
    log.append(before)
    _, seen = log.state(X)
    log.append([linked(X, "anna")])
    with pytest.raises(Conflict):
        log.append([decision(customer=X)], expecting={X: seen})
    assert log.record("d1") is None
    assert log.append([decision(customer="anna")], expecting={"anna": log.state(X)[1]}) == [True]


def test_what_was_decided_for_a_customer_before_an_id_joined_or_left_is_a_conflict(log: Log) -> None:
    log.append([event("A", customer="b"), linked(X, "b", at=NOW + HOUR)])
    for number, change in enumerate((linked("old", "b", at=NOW + HOUR), linked(X, "a"))):
        _, seen = log.state("b")
        log.append([change])
        with pytest.raises(Conflict):
            log.append([decision(customer="b", decision_id=f"d{number}")], expecting={"b": seen})


# ------------------------------------------------------------------------------------------------------------ in any order

KNOWN, DEVICES = ("a", "b", "c"), (X, Y)
ids, hours = st.sampled_from((*KNOWN, *DEVICES)), st.integers(0, 5).map(lambda hour: NOW + hour * HOUR)
stars, decided = st.integers(1, 5), st.sampled_from(["d0", "d1", "d2"])
kinds = st.sampled_from(["shown", "rejected", "complained", "unsubscribed"])
told = st.one_of(
    st.builds(lambda one, other, at: linked(one, other, at=at), ids, st.sampled_from(KNOWN), hours),
    st.builds(lambda one, other, at: linked(one, other, at=at, known=at + 3 * HOUR), ids, st.sampled_from(KNOWN), hours),
    st.builds(lambda one, at: event("Complaint Opened", customer=one, at=at, complaint_id="c"), ids, hours),
    st.builds(lambda one, at: event("Complaint Closed", customer=one, at=at, complaint_id="c"), ids, hours),
    st.builds(lambda one, at, stars: event("Satisfaction Rated", customer=one, at=at, rating=stars), ids, hours, stars),
    st.builds(lambda one, at, granted: consent(one, granted, at=at), ids, hours, st.booleans()),
    st.builds(lambda one, at, name: identify(one, at=at, first_name=name), ids, hours, st.sampled_from(["Ada", "Bea"])),
    st.builds(lambda one, at, name: decision(offer(at=at), customer=one, decision_id=name, at=at), ids, hours, decided),
    st.builds(lambda one, at, kind, name: of(outcome(kind, decision_id=name, at=at), one), ids, hours, kinds, decided),
)


def world(records: list[Record]) -> list[Record]:
    """Each with a message id of its own; a decision's is its id, and the same id is the same decision."""
    found: dict[str, Record] = {}
    for number, record in enumerate(records):
        name = record.message_id if record.kind == "decision" else f"n{number}"
        found.setdefault(name, replace(record, message_id=name))
    return list(found.values())


def appended(records: list[Record], batch: int) -> Log:
    log = Log("sqlite://", RULES)
    for start in range(0, len(records), batch):
        log.append(records[start : start + batch])
    return log


@given(st.lists(told, min_size=6, max_size=14).map(world), st.integers(1, 3))
@settings(max_examples=40)
def test_what_is_kept_is_what_the_records_imply_however_they_are_batched(records: list[Record], batch: int) -> None:
    log = appended(records, batch)
    assert log.verify().fault is None
    joined = Joined(link_of(record) for record in records if record.kind == "identity")
    for one in (*KNOWN, *DEVICES):
        assert log.customer(one) == joined.customer(one)
        assert log.state(one)[0].customer_id == joined.customer(one).name
    log.close()


def in_no_order(state: State) -> State:
    """Without what depends on the order of the log by its nature: a message is confirmed by what is heard of it after the
    decision, and the group is that of the first decision."""
    return replace(state, contacts=tuple(replace(one, confirmed=False) for one in state.contacts), group_id=None)


@given(st.lists(told, min_size=6, max_size=14).map(world), st.integers(1, 3), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_a_state_is_the_same_in_whatever_order_the_records_came(records: list[Record], batch: int, chance: Random) -> None:
    log, other = appended(records, 100), appended(chance.sample(records, len(records)), batch)
    for one in (*KNOWN, *DEVICES):
        assert in_no_order(other.state(one)[0]) == in_no_order(log.state(one)[0])
        assert other.customer(one) == log.customer(one)
    assert other.verify().fault is None
    log.close()
    other.close()


def folded(records: list[Record]) -> State:
    return reduce(lambda state, record: fold(state, record, RULES), records, State(customer_id="a", members=("b",)))


@given(st.lists(told, min_size=2, max_size=8).map(world), st.randoms(use_true_random=False))
@settings(max_examples=1_000)
def test_records_fold_to_the_same_in_any_order(records: list[Record], chance: Random) -> None:
    assert in_no_order(folded(records)) == in_no_order(folded(chance.sample(records, len(records))))


LINKS = """
import sys
from features.log import Log
from tests.log.test_merging import paths
from tests.log.writing import RULES

log = Log(sys.argv[1], RULES)
for records in paths(sys.argv[2] == "backwards"):
    log.append(records)
"""


def paths(backwards: bool) -> list[list[Record]]:
    """The same links, between many customers and devices, from the one end or from the other."""
    told = [linked(f"anonymous:{at % 7}", f"k{at % 5}", at=NOW + (at * 7 % 11) * HOUR) for at in range(40)]
    told += [linked(f"k{at % 5}", f"k{at * 3 % 5}", at=NOW + (at * 5 % 13) * HOUR, message_id=f"alias{at}") for at in range(6)]
    told += [
        event("Complaint Opened", message_id=f"e{at}", customer=f"anonymous:{at % 7}", complaint_id=f"{at}") for at in range(30)
    ]
    chosen = told[::-1] if backwards else told
    return [[one] for one in chosen]


def test_two_processes_that_link_in_opposite_order_end_the_same(log: Log, url: str) -> None:
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    running = [
        subprocess.Popen([sys.executable, "-c", LINKS, url, way], cwd=root, env=environment)
        for way in ("forwards", "backwards")
    ]
    assert [process.wait() for process in running] == [0, 0]
    alone = appended([record for records in paths(backwards=False) for record in records], 100)
    for one in [f"k{at}" for at in range(5)] + [f"anonymous:{at}" for at in range(7)]:
        assert log.customer(one) == alone.customer(one)
        assert log.state(one)[0] == alone.state(one)[0]
    assert log.verify().fault is None
    alone.close()
