"""Appending: once, whole or not at all, with the state it implies; and reading what was appended."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.customer import State
from decisioning.domain import Evidence
from features.log import Conflict, Log, LogUnavailable, Record
from features.log.databases import engine_for
from features.log.offers import evidence, taken
from features.log.state import fold
from tests.log.writing import DAY, RULES, decision, event, offer, outcome
from tests.worlds import NOW

# ------------------------------------------------------------------------------------------------------------------- once


def test_a_record_is_appended_once_however_often_it_is_sent(log: Log) -> None:
    records = [event("A", message_id="m1"), event("B", message_id="m2")]
    assert log.append(records) == [True, True]
    assert log.append([*records, event("C", message_id="m3")]) == [False, False, True]
    assert [record.message_id for record in log.read()] == ["m1", "m2", "m3"]


def test_a_record_that_comes_twice_in_one_batch_is_appended_once(log: Log) -> None:
    opened = event("Complaint Opened", message_id="m1")
    assert log.append([opened, event("A", message_id="m2"), opened]) == [True, True, False]
    assert log.last_sequence() == 2


def test_the_first_record_of_an_id_stands(log: Log) -> None:
    log.append([event("First")])
    log.append([event("Second")])
    kept = log.record("m1")
    assert kept is not None and kept.body["event"] == "First"


def test_a_repeated_outcome_teaches_nothing_again(log: Log) -> None:
    log.append([decision(), outcome("shown")])
    log.append([decision(), outcome("shown")])
    assert log.query(evidence).of("coupon", "app_home").shows == 1


def test_many_records_are_appended_at_once(log: Log) -> None:
    records = [event("A", message_id=f"m{at}", customer=f"c{at % 700}") for at in range(1_500)]
    assert all(log.append(records))
    assert not any(log.append(records))
    assert log.last_sequence() == 1_500
    assert log.state("c699")[0].known


def test_no_records_are_no_work(log: Log) -> None:
    assert log.append([]) == []


# ---------------------------------------------------------------------------------------------------- state, in one commit


def test_the_state_is_there_as_soon_as_the_record_is(log: Log) -> None:
    assert log.state("1029") == (State(customer_id="1029"), 0)
    log.append([event("Complaint Opened", complaint_id="c1")])
    state, version = log.state("1029")
    assert (state.open_complaints, version) == (("c1",), 1)


def test_a_version_moves_when_the_state_does_and_not_otherwise(log: Log) -> None:
    log.append([event("A", message_id="m1")])
    log.append([event("B", message_id="m2")])
    assert log.state("1029")[1] == 1
    log.append([event("Complaint Opened", message_id="m3")])
    assert log.state("1029")[1] == 2


def test_a_record_of_nobody_changes_nobody(log: Log) -> None:
    log.append([replace(event("A"), customer_id=None)])
    assert log.last_sequence() == 1
    assert log.state("1029")[1] == 0


def broken(*_: Any) -> None:
    raise RuntimeError("the disk is on fire")


def untouched(log: Log) -> bool:
    return (log.last_sequence(), log.state("1029")[1], dict(log.query(evidence).evidence)) == (0, 0, {})


@pytest.mark.parametrize("where", ["features.log.state.fold", "features.log.offers.follow"])
def test_what_fails_half_way_leaves_nothing(log: Log, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(where, broken)
        with pytest.raises(RuntimeError):
            log.append([event("Complaint Opened"), decision()])
    assert untouched(log)
    assert log.append([event("Complaint Opened"), decision()]) == [True, True]


DIES = """
import os, sys
from features.log import Log, offers
from tests.log.writing import decision, event, RULES

log = Log(sys.argv[1], RULES)
offers.follow = lambda *_: os._exit(9)  # after records and state were written, before they are committed
log.append([event("Complaint Opened"), decision()])
"""


def test_a_process_that_is_killed_while_appending_leaves_nothing(log: Log, url: str) -> None:
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", DIES, url], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, check=False)
    assert ended.returncode == 9
    assert untouched(log)
    assert log.append([event("Complaint Opened"), decision()]) == [True, True]


# --------------------------------------------------------------------------------------------------------------- conflict


def test_a_decision_made_from_a_state_that_has_changed_is_a_conflict_and_leaves_nothing(log: Log) -> None:
    log.append([event("A")])
    _, seen = log.state("1029")
    log.append([event("Complaint Opened", message_id="m2")])
    with pytest.raises(Conflict):
        log.append([decision()], expecting={"1029": seen})
    assert log.record("d1") is None
    assert log.state("1029")[0].contacts == ()
    assert log.append([decision()], expecting={"1029": log.state("1029")[1]}) == [True]


def test_two_decisions_from_the_same_state_cannot_both_reserve(log: Log) -> None:
    _, seen = log.state("1029")
    log.append([decision()], expecting={"1029": seen})
    with pytest.raises(Conflict):
        log.append([decision(decision_id="d2")], expecting={"1029": seen})


def test_a_decision_that_is_there_already_is_no_conflict(log: Log) -> None:
    _, seen = log.state("1029")
    log.append([decision()], expecting={"1029": seen})
    assert log.append([decision()], expecting={"1029": seen}) == [False]


def test_what_is_one_thing_is_new_as_a_whole_or_not_at_all(log: Log) -> None:
    first, second = event("Order Completed", message_id="a"), event("Order Completed", message_id="b")
    log.append([first])
    with pytest.raises(Conflict):
        log.append([first, second], whole=True)
    assert log.last_sequence() == 1
    assert log.append([second, event("Order Completed", message_id="c")], whole=True) == [True, True]
    assert log.append([first, second], whole=True) == [False, False]


def test_the_last_of_a_budget_goes_to_one_only(log: Log) -> None:
    log.append([decision(customer="a", decision_id="da")], budgets={"coupon": 1})
    with pytest.raises(Conflict, match="budget"):
        log.append([decision(customer="b", decision_id="db")], budgets={"coupon": 1})
    assert log.record("db") is None
    assert log.state("b") == (State(customer_id="b"), 0)
    assert log.query(lambda connection: taken(connection, ["coupon"], NOW)) == {"coupon": 1}


def test_a_reservation_that_expired_unseen_gives_its_budget_back(log: Log) -> None:
    log.append([decision(customer="a", decision_id="da")], budgets={"coupon": 1})
    later = decision(customer="b", decision_id="db", at=NOW + 7 * DAY)
    assert log.append([later], budgets={"coupon": 1}) == [True]


# ---------------------------------------------------------------------------------------------------------------- reading

MIXED = [
    event("A", message_id="m1"),
    decision(),
    outcome("shown", at=NOW + timedelta(microseconds=7)),
    replace(event("B", message_id="m2", at=NOW - DAY, customer="b"), known_time=NOW + DAY),
]


def test_what_is_read_is_what_was_appended_in_its_order(log: Log) -> None:
    log.append(MIXED)
    assert list(log.read()) == [replace(record, sequence=at) for at, record in enumerate(MIXED, start=1)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [1, 2, 3, 4]),
        ({"after": 2}, [3, 4]),
        ({"after": 4}, []),
        ({"kinds": ("event",)}, [1, 4]),
        ({"kinds": ("event", "outcome"), "after": 1}, [3, 4]),
        ({"limit": 2}, [1, 2]),
    ],
)
def test_a_reader_takes_what_it_asks_for(log: Log, asked: dict[str, Any], found: list[int]) -> None:
    log.append(MIXED)
    assert [record.sequence for record in log.read(**asked)] == found
    if "limit" not in asked:
        assert log.columns(**asked)["sequence"] == found


def test_columns_are_the_records_side_by_side(log: Log) -> None:
    log.append(MIXED)
    columns = log.columns()
    assert columns["kind"] == ["event", "decision", "outcome", "event"]
    assert columns["customer_id"] == ["1029", "1029", "1029", "b"]
    assert columns["payload"] == [record.payload for record in MIXED]
    assert [known - event for known, event in zip(columns["known_us"], columns["event_us"], strict=True)] == [
        *(0, 0, 0),
        2 * DAY // timedelta(microseconds=1),
    ]
    assert columns["event_us"][2] - columns["event_us"][1] == 7


def test_an_empty_log_has_its_columns_and_no_records(log: Log) -> None:
    assert log.columns() == {name: [] for name in ("sequence", "kind", "customer_id", "event_us", "known_us", "payload")}
    assert (log.last_sequence(), log.record("m1"), log.latest("event")) == (0, None, None)


def test_the_latest_of_a_kind_is_the_last_that_came(log: Log) -> None:
    log.append(MIXED)
    latest = log.latest("event")
    assert latest is not None and latest.message_id == "m2"


def test_a_setting_is_kept_once(log: Log, url: str) -> None:
    assert log.setting("clock") is None
    assert log.set_once("clock", "first") == "first"
    again = Log(url)
    assert again.set_once("clock", "second") == again.setting("clock") == "first"
    again.close()


def test_what_was_appended_is_there_for_the_next_process(log: Log, url: str) -> None:
    log.append(MIXED)
    log.close()
    again = Log(url, RULES)
    assert [record.sequence for record in again.read()] == [1, 2, 3, 4]
    assert again.append(MIXED) == [False] * 4
    again.close()


# --------------------------------------------------------------------------------------------------------------- together


def in_threads(*work: Callable[[], None]) -> None:
    """Run at once; a failure in any is a failure of the test."""
    failed: list[BaseException] = []
    start = threading.Barrier(len(work))

    def run(one: Callable[[], None]) -> None:
        start.wait()
        try:
            one()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_two_that_append_at_once_lose_nothing(log: Log, url: str) -> None:
    other = Log(url, RULES)

    def write(through: Log, name: str) -> None:
        for at in range(40):
            through.append([event("Complaint Opened", message_id=f"{name}{at}", complaint_id=f"{name}{at}")])

    in_threads(lambda: write(log, "a"), lambda: write(log, "b"), lambda: write(other, "c"))
    other.close()
    assert [record.sequence for record in log.read()] == list(range(1, 121))
    state, version = log.state("1029")
    assert (len(state.open_complaints), version) == (120, 120)


def test_of_many_who_decide_at_once_only_as_many_reserve_as_may(log: Log) -> None:
    """Each reads, decides and appends; who meets a conflict reads again. No update is lost, and the budget holds."""
    taken_by: list[str] = []

    def decide(name: str) -> None:
        for at in range(10):
            made = decision(decision_id=f"{name}{at}")
            while True:
                _, version = log.state("1029")
                try:
                    log.append([made], expecting={"1029": version}, budgets={"coupon": 12})
                except Conflict as conflict:
                    if "budget" in str(conflict):
                        break
                else:
                    taken_by.append(made.message_id)
                    break

    in_threads(lambda: decide("a"), lambda: decide("b"))
    assert len(taken_by) == len(log.state("1029")[0].contacts) == log.state("1029")[1] == 12


steps = st.lists(
    st.one_of(
        st.builds(
            lambda name, at: ("event", name, at),
            st.sampled_from(["Complaint Opened", "Complaint Closed", "Satisfaction Rated", "Order Completed"]),
            st.integers(0, 20),
        ),
        st.builds(lambda at: ("decision", "", at), st.integers(0, 5)),
        st.builds(
            lambda kind, at: ("outcome", kind, at),
            st.sampled_from(["shown", "accepted", "rejected", "complained", "unsubscribed", "bounced"]),
            st.integers(0, 5),
        ),
    ),
    max_size=25,
)


def made(step: tuple[str, str, int], at: int) -> Record:
    kind, name, number = step
    moment = NOW + timedelta(hours=at - number)
    if kind == "event":
        return event(name, message_id=f"m{number}", at=moment, rating=number % 5 + 1, customer=f"c{number % 2}")
    customer = f"c{number % 2}"
    if kind == "decision":
        return decision(offer(at=moment), decision_id=f"d{number}", customer=customer, at=moment)
    return replace(outcome(name, message_id=f"{name}{number}", decision_id=f"d{number}", at=moment), customer_id=customer)


@given(steps, st.integers(1, 5))
def test_the_state_that_is_kept_is_the_one_that_folding_the_log_gives(history: list[tuple[str, str, int]], batch: int) -> None:
    log = Log("sqlite://", RULES)
    records = [made(step, at) for at, step in enumerate(history)]
    for start in range(0, len(records), batch):
        log.append(records[start : start + batch])
    kept = list(log.read())
    for customer in ("c0", "c1"):
        theirs = [record for record in kept if record.customer_id == customer]
        folded = reduce(lambda state, record: fold(state, record, RULES), theirs, State(customer_id=customer))
        assert log.state(customer)[0] == folded
    again = Log("sqlite://", RULES)
    again.append([replace(record, sequence=0) for record in kept])
    assert again.query(evidence) == log.query(evidence)
    log.close()
    again.close()


# ---------------------------------------------------------------------------------------------------------------- trouble


def test_a_file_that_is_no_log_is_an_unavailable_log(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_text("this is not a database, and it is long enough to be seen as none" * 20)
    with pytest.raises(LogUnavailable, match="not a database"):
        Log(f"sqlite:///{tmp_path / 'log.db'}")


def test_a_log_that_another_holds_too_long_is_unavailable_and_nothing_was_acknowledged(log: Log, url: str) -> None:
    hurry = "PRAGMA busy_timeout = 50" if url.startswith("sqlite") else "SET lock_timeout = 50"
    log.query(lambda connection: connection.exec_driver_sql(hurry))
    engine = engine_for(url)
    holds = engine.connect().execution_options(writes=True)
    with holds, holds.begin(), pytest.raises(LogUnavailable, match=r"locked|lock timeout"):
        log.append([event("A")])
    engine.dispose()
    assert log.append([event("A")]) == [True]


def test_the_folder_of_a_log_is_made(tmp_path: Path) -> None:
    Log(f"sqlite:///{tmp_path / 'deep' / 'down' / 'log.db'}").close()
    assert (tmp_path / "deep" / "down" / "log.db").exists()


def test_evidence_of_nothing_is_empty(log: Log) -> None:
    assert log.query(evidence).of("coupon", "app_home") == Evidence()
