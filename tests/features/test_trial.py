"""The control group as an experiment, read from a log."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decisioning.experiments import trial_group
from features.log import Log
from features.published import publish
from features.trial import GROUPS, Trial, TrialError, read_trial
from features.trial_metrics import Metric
from tests.features import trial_log
from tests.features.trial_log import DAY, POLICY, Writer, asked, body_changed, event, playbook, success
from tests.log.writing import linked
from tests.training.worlds import mailing
from tests.worlds import NOW, SALT

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log(f"sqlite:///{tmp_path / 'log.db'}")
    yield log
    log.close()


def read(writer: Writer, *, now: Any = NOW + 100 * DAY, asking: dict[str, Any] | None = None, **about: Any) -> Trial:
    told: list[float] = []
    found = read_trial(
        writer.log, writer.book, asked(**(asking or {})), now=now, progress=lambda _, share: told.append(share), **about
    )
    assert told == sorted(told) and 0 < told[-1] <= 1
    return found


def metric(found: Trial, name: str) -> Metric:
    (one,) = (one for one in found.metrics if one.name == name)
    return one


def someone(group: str, *, control: float = 0.3, random: float = 0.1) -> Iterator[str]:
    """Customers whom chance puts into a group."""
    return (
        f"{group}{at}"
        for at in range(10_000)
        if trial_group(f"{group}{at}", control=control, random=random, salt=SALT) == group
    )


def test_customers_come_in_with_their_first_decision_and_are_in_its_group(log: Log) -> None:
    writer = Writer.opened(log)
    treated, left_alone, at_random = (next(someone(group)) for group in GROUPS)
    log.append([
        writer.decision(left_alone, NOW, orders=1),
        writer.decision(treated, NOW + DAY, orders=3),
        writer.decision(at_random, NOW + 90 * DAY),
        writer.decision(treated, NOW + 2 * DAY, name="again", touchpoint="email", orders=1),
    ])  # fmt: skip
    found = read(writer, by=["often"])
    assert found.names == [left_alone, treated, at_random]
    assert [GROUPS[at] for at in found.group] == ["control", "treatment", "random"]
    assert found.closed.tolist() == [True, True, False]
    assert found.splits == {
        "touchpoint": ["app", "app", "app"],
        "journey_stage": ["active", "active", "active"],
        "often": ["seldom", "weekly", "weekly"],
    }
    assert found.shares == pytest.approx({"treatment": 0.6, "control": 0.3, "random": 0.1})
    assert found.since == NOW
    possible = metric(found, "success outcomes").possible
    assert possible is not None and possible.tolist() == [False, True, True]


def test_what_is_counted_happened_in_the_customers_time(log: Log) -> None:
    writer = Writer.opened(log)
    end = NOW + 28 * DAY
    log.append([
        event("Order Completed", "a", NOW - 91 * DAY, total=1.0),
        event("Order Completed", "a", NOW - 89 * DAY, total=2.0),
        event("Order Completed", "a", NOW - MICROSECOND, total=4.0),
        writer.decision("a"),
        event("Order Completed", "a", NOW, total=8.0),
        event("Order Completed", "a", end - MICROSECOND, total=16.0),
        event("Order Completed", "a", end, total=32.0),
        event("Complaint Opened", "a", NOW + DAY),
        event("Complaint Closed", "a", NOW + DAY),
        event("Satisfaction Rated", "a", NOW + DAY, rating=4),
        event("Satisfaction Rated", "a", NOW + 2 * DAY, rating=1),
        event("Satisfaction Rated", "a", end, rating=5),
        event("Recommendation Rated", "a", NOW + DAY, rating="ten"),
        event("Order Completed", "nobody decided for", NOW, total=64.0),
        event("Order Completed", "a", NOW + DAY, "no total"),
    ])  # fmt: skip
    found = read(writer)
    assert {one.name: one.values.tolist() for one in found.metrics} == {
        "success outcomes": [0.0],
        "Order Completed events": [3.0],
        "Order Completed value": [0.5 * 24.0],
        "churn": [0.0],
        "complaints": [1.0],
        "Recommendation Rated": [pytest.approx(float("nan"), nan_ok=True)],
        "Satisfaction Rated": [2.5],
    }
    assert found.before.tolist() == [[2.0, 0.5 * 6.0]]
    assert [(one.name, one.rises, one.answered) for one in found.metrics[3:]] == [
        ("churn", False, False),
        ("complaints", False, False),
        ("Recommendation Rated", True, True),
        ("Satisfaction Rated", True, True),
    ]


def test_only_who_was_active_before_can_churn(log: Log) -> None:
    writer = Writer.opened(log)
    log.append([
        event("Order Completed", "left", NOW - 59 * DAY, total=1.0),
        event("Order Completed", "long gone", NOW - 61 * DAY, total=1.0),
        *(writer.decision(who) for who in ("left", "long gone", "new")),
    ])  # fmt: skip
    found = read(writer)
    np.testing.assert_array_equal(
        [metric(found, "churn").values[found.names.index(who)] for who in ("left", "long gone", "new")], [1.0, np.nan, np.nan]
    )


def test_a_success_counts_once_and_in_the_customers_time(log: Log) -> None:
    writer = Writer.opened(log)
    treated = someone("treatment")
    soon, late = (writer.decision(next(treated)), writer.decision(next(treated)))
    log.append([soon, late, success(soon, NOW + DAY), success(late, NOW + 10 * DAY)])
    found = read(writer, asking={"horizon": 7 * DAY})
    values = dict(zip(found.names, metric(found, "success outcomes").values.tolist(), strict=True))
    assert values == {soon.customer_id: 1.0, late.customer_id: 0.0}


def test_ids_that_became_one_are_one_customer_in_the_group_of_their_first_decision(log: Log) -> None:
    writer = Writer.opened(log)
    left_alone, treated = next(someone("control")), next(someone("treatment"))
    log.append([writer.decision(left_alone), writer.decision(treated, NOW + DAY)])
    log.append([
        linked(left_alone, treated, at=NOW + 2 * DAY),
        event("Order Completed", left_alone, NOW + 3 * DAY, total=2.0),
        event("Order Completed", treated, NOW + 3 * DAY, total=2.0),
    ])  # fmt: skip
    found = read(writer)
    assert [GROUPS[at] for at in found.group] == ["control"]
    assert metric(found, "Order Completed events").values.tolist() == [2.0]
    assert found.counted["customers who were in more than one group; they count in their first"] == 1


def test_it_begins_where_the_shares_of_the_groups_were_last_changed(log: Log) -> None:
    first = Writer.opened(log)
    log.append([first.decision("a"), event("Order Completed", "a", NOW - DAY, total=3.0)])
    other_words = Writer.opened(log, playbook(policy=POLICY + "preferences: {more: 1.4, less: 0.5}\n"), at=NOW + DAY)
    assert read(other_words).names == ["a"]
    more = playbook(policy=POLICY.replace("control: 0.3", "control: 0.5"))
    publish(more, log, now=NOW + 2 * DAY)
    with pytest.raises(TrialError, match="no live decision since the groups"):
        read(other_words)
    now = Writer(log=log, book=more, rulebook=more.compiled())
    log.append([event("Order Completed", "a", NOW + 3 * DAY, total=9.0)])
    log.append(
        [now.decision("a", NOW + 4 * DAY, name="new"), first.decision("b", NOW + 4 * DAY, name="by a server that is late")]
    )
    found = read(now)
    assert (found.names, found.since, found.shares["control"]) == (["a"], NOW + 4 * DAY, 0.5)
    assert found.counted["decisions by other shares of the groups"] == 1
    # what the customer did before is from before any decision: nothing that was decided can be in it
    assert found.before.tolist() == [[1.0, 1.5]]


def test_since_can_be_told(log: Log) -> None:
    writer = Writer.opened(log)
    log.append([writer.decision("a"), writer.decision("b", NOW + DAY), writer.decision("a", NOW + 2 * DAY, name="later")])
    found = read(writer, since=NOW + DAY)
    assert (found.names, found.since) == (["b", "a"], NOW + DAY)


def test_imported_decisions_are_counted_and_no_part_of_it(log: Log) -> None:
    writer = Writer.opened(log)
    log.append([*mailing("m", "b", NOW), writer.decision("a")])
    found = read(writer)
    assert found.names == ["a"]
    assert found.counted["imported decisions: nobody knows by which chance they were made"] == 1


def test_decisions_of_an_older_version_count_too(log: Log) -> None:
    """Version 2 kept group and stage further inside, and nothing of the catalog's version."""
    writer = Writer.opened(log)
    old = writer.decision("a")
    inside = {"group": "control", "journey_stage": "lapsed"}
    log.append([body_changed(old, group=None, inputs=None, decision=inside)])
    found = read(writer, by=["often"])
    assert (GROUPS[found.group[0]], found.splits["journey_stage"], found.splits["often"]) == (
        "control",
        ["lapsed"],
        ["missing"],
    )


def test_who_was_erased_is_in_no_group(log: Log) -> None:
    writer = Writer.opened(log)
    log.append([writer.decision("a"), writer.decision("b")])
    log.erase("a", at=NOW + DAY)
    assert read(writer).names == ["b"]


def test_an_empty_log_and_a_label_that_is_none_are_refused(log: Log) -> None:
    writer = Writer.opened(log)
    with pytest.raises(TrialError, match="no live decision"):
        read_trial(log, writer.book, asked(), now=NOW, progress=lambda *_: None)
    log.append([writer.decision("a")])
    with pytest.raises(TrialError, match=r"'orders_30d' is no label of profile.yaml to split by; it has often"):
        read(writer, by=["orders_30d"])


def test_without_a_publication_everybody_is_treated(log: Log) -> None:
    book = trial_log.playbook()
    writer = Writer(log=log, book=book, rulebook=book.compiled())
    log.append([body_changed(writer.decision("a"), inputs=None)])
    assert read(writer).shares == {"treatment": 1.0, "control": 0.0, "random": 0.0}
