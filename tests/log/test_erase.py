"""Erasing a customer in the log: what is gone, what stays, and that the chain does not notice."""

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from decisioning.customer import State
from features.log import Conflict, Log, StateRules
from features.log.offers import evidence, outbox
from tests.log.writing import DAY, RULES, decision, event, in_a_file, linked, offer, outcome
from tests.worlds import NOW

SECRET = "a-word-nobody-else-uses"


def filled(log: Log) -> None:
    """Of customer 1029 an event, a decision and its outcomes, and two of another; and a record of nobody."""
    log.append([event("Complaint Opened", note=SECRET), decision(), outcome("shown")])
    log.append(
        [event("Complaint Opened", message_id="b1", customer="b"), replace(event("A", message_id="n"), customer_id=None)]
    )
    log.append([decision(decision_id="d2", customer="b", touchpoint="email"), outcome("accepted")])


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.name.startswith("log.db"))


def test_an_erased_customer_is_gone_from_all_that_is_read(log: Log) -> None:
    filled(log)
    receipt = log.erase("1029", at=NOW)
    assert receipt is not None
    assert (receipt.records, receipt.states, receipt.offers, receipt.sequence) == (4, 1, 1, 8)
    assert log.state("1029") == (State(customer_id="1029"), 0)
    assert [record.message_id for record in log.read()] == ["b1", "n", "d2", receipt.receipt_id]
    assert [record.message_id for record in log.read(limit=1)] == ["b1"]
    assert log.columns()["customer_id"] == ["b", None, "b", None]
    assert (log.record("m1"), log.erased(), log.last_sequence()) == (None, 4, 8)
    latest = log.latest("event")
    assert latest is not None and latest.message_id == "n"
    (entry,) = log.query(lambda connection: outbox(connection, due_before=NOW + DAY, now=NOW - timedelta(hours=1)))
    assert entry.decision_id == "d2"


def test_the_latest_of_a_kind_is_the_last_that_can_be_read(log: Log) -> None:
    log.append([event("A", customer="b"), event("B", message_id="m2")])
    log.erase("1029", at=NOW)
    latest = log.latest("event")
    assert latest is not None and latest.message_id == "m1"


def test_the_chain_and_all_that_is_kept_verify_after_an_erasure(log: Log) -> None:
    filled(log)
    before = log.query(evidence).evidence
    log.erase("1029", at=NOW)
    verdict = log.verify()
    assert verdict.fault is None
    assert (verdict.records, verdict.erased, verdict.customers) == (8, 4, 1)
    assert log.query(evidence).evidence == before  # what was learned names nobody


def test_the_erasure_is_a_record_that_names_nobody(log: Log) -> None:
    filled(log)
    receipt = log.erase("1029", at=NOW)
    record = log.latest("erasure")
    assert receipt is not None and record is not None
    assert (record.customer_id, record.message_id, record.event_time) == (None, receipt.receipt_id, NOW)
    assert {name: record.body[name] for name in ("owner", "records", "states", "offers")} == {
        "owner": receipt.owner,
        "records": 4,
        "states": 1,
        "offers": 1,
    }
    assert b"1029" not in record.payload


@in_a_file
def test_nothing_of_an_erased_customer_can_be_found_on_the_disk(log: Log, tmp_path: Path) -> None:
    log.append([event("Complaint Opened", customer="customer-1029", complaint_id=SECRET)])
    identify = b'{"type":"identify","traits":{"first_name":"' + SECRET.encode() + b'"}}'
    log.append([replace(event("x", message_id="m2", customer="customer-1029"), payload=identify)])
    assert SECRET.encode() in bytes_on_disk(tmp_path)  # in the state, which is not sealed
    log.erase("customer-1029", at=NOW)
    left = bytes_on_disk(tmp_path)
    assert SECRET.encode() not in left
    assert b"customer-1029" not in left


@in_a_file
def test_where_a_reader_keeps_the_disk_from_being_overwritten_the_receipt_says_so_and_the_next_erasure_does_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("features.log.databases._WAIT_S", 1)
    log = Log(url, RULES)
    log.append([event("Complaint Opened", customer="customer-1029", complaint_id=SECRET)])
    reader = log.read()
    next(reader)
    receipt = log.erase("customer-1029", at=NOW)
    assert receipt is not None and "could not be overwritten" in receipt.remains
    assert SECRET.encode() in bytes_on_disk(tmp_path)
    reader.close()  # type: ignore[attr-defined]
    assert log.erase("customer-1029", at=NOW) is None
    assert SECRET.encode() not in bytes_on_disk(tmp_path)
    log.close()


def test_where_a_server_is_kept_from_overwriting_the_receipt_says_so(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.log.databases._WAIT_S", 1)
    log = Log(empty, RULES)
    log.append([event("A"), event("A", message_id="b1", customer="b")])
    with psycopg.connect(empty) as other:
        other.execute("LOCK TABLE customers IN SHARE UPDATE EXCLUSIVE MODE")
        receipt = log.erase("1029", at=NOW)
    assert receipt is not None and "could not be overwritten" in receipt.remains
    again = log.erase("b", at=NOW)
    assert again is not None and "could not be overwritten" not in again.remains
    assert log.verify().fault is None
    log.close()


@in_a_file
def test_payloads_on_the_disk_are_sealed(log: Log, tmp_path: Path) -> None:
    log.append([event("A", note=SECRET)])
    assert SECRET.encode() not in bytes_on_disk(tmp_path)


def test_the_same_id_starts_afresh_and_old_message_ids_stay_taken(log: Log) -> None:
    filled(log)
    log.erase("1029", at=NOW)
    assert log.append([event("Complaint Opened"), event("A", message_id="m9")]) == [False, True]
    assert log.state("1029")[0] == State(customer_id="1029", known=True)
    assert log.verify().whole
    again = log.erase("1029", at=NOW)
    assert again is not None and again.records == 1
    assert log.verify().whole


def test_what_was_decided_from_an_erased_state_is_a_conflict_even_where_the_id_starts_afresh(log: Log) -> None:
    log.append([event("A")])
    _, seen = log.state("1029")
    log.erase("1029", at=NOW)
    log.append([event("B", message_id="m2")])
    with pytest.raises(Conflict):
        log.append([decision()], expecting={"1029": seen})


def test_that_holds_too_where_new_rules_have_raised_the_version_without_any_record(log: Log) -> None:
    log.append([event("Complaint Opened")])
    for rules in (StateRules(), RULES) * 2:
        log.follow(rules)
    _, seen = log.state("1029")
    assert seen == 5
    log.erase("1029", at=NOW)
    for at in range(3):  # the third would be of version 5, were they counted from the erasure's record
        log.append([event("Complaint Opened", message_id=f"n{at}", complaint_id=f"n{at}")])
        assert log.state("1029")[1] > seen
    assert log.verify().fault is None


def test_who_was_never_heard_of_or_is_erased_already_leaves_no_record(log: Log) -> None:
    log.append([event("A")])
    assert log.erase("nobody", at=NOW) is None
    assert log.erase("1029", at=NOW) is not None
    assert log.erase("1029", at=NOW) is None
    assert log.last_sequence() == 2


def test_another_process_that_knew_the_key_reads_the_records_no_more(log: Log, url: str) -> None:
    log.append([event("A")])
    other = Log(url, RULES)
    assert len(list(other.read())) == 1
    log.erase("1029", at=NOW)
    assert [record.kind for record in other.read()] == ["erasure"]
    other.append([event("B", message_id="m2")])
    assert [record.message_id for record in log.read(kinds=("event",))] == ["m2"]
    assert log.verify().whole
    other.close()


# --------------------------------------------------------------------------------------------------- a customer of several ids


def merged(log: Log) -> None:
    """Customer anna with a device and an old id, and bob, who used the device later."""
    log.append([event("Complaint Opened", customer="anonymous:x", note=SECRET), decision(customer="anonymous:x")])
    log.append(
        [
            linked("anonymous:x", "anna", message_id="l1"),
            linked("old-anna", "anna", message_id="l2"),
            event("A", message_id="m2", customer="old-anna"),
        ]
    )
    log.append([event("A", message_id="m3", customer="bob"), linked("anonymous:x", "bob", at=NOW + DAY)])


@pytest.mark.parametrize("asked", ["anna", "old-anna", "anonymous:x"])
def test_whoever_is_erased_is_erased_under_all_their_ids(asked: str, log: Log) -> None:
    merged(log)
    receipt = log.erase(asked, at=NOW)
    assert receipt is not None
    assert receipt.members == ("anna", "anonymous:x", "old-anna")
    assert (receipt.records, receipt.states, receipt.offers, receipt.links, len(receipt.owners)) == (5, 1, 1, 2, 3)
    for one in ("anna", "old-anna"):
        assert log.state(one) == (State(customer_id=one), 0)
    assert [record.customer_id for record in log.read(kinds=("event", "decision", "identity"))] == ["bob", "bob"]
    assert log.verify().fault is None
    told = log.latest("erasure")
    assert told is not None and told.body["owners"] == list(receipt.owners) and b"anna" not in told.payload


def test_a_device_that_another_customer_used_later_is_theirs_then_with_nothing_of_before(log: Log) -> None:
    merged(log)
    _, seen = log.state("bob")
    log.erase("anna", at=NOW)
    state, version = log.state("anonymous:x")
    assert (state.customer_id, state.members, state.open_complaints) == ("bob", ("anonymous:x",), ())
    assert version > seen
    log.append([event("Complaint Opened", message_id="m9", customer="anonymous:x", complaint_id="c9")])
    assert log.state("bob")[0].open_complaints == ("c9",)
    assert log.verify().fault is None


def test_the_one_who_used_a_device_later_is_erased_without_its_owner(log: Log) -> None:
    merged(log)
    receipt = log.erase("bob", at=NOW)
    assert receipt is not None and (receipt.members, receipt.links) == (("bob",), 1)
    assert log.state("anonymous:x")[0].customer_id == "anna"
    assert log.verify().fault is None


@in_a_file
def test_nothing_of_a_customer_of_several_ids_can_be_found_on_the_disk(log: Log, tmp_path: Path) -> None:
    ids = ("anonymous:device-1029", "customer-1029", "loyalty-1029")
    log.append(
        [event("Complaint Opened", message_id=f"m{at}", customer=one, complaint_id=SECRET) for at, one in enumerate(ids)]
    )
    log.append([linked(ids[0], ids[1], message_id="l1"), linked(ids[2], ids[1], message_id="l2")])
    assert all(one.encode() in bytes_on_disk(tmp_path) for one in ids)
    log.erase(ids[2], at=NOW)
    left = bytes_on_disk(tmp_path)
    assert not any(one.encode() in left for one in (*ids, SECRET))


def test_what_other_tables_must_forget_is_remembered_until_they_have_and_cannot_be_read_on_the_disk(
    log: Log, tmp_path: Path
) -> None:
    merged(log)
    receipt = log.erase("old-anna", at=NOW)
    assert receipt is not None
    for one in receipt.members:
        (pending,) = log.pending(one)
        assert (pending.receipt_id, pending.sequence, pending.members) == (
            receipt.receipt_id,
            receipt.sequence,
            receipt.members,
        )
    assert log.pending("bob") == []
    assert b"old-anna" not in bytes_on_disk(tmp_path)
    log.finish(receipt.receipt_id)
    assert log.pending("anna") == []


def test_ids_of_an_erased_customer_start_afresh_apart(log: Log) -> None:
    merged(log)
    log.erase("anna", at=NOW)
    log.append([event("A", message_id=f"n-{one}", customer=one) for one in ("anna", "old-anna")])
    assert [log.state(one)[0].customer_id for one in ("anna", "old-anna")] == ["anna", "old-anna"]
    log.append([linked("old-anna", "anna", message_id="again")])
    assert log.state("old-anna")[0].customer_id == "anna"
    assert log.verify().fault is None


@in_a_file
def test_a_customer_of_more_ids_than_a_statement_may_name_is_erased(log: Log) -> None:
    devices = [f"anonymous:{at}" for at in range(700)]
    log.append([event("A", message_id=one, customer=one) for one in devices])
    log.append([linked(one, "anna") for one in devices])

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 600)

    sa.event.listen(log._engine, "checkout", limit)
    receipt = log.erase("anna", at=NOW)
    assert receipt is not None
    assert (len(receipt.members), len(receipt.owners), receipt.records, receipt.states) == (701, 701, 1400, 1)
    assert log.verify().fault is None


DIES = """
import os, sys
import features.log.erase as erasing
from features.log import Conflict, Log
from tests.log.writing import RULES
from tests.worlds import NOW

erasing.sealed.write = lambda *_, **__: os._exit(9)  # the key is deleted, nothing is committed
Log(sys.argv[1], RULES).erase("1029", at=NOW)
"""


def test_a_process_that_is_killed_while_erasing_has_erased_nothing(log: Log, url: str) -> None:
    filled(log)
    before = list(log.read())
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", DIES, url], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, check=False)
    assert ended.returncode == 9
    assert list(log.read()) == before
    assert log.verify().whole
    assert log.erase("1029", at=NOW) is not None


@pytest.mark.parametrize("customer", ["1029", "b"])
def test_an_offer_that_was_shown_to_an_erased_customer_frees_its_budget(log: Log, customer: str) -> None:
    log.append([decision(offer(), customer=customer)], budgets={"coupon": 1})
    log.erase(customer, at=NOW)
    assert log.append([decision(offer(), decision_id="d2", customer="c")], budgets={"coupon": 1}) == [True]
