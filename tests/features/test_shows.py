"""Messages whose window of success is over: what was expected of them and what came, as sums."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from features.log import Log
from features.shows import WEEK_US, Closed, read_closed
from tests.features.drift_log import Brand
from tests.worlds import NOW

DAY = timedelta(days=1)
WINDOW = 7 * DAY


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    log = Log(f"sqlite:///{tmp_path_factory.mktemp('shows') / 'log.db'}")
    Brand(log=log, now=NOW, champion="b" * 16, customers=40).write(before=60, since=240)
    yield log
    log.close()


def closed(log: Log, *, weeks: int = 4, made: int | None = None) -> Closed:
    since, began = NOW - 30 * DAY, None if made is None else NOW - made * DAY
    return read_closed(log, since=since, now=NOW, made_since=began, weeks=weeks, progress=lambda *_: None)


def test_sums_are_those_of_the_records(log: Log) -> None:
    accepted = {one.body["decision_id"] for one in log.read(kinds=("outcome",)) if one.body["outcome"] == "accepted"}
    shows, expected, successes, still = 0, 0.0, 0, 0
    for one in log.read(kinds=("decision",)):
        first = one.body["results"][0]
        closes = one.event_time + timedelta(minutes=1) + WINDOW
        if first.get("action") == "bread" and NOW - 30 * DAY <= closes <= NOW:
            shows, expected, successes = shows + 1, expected + first["expected"], successes + (one.message_id in accepted)
        still += first["kind"] == "action" and one.event_time + timedelta(microseconds=first["window_us"], minutes=1) > NOW
    found = closed(log)
    bread = found.recent["bread", "app"]
    assert (bread.shows, bread.successes, found.open) == (shows, successes, still)
    assert bread.expected == pytest.approx(expected)
    assert float(bread.lots.sum()) == pytest.approx(successes - expected)
    assert shows > 30 and 0 < successes < shows


def test_a_week_has_the_messages_whose_window_ended_in_it(log: Log) -> None:
    found = closed(log, weeks=2)
    assert {week for week, _ in found.weeks} == {0, 1}
    here = [one for one in log.read(kinds=("decision",)) if one.body["results"][0].get("action") == "bread"]
    ends = [(NOW - one.event_time - timedelta(minutes=1) - WINDOW) // timedelta(microseconds=1) for one in here]
    assert found.weeks[1, "bread"].shows == sum(WEEK_US <= end < 2 * WEEK_US for end in ends)


def test_messages_of_an_earlier_champion_count_in_their_week_and_not_against_this_one(log: Log) -> None:
    every, later = closed(log), closed(log, made=20)
    assert later.recent["bread", "app"].shows < every.recent["bread", "app"].shows
    assert later.weeks[0, "bread"].shows == every.weeks[0, "bread"].shows
