"""The states follow the rules: folded again where the rules change, wholly or not at all, and for every process."""

import threading
import time
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from decisioning.emotion import Signal
from decisioning.errors import KairosError
from features.log import Conflict, Log, StateRules
from tests.log.writing import RULES, decision, event, linked, offer, outcome, tamper
from tests.worlds import NOW

OTHERS = replace(RULES, signals={"Parcel Lost": Signal(complaint="opened")}, channels={"app_home": "mobile"})


@pytest.fixture
def filled(log: Log) -> Log:
    log.append([event("Parcel Lost", message_id="m1", complaint_id="lost"), decision()])
    log.append([event("Complaint Opened", message_id="m2", customer="b", complaint_id="rude")])
    log.append([event("Order Completed", message_id="m3", customer="c")])
    return log


def told(log: Log) -> dict[str, tuple[tuple[str, ...], tuple[str, ...], int]]:
    """Open complaints, channels of contacts and version of each customer."""
    found = {}
    for name in "1029", "b", "c":
        state, version = log.state(name)
        found[name] = (tuple(state.open_complaints), tuple(one.channel for one in state.contacts), version)
    return found


def test_states_are_folded_again_by_the_rules_that_a_log_is_opened_with(filled: Log, url: str) -> None:
    assert told(filled) == {"1029": ((), ("app",), 1), "b": (("rude",), (), 1), "c": ((), (), 1)}
    other = Log(url, OTHERS)
    # who is the same by both keeps the version
    assert told(other) == {"1029": (("lost",), ("mobile",), 2), "b": ((), (), 2), "c": ((), (), 1)}
    assert other.verify().fault is None
    other.close()


def test_a_process_that_has_the_log_open_goes_on_by_the_rules_that_another_brought(filled: Log, url: str) -> None:
    other = Log(url, OTHERS)
    filled.append([event("Parcel Lost", message_id="m4", customer="c", complaint_id="again")])
    filled.append([event("Complaint Opened", message_id="m5", customer="c", complaint_id="no more")])
    assert filled.state("c")[0].open_complaints == ("again",)
    assert filled.verify().fault is None
    assert other.verify().fault is None
    other.close()


def test_what_is_appended_while_the_rules_change_is_folded_by_those_of_after(filled: Log) -> None:
    going, go = threading.Event(), threading.Event()

    def first(_: sa.Connection) -> None:
        going.set()
        go.wait()

    def append(at: int) -> None:
        filled.append([event("Parcel Lost", message_id=f"w{at}", customer=f"w{at}", complaint_id="lost")])

    works = (lambda: filled._commits.run(first), lambda: filled.follow(OTHERS), *(partial(append, at) for at in range(3)))
    threads = [threading.Thread(target=work) for work in works]
    threads[0].start()
    going.wait()
    for at, thread in enumerate(threads[1:]):
        thread.start()
        while thread.is_alive() and at and len(filled._commits._waiting) < at:
            time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join()
    filled.append([event("Parcel Lost", message_id="w9", customer="w9", complaint_id="lost")])
    assert filled.state("w9")[0].open_complaints == ("lost",)
    assert filled.verify().fault is None


def test_a_log_that_is_opened_without_rules_has_those_it_keeps(filled: Log, url: str) -> None:
    again = Log(url)
    again.append([event("Complaint Opened", message_id="m4", customer="c", complaint_id="c1")])
    assert again.state("c")[0].open_complaints == ("c1",)
    assert again.verify().fault is None
    again.close()


def test_the_same_rules_fold_nothing(filled: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.log.folding.folded_from", lambda *_: pytest.fail("a state was folded again"))
    assert filled.follow(replace(RULES, signals=dict(reversed(RULES.signals.items())))) == 0


def test_how_many_changed_is_told(filled: Log) -> None:
    assert filled.follow(OTHERS) == 2
    assert filled.follow(OTHERS) == 0
    assert filled.follow(RULES) == 2


def test_what_fails_half_way_leaves_the_states_and_the_rules_of_before(filled: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    before = told(filled)
    with monkeypatch.context() as patch:
        patch.setattr("features.log.folding.write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            filled.follow(OTHERS)
    assert told(filled) == before
    assert filled.verify().fault is None
    assert filled.follow(OTHERS) == 2


def test_a_decision_from_a_state_that_was_folded_again_is_a_conflict(filled: Log) -> None:
    _, seen = filled.state("1029")
    filled.follow(OTHERS)
    with pytest.raises(Conflict):
        filled.append([decision(decision_id="d2")], expecting={"1029": seen})


def test_customers_of_several_ids_are_folded_again_as_one(log: Log) -> None:
    log.append([event("Parcel Lost", message_id="m1", customer="anonymous:x", complaint_id="lost")])
    log.append([event("A", message_id="m2", customer="b"), linked("anonymous:x", "b", message_id="l1")])
    assert log.state("b")[0].open_complaints == ()
    assert log.follow(OTHERS) == 1
    state, _ = log.state("anonymous:x")
    assert (state.customer_id, state.members, state.open_complaints) == ("b", ("anonymous:x",), ("lost",))
    assert log.verify().fault is None


def test_a_log_of_before_rules_were_kept_is_folded_when_it_is_opened(filled: Log, url: str) -> None:
    filled.close()
    tamper(url, "DELETE FROM settings WHERE name = 'state_rules'")
    again = Log(url, OTHERS)
    assert again.state("1029")[0].open_complaints == ("lost",)
    assert again.verify().fault is None
    again.close()


def test_states_that_an_older_kairos_folded_in_its_own_way_are_folded_again_once(log: Log, url: str) -> None:
    log.append([decision(offer(mandatory=True)), event("Order Completed", message_id="m3", customer="c")])
    log.close()
    # as it was before mandatory messages took contacts
    tamper(
        url,
        """UPDATE settings SET value = replace(value, '"folding"\\:3', '"folding"\\:1')""",
        """UPDATE customers SET body = '{"customer_id"\\:"1029"}' WHERE customer_id = '1029'""",
    )
    for _ in range(2):
        again = Log(url)
        assert again.verify().fault is None
        assert ([one.mandatory for one in again.state("1029")[0].contacts], again.state("1029")[1]) == ([True], 2)
        assert again.state("c")[1] == 1
        again.close()


def test_states_that_a_newer_kairos_folds_in_its_own_way_are_left_to_it(filled: Log, url: str) -> None:
    filled.close()
    tamper(url, """UPDATE settings SET value = replace(value, '"folding"\\:3', '"folding"\\:4')""")
    with pytest.raises(KairosError, match="newer Kairos; upgrade"):
        Log(url, RULES)


def test_rules_are_kept_as_they_are(log: Log, url: str) -> None:
    log.append([outcome("unsubscribed", at=NOW)])
    for rules in (RULES, OTHERS, StateRules()):
        log.follow(rules)
        again = Log(url)
        assert again._rules == rules
        again.close()
