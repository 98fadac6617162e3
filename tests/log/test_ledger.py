"""How often the promises of each action were kept: each counts once, whatever is said of it and in which order."""

from datetime import datetime
from itertools import permutations
from random import Random

import pytest

from decisioning.domain import Ledger
from features.log import Log, Record
from features.log.breaches import breaches
from features.log.ledger import kept_of
from tests.log.test_refold import OTHERS
from tests.log.writing import DAY, RULES, ending, event, linked, promise, tamper
from tests.worlds import NOW

LATE = NOW + 2 * DAY


def counts(log: Log) -> dict[str, Ledger]:
    found: dict[str, Ledger] = log.query(kept_of)
    return found


def breach(log: Log, customer: str = "1029", at: datetime = LATE) -> Record:
    (record,) = breaches(log.state(customer)[0], at)
    return record


CASES: dict[str, tuple[tuple[Record, ...], Ledger | None]] = {
    "open": ((promise(),), None),
    "kept in time": ((promise(), ending("kept")), Ledger(ended=1, kept=1)),
    "kept late": ((promise(), ending("kept", at=LATE)), Ledger(ended=1, kept=0)),
    "broken": ((promise(), ending("broken")), Ledger(ended=1, kept=0)),
    "broken, then kept late": ((promise(), ending("broken"), ending("kept", at=LATE)), Ledger(ended=1, kept=0)),
    "said twice": ((promise(), ending("kept"), ending("kept", message_id="again")), Ledger(ended=1, kept=1)),
    "waived": ((promise(), ending("waived")), None),
    "two": ((promise(), promise("q"), ending("kept"), ending("broken", "q")), Ledger(ended=2, kept=1)),
    "of no action": ((promise(action=None), ending("kept")), None),
}


@pytest.mark.parametrize(("records", "expected"), CASES.values(), ids=CASES)
def test_each_promise_counts_once_in_any_order(records: tuple[Record, ...], expected: Ledger | None) -> None:
    for order in permutations(records):
        log = Log("sqlite://", RULES)
        for record in order:
            log.append([record])
        assert counts(log).get("refund", Ledger()) == (expected or Ledger())
        assert log.verify().fault is None
        log.close()


def test_promises_in_one_batch_count_as_they_do_one_by_one(log: Log) -> None:
    log.append([promise(), promise("q", customer="b"), ending("kept"), ending("broken", "q", customer="b")])
    assert counts(log) == {"refund": Ledger(ended=2, kept=1)}
    assert log.verify().fault is None


def test_what_was_broken_counts_as_kept_once_it_is_known_that_it_was(log: Log) -> None:
    log.append([promise()])
    log.append([breach(log)])
    assert counts(log) == {"refund": Ledger(ended=1, kept=0)}
    log.append([ending("kept", at=NOW + DAY / 2)])
    assert counts(log) == {"refund": Ledger(ended=1, kept=1)}


def test_ids_that_become_one_customer_keep_their_counts(log: Log) -> None:
    log.append([promise(), promise("q", customer="anonymous:x"), ending("kept"), ending("kept", "q", customer="anonymous:x")])
    log.append([linked("anonymous:x", "1029")])
    assert counts(log) == {"refund": Ledger(ended=2, kept=2)}
    # an ending that came under another id than the promise finds it once they are one
    log.append([promise("r", customer="b"), ending("broken", "r", customer="anonymous:y")])
    assert counts(log) == {"refund": Ledger(ended=2, kept=2)}
    log.append([linked("anonymous:y", "b")])
    assert counts(log) == {"refund": Ledger(ended=3, kept=2)}
    assert log.verify().fault is None


def test_what_an_erased_customer_was_promised_stays_counted(log: Log) -> None:
    log.append([promise(), ending("kept"), promise("q", customer="b"), ending("broken", "q", customer="b")])
    log.erase("1029", at=NOW)
    assert counts(log) == {"refund": Ledger(ended=2, kept=1)}
    log.append([promise("r", customer="b"), ending("kept", "r", customer="b")])
    assert counts(log) == {"refund": Ledger(ended=3, kept=2)}
    assert log.verify().fault is None


def test_new_rules_leave_the_counts_as_they_are(log: Log) -> None:
    log.append([event("Parcel Lost"), promise(), ending("kept")])
    assert log.follow(OTHERS) == 1
    assert counts(log) == {"refund": Ledger(ended=1, kept=1)}
    assert log.verify().fault is None


@pytest.mark.parametrize("breaks", ["UPDATE ledger SET kept = 0", "UPDATE ledger SET ended = 9", "DELETE FROM ledger"])
def test_counts_that_the_states_do_not_tell_of_are_found(breaks: str, log: Log, url: str) -> None:
    log.append([promise(), ending("kept")])
    assert log.verify().fault is None
    tamper(url, breaks)
    assert "promises counted of refund" in (log.verify().fault or "")


def test_of_thousands_of_promises_each_breach_is_recorded_once_whoever_sees_it_first() -> None:
    """Promises and asks at random; a third of the promises are kept, waived or said to be broken by somebody in between."""
    chance, log = Random(7), Log("sqlite://", RULES)
    customers, days, promises = [f"c{at}" for at in range(60)], 40, 2_000
    due = {f"p{at}": NOW + chance.uniform(1, days) * DAY for at in range(promises)}
    whose = {one: chance.choice(customers) for one in due}
    log.append([promise(one, customer=whose[one], due=due[one]) for one in due])
    said = {one: NOW + chance.uniform(0.5, days + 1) * DAY for one in due if chance.random() < 1 / 3}
    words = [
        (at, ending(chance.choice(["kept", "waived", "broken"]), one, customer=whose[one], at=at)) for one, at in said.items()
    ]
    asks = [(NOW + chance.uniform(0, days) * DAY, one) for one in customers for _ in range(10)]
    asks += [(NOW + (days + 2) * DAY, one) for one in customers]
    seen: dict[str, int] = {}
    for at, happens in sorted([*words, *asks], key=lambda one: one[0]):
        if isinstance(happens, Record):
            log.append([happens])
            continue
        state, version = log.state(happens)
        broken = breaches(state, at)
        assert all(log.append(broken, expecting={happens: version})) if broken else True
        for record in broken:
            assert record.event_time == due[record.body["promise_id"]] < at
            seen[record.body["promise_id"]] = seen.get(record.body["promise_id"], 0) + 1
    # a breach is one where nobody had said anything when the first ask after the due came
    first_ask = {one: min(at for at, who in asks if who == whose[one] and at > due[one]) for one in due}
    expected = {one for one in due if one not in said or said[one] > first_ask[one]}
    assert seen == dict.fromkeys(expected, 1)
    assert len(seen) > promises / 2
    assert counts(log)["refund"].ended == sum(
        one.status in ("kept", "broken") for name in customers for one in log.state(name)[0].promises.values()
    )
    assert log.verify().fault is None
    log.close()
