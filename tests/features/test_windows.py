"""Decisions by periods: which are compared, and what is kept of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from features.log import Log
from features.log.inputs import profile_of
from features.published import Published
from features.windows import Census, Period, Periods, WindowError, Windows, periods, read_windows, take_census
from tests import corner
from tests.features import drift_log
from tests.features.drift_log import Brand
from tests.features.trial_log import body_changed
from tests.worlds import NOW, record

DAY = timedelta(days=1)
CHAMPION = "b" * 16


def census(began: int | None = 90, **counts: int) -> Census:
    """`counts` are decisions a day of the days before now: d120_90=5 has five a day from 120 to 90 days ago."""
    days: dict[int, int] = {}
    today = NOW.timestamp() // 86_400
    for name, count in counts.items():
        first, last = map(int, name[1:].split("_"))
        days.update({int(today - ago): count for ago in range(last + 1, first)})
    deciding = CHAMPION if began is not None else None
    return Census(days=days, began={CHAMPION: NOW - (began or 0) * DAY}, known={}, deciding=deciding)


def chosen(found: Census, **asked: datetime) -> Periods:
    return periods(found, since=NOW - 30 * DAY, now=NOW, **asked)


def test_what_the_champion_learned_from_is_the_reference_and_its_first_days_that_of_predictions() -> None:
    found = chosen(census(d200_0=10))
    assert (found.reference.since, found.reference.until) == (NOW - 180 * DAY, NOW - 90 * DAY)
    assert (found.first.since, found.first.until) == (NOW - 90 * DAY, NOW - 60 * DAY)
    assert (found.recent.since, found.recent.until) == (NOW - 30 * DAY, NOW)


def test_a_champion_without_decisions_before_it_is_compared_with_its_first_days() -> None:
    found = chosen(census(d90_0=10))
    assert found.reference == found.first and found.first.why == "the champion's first days"


def test_a_champion_newer_than_the_recent_period_is_compared_with_the_time_before() -> None:
    found = chosen(census(began=10, d120_0=10))
    assert (found.reference.since, found.reference.until) == (NOW - 100 * DAY, NOW - 30 * DAY)
    assert found.first == found.reference


def test_without_a_champion_the_time_before_is_the_reference() -> None:
    found = chosen(census(began=None, d60_0=20))
    assert found.reference.why == "before the recent period" and found.first == found.reference


def test_what_is_asked_for_is_compared() -> None:
    span = (NOW - 60 * DAY, NOW - 50 * DAY)
    found = periods(census(d100_0=30), since=NOW - 30 * DAY, now=NOW, against=span)
    assert (found.reference.since, found.reference.until) == span and found.first == found.reference


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"d200_30": 50}, "0 decisions since"),
        ({"d30_0": 50}, "fewer than 200 decisions before"),
        ({"d200_0": 1}, "earlier --since"),
    ],
)
def test_too_few_decisions_are_refused_with_the_cure(counts: dict[str, int], says: str) -> None:
    with pytest.raises(WindowError, match=says):
        chosen(census(**counts))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    log = Log(f"sqlite:///{tmp_path_factory.mktemp('drift') / 'log.db'}")
    Brand(log=log, now=NOW, champion=CHAMPION, customers=40).write(before=150, since=300)
    yield log
    log.close()


def read(log: Log, *, most: int = 1_000, champion: str | None = CHAMPION) -> Windows:
    index = corner.playbook(catalog=drift_log.CATALOG).profile.index
    recent = Period(since=NOW - 30 * DAY, until=NOW, why="recent")
    before = Period(since=NOW - 180 * DAY, until=NOW - 90 * DAY, why="before")
    first = Period(since=NOW - 90 * DAY, until=NOW - 30 * DAY, why="first")
    asked = Periods(recent=recent, reference=before, first=first)
    return read_windows(log, Published(log), index, asked, champion=champion, most=most, progress=lambda *_: None)


def test_the_census_counts_every_decision_and_knows_since_when_each_bundle_decides(log: Log) -> None:
    found = take_census(log, Published(log), progress=lambda *_: None)
    assert sum(found.days.values()) == 450
    assert found.deciding == CHAMPION
    assert NOW - 90 * DAY <= found.began[CHAMPION] < NOW - 80 * DAY
    assert set(found.known) == {"bread", "points", "sorry"}


def test_a_window_holds_the_values_as_they_were_logged_and_what_the_champion_said(log: Log) -> None:
    found = read(log)
    decisions = [one for one in log.read(kinds=("decision",)) if found.recent.period.since <= one.event_time < NOW]
    assert len(decisions) == found.recent.decisions == len(found.recent.customers)
    logged = np.stack([profile_of(one.body["inputs"]["profile"]) for one in decisions])
    assert np.array_equal(found.recent.profile, logged, equal_nan=True)
    assert found.recent.defined.all()
    assert set(found.recent.said) == {"preference of offers at app", "churn"}
    expected = [one.body["inputs"]["customer"]["churn"] for one in decisions]
    assert found.recent.said["churn"] == pytest.approx(expected)
    assert not found.reference.said, "another bundle decided then"
    assert not read(log, champion="another").recent.said


def test_a_customer_is_in_the_sample_with_all_their_decisions_or_with_none(log: Log) -> None:
    every, few = read(log).first, read(log, most=60).first
    assert len(few.customers) <= 60 and few.decisions == every.decisions == len(every.customers)
    assert set(few.customers) < set(every.customers)
    for customer in set(few.customers):
        assert (few.customers == customer).sum() == (every.customers == customer).sum()


def test_what_a_feature_meant_otherwise_is_not_compared(log: Log) -> None:
    profile = corner.TEXTS["profile.yaml"].replace("half_life: 30d", "half_life: 60d").replace("since_order:", "since_any:")
    policy = corner.TEXTS["policy.yaml"].replace("profile.since_order", "profile.since_any")
    index = corner.playbook(profile=profile, policy=policy).profile.index
    recent = Period(since=NOW - 30 * DAY, until=NOW, why="recent")
    asked = Periods(recent=recent, reference=recent, first=recent)
    found = read_windows(log, Published(log), index, asked, champion=None, most=100, progress=lambda *_: None).recent
    lost = [index.positions[name] for name in ("orders_30d", "since_any")]
    assert not found.defined[:, lost].any() and np.isnan(found.profile[:, lost]).all()
    assert np.delete(found.defined, lost, axis=1).all()
    assert not np.isnan(found.profile[:, index.positions["spend_90d"]]).any()


def test_counts_of_what_could_be_chosen_are_those_of_the_records(log: Log) -> None:
    offered = read(log).offered
    bodies = [one.body for one in log.read(kinds=("decision",)) if one.event_time >= NOW - 30 * DAY]
    assert offered.asked == {"app": len(bodies)}
    assert offered.weighed["bread", "app"] == len(bodies)
    assert offered.possible["bread", "app"] == sum(body["units"][0] > 0 for body in bodies)
    chosen_ = sum(body["results"][0].get("action") == "bread" for body in bodies)
    assert offered.chosen["bread", "app"] == chosen_ > 0
    assert offered.contexts == {("app", "active"): len(bodies)}


def test_what_cannot_be_used_is_left_out_and_counted(tmp_path: Path) -> None:
    log = Log(f"sqlite:///{tmp_path / 'log.db'}")
    brand = Brand(log=log, now=NOW, champion=CHAMPION, customers=40)
    brand.write(before=0, since=30)
    made = next(log.read(kinds=("decision",)))
    lost = body_changed(made, inputs=made.body["inputs"] | {"catalog": "unheard of"}, decision_id="lost")
    at = NOW - DAY
    log.append([replace(lost, message_id="lost", event_time=at, known_time=NOW)])
    imported = record("decision", "imported", b'{"origin": "imported", "touchpoint": "app", "results": []}', at=at)
    log.append([replace(imported, customer_id="c1")])
    found = read(log)
    assert sorted(found.left_out.values()) == [1, 1]
    assert len(found.recent.customers) == found.recent.decisions
    log.close()


def test_a_single_customer_with_more_than_all_that_is_kept_does_not_empty_the_sample(tmp_path: Path) -> None:
    log = Log(f"sqlite:///{tmp_path / 'log.db'}")
    Brand(log=log, now=NOW, champion=CHAMPION, customers=1).write(before=0, since=60)
    assert len(read(log, most=10).first.customers) == 10
    log.close()


def test_a_log_without_live_decisions_is_refused(tmp_path: Path) -> None:
    log = Log(f"sqlite:///{tmp_path / 'log.db'}")
    with pytest.raises(WindowError, match="start 'kairos serve'"):
        take_census(log, Published(log), progress=lambda *_: None)
    log.close()
