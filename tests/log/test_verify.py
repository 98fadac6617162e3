"""Verifying: a whole log is found whole, and whatever is broken is found where it broke."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from features.log import Log
from tests.log.writing import RULES, decision, event, linked, outcome
from tests.worlds import NOW


@pytest.fixture
def filled(log: Log) -> Log:
    log.append([event("Complaint Opened"), decision(), outcome("shown")])
    log.append([event("A", message_id="m2", customer="b"), outcome("accepted")])
    log.append([event("A", message_id="m3", customer="gone")])
    log.erase("gone", at=NOW)
    return log


@pytest.fixture
def merged(filled: Log) -> Log:
    filled.append([linked("anonymous:x", "b", message_id="l"), event("A", message_id="m4", customer="anonymous:x")])
    return filled


def test_a_new_log_is_whole(log: Log) -> None:
    verdict = log.verify()
    assert (verdict.whole, verdict.records, verdict.writers, verdict.customers) == (True, 0, 0, 0)


def test_a_log_that_was_written_and_erased_in_is_whole(filled: Log) -> None:
    verdict = filled.verify()
    assert verdict.fault is None
    assert (verdict.records, verdict.erased, verdict.writers, verdict.customers) == (7, 1, 1, 2)
    assert verdict.lines() == [
        "log       whole: 7 records of 1 writers, 1 of them erased; the state of 2 customers is what the records imply"
    ]


def test_each_writer_has_a_chain_of_its_own(filled: Log, url: str) -> None:
    other = Log(url, RULES, writer="other")
    for at in range(3):
        other.append([event("A", message_id=f"o{at}")])
        filled.append([event("A", message_id=f"f{at}")])
    other.close()
    verdict = filled.verify()
    assert (verdict.fault, verdict.records, verdict.writers) == (None, 13, 2)


BROKEN = {
    "a payload changed": ("UPDATE records SET payload = zeroblob(40) WHERE sequence = 2", 2, "changed or removed"),
    "a time moved": ("UPDATE records SET event_us = event_us - 1 WHERE sequence = 3", 3, "changed or removed"),
    "a hash changed": ("UPDATE records SET hash = zeroblob(32) WHERE sequence = 1", 1, "changed or removed"),
    "a record removed": ("DELETE FROM records WHERE sequence = 2", 3, "changed or removed"),
    "the first removed": ("DELETE FROM records WHERE sequence = 1", 2, "changed or removed"),
    "the last removed": ("DELETE FROM records WHERE sequence = 7", 6, "no erasure tells why"),
    "a record of another's": ("UPDATE records SET owner = (SELECT max(owner) FROM records WHERE sequence <> 2) + 1 "
                              "WHERE sequence = 2", 2, "changed or removed"),
    "an erased one opened": ("UPDATE records SET payload = '{}' WHERE sequence = 6", 6, "changed or removed"),
    "a key lost": ("DELETE FROM keys WHERE customer_id = '1029'", 1, "no erasure tells why"),
    "a key damaged": ("UPDATE keys SET wrapped = zeroblob(60) WHERE customer_id = 'b'", 4, "damaged"),
    "a key renamed": ("UPDATE keys SET customer_id = 'z' WHERE customer_id = 'b'", 4, "damaged"),
    "a head removed": ("DELETE FROM writers", None, "last records of writer 'main'"),
    "a state lost": ("DELETE FROM customers WHERE customer_id = '1029'", 5, "not the one its records imply"),
    "a state changed": ("UPDATE customers SET body = (SELECT body FROM customers WHERE customer_id = 'b')", 5, "not the one"),
    "a state of nobody": ("INSERT INTO customers VALUES ('gone', 1, '{\"customer_id\":\"gone\"}')", None, "was erased"),
    "an offer lost": ("DELETE FROM offers", None, "offers kept of decision d1"),
    "an offer changed": ("UPDATE offers SET shown_us = 1", None, "offers kept of decision d1"),
    "evidence lost": ("DELETE FROM learner", None, "evidence kept of coupon at app_home"),
    "evidence too small": ("UPDATE learner SET shows = 0", None, "evidence kept of coupon at app_home"),
}  # fmt: skip


@pytest.mark.parametrize(("breaks", "sequence", "cause"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_found_where_it_broke(
    breaks: str, sequence: int | None, cause: str, filled: Log, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "log.db")
    other.execute(breaks)
    other.commit()
    other.close()
    verdict = filled.verify()
    assert verdict.fault is not None and cause in verdict.fault, verdict.fault
    assert (verdict.sequence, verdict.whole) == (sequence, False)
    assert verdict.lines()[0].startswith("log       broken")


MERGED_BROKEN = {
    "a link lost": ("DELETE FROM links", 8, "links kept"),
    "a link moved": ("UPDATE links SET event_us = event_us - 1", 8, "links kept"),
    "a link of nobody": ("INSERT INTO links VALUES (99, 'c', 'b', 1, 1)", 99, "links kept"),
    "a name lost": ("DELETE FROM identities", None, "names kept"),
    "a name of another": ("UPDATE identities SET name = '1029'", None, "names kept"),
    "a name too many": ("INSERT INTO identities VALUES ('1029', 'b', NULL, NULL)", None, "names kept"),
    "a state under an id that names nobody": (
        "INSERT INTO customers SELECT 'anonymous:x', version, body FROM customers WHERE customer_id = 'b'",
        None,
        "whose id is another customer's",
    ),
    "a merged state changed": (
        "UPDATE customers SET body = '{\"customer_id\":\"b\"}' WHERE customer_id = 'b'",
        8,
        "not the one",
    ),
}


@pytest.mark.parametrize(("breaks", "sequence", "cause"), MERGED_BROKEN.values(), ids=MERGED_BROKEN)
def test_what_is_broken_of_who_is_who_is_found(
    breaks: str, sequence: int | None, cause: str, merged: Log, tmp_path: Path
) -> None:
    assert merged.verify().whole
    other = sqlite3.connect(tmp_path / "log.db")
    other.execute(breaks)
    other.commit()
    other.close()
    verdict = merged.verify()
    assert verdict.fault is not None and cause in verdict.fault, verdict.fault
    assert verdict.sequence == sequence


def test_a_tail_that_was_cut_off_is_missed(log: Log, tmp_path: Path) -> None:
    log.append([event("A", message_id=f"m{at}") for at in range(3)])
    other = sqlite3.connect(tmp_path / "log.db")
    other.execute("DELETE FROM records WHERE sequence = 3")
    other.commit()
    other.close()
    assert log.verify().fault == "the last records of writer 'main' are missing"


def test_a_message_id_that_is_there_twice_is_found(filled: Log, tmp_path: Path) -> None:
    """As where a disk lost the unique index: the table is made again without it."""
    other = sqlite3.connect(tmp_path / "log.db")
    other.executescript("CREATE TABLE copy AS SELECT * FROM records; DROP TABLE records; ALTER TABLE copy RENAME TO records;")
    other.close()
    assert filled.verify().whole
    # written by a Kairos that did not look
    filled._known = lambda connection, ids: set()  # type: ignore[method-assign]
    filled.append([event("A", message_id="m2", customer="b")])
    verdict = filled.verify()
    assert (verdict.fault, verdict.sequence) == ("the message id 'm2' is there twice", 8)


def test_evidence_must_be_exact_while_nobody_is_erased(log: Log, tmp_path: Path) -> None:
    log.append([decision(), outcome("shown")])
    assert log.verify().whole
    other = sqlite3.connect(tmp_path / "log.db")
    other.execute("UPDATE learner SET successes = 5")
    other.commit()
    other.close()
    assert "evidence" in (log.verify().fault or "")


WRITES = """
import sys
from features.log import Log
from tests.log.writing import RULES, decision, event, linked, outcome

log = Log(sys.argv[1], RULES)
for at in range(100_000):
    name = f"{sys.argv[2]}-{at}"
    records = [event("Complaint Opened", message_id=f"m{name}", complaint_id=name, customer=f"c{at % 5}")]
    if at % 3 == 0:
        records += [decision(decision_id=f"d{name}", customer=f"c{at % 5}"), outcome("shown", message_id=f"o{name}")]
    log.append(records)
    print(records[-1].message_id, flush=True)
"""


def test_a_process_that_is_killed_at_any_point_leaves_a_whole_log_with_all_that_it_acknowledged(log: Log, url: str) -> None:
    root = Path(__file__).parents[2]
    for name, seconds in (("a", 0.05), ("b", 0.21), ("c", 0.4)):
        command = [sys.executable, "-c", WRITES, url, name]
        environment = os.environ | {"PYTHONPATH": str(root)}
        with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(seconds)
            writer.send_signal(signal.SIGKILL)
            acknowledged = [first, *writer.stdout]
        # the last line may be cut
        kept = {record.message_id for record in log.read()}
        assert {line.strip() for line in acknowledged if line.endswith("\n")} <= kept
        assert log.verify().fault is None
