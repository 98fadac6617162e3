"""When: quiet hours through midnight and both changes of the clock, habits, and what is waited for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.domain import HoursOf
from decisioning.habits import Habits, answers
from decisioning.hours import is_quiet
from decisioning.policy import QuietHours
from decisioning.timing import WAITING_MUST_GAIN, Moment, Moments, moments, wait_for
from tests import worlds
from tests.worlds import NIGHT, NOW

NEW_YORK, KOLKATA, LORD_HOWE = (ZoneInfo(name) for name in ("America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"))
INDEX = worlds.index(*(worlds.feature(name, ages="decays", half_life_days=180.0) for name in answers("email")))
STRANGER = worlds.profile(of=INDEX, orders_90d=0.0)


def local(*parts: int, zone: ZoneInfo = NEW_YORK, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=zone, fold=fold).astimezone(UTC)  # type: ignore[misc]


def habit(**known: float) -> Any:
    return worlds.profile(of=INDEX, **known)


def plan(now: datetime = NOW, *, horizon: timedelta = timedelta(hours=48), **changes: Any) -> Moments:
    """When an e-mail may go to a customer of New York without habits; quiet at night."""
    given_: dict[str, Any] = {
        "habits": Habits.of(INDEX, "email"),
        "touchpoint": worlds.email(horizon=horizon),
        "profile": STRANGER,
        "population": {},
        "quiet": NIGHT,
        "zone": NEW_YORK,
        "brand_zone": NEW_YORK,
        "now": now,
    }
    return moments(**(given_ | changes))


def moment(now: datetime = NOW, *, before: datetime | None = None, **changes: Any) -> Moment | None:
    return plan(now, **changes).before(before)


def at(now: datetime = NOW, **changes: Any) -> datetime:
    found = moment(now, **changes)
    assert found is not None
    return found.at


def said(now: datetime = NOW, **changes: Any) -> tuple[datetime, str]:
    found = moment(now, **changes)
    assert found is not None
    return found.at, found.because


def test_whoever_is_here_is_answered_now_whatever_the_hour() -> None:
    night = local(2018, 1, 2, 3)
    here = {"touchpoint": worlds.touchpoint(), "before": night}
    assert said(night, **here) == (night, "the customer is here now")


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        (local(2018, 1, 1, 23), local(2018, 1, 2, 8)),
        (local(2018, 1, 2, 3, 17), local(2018, 1, 2, 8)),
        # the clocks go forward in the night: an hour shorter
        (local(2018, 3, 10, 23), datetime(2018, 3, 11, 12, tzinfo=UTC)),
        # the clocks go back: an hour longer
        (local(2018, 11, 3, 23), datetime(2018, 11, 4, 13, tzinfo=UTC)),
    ],
    ids=["an evening", "a night", "forward", "back"],
)
def test_the_night_is_waited_out_through_both_changes_of_the_clock(now: datetime, morning: datetime) -> None:
    assert at(now) == morning


@given(
    st.sampled_from([local(2018, 3, 10, 0), local(2018, 11, 3, 0), local(2018, 1, 1, 0)]),
    st.integers(0, 3 * 24 * 60),
    st.integers(0, 23),
    st.tuples(st.integers(0, 23), st.integers(0, 23)),
)
def test_no_message_goes_in_quiet_hours_or_outside_its_horizon(
    start: datetime, minutes: int, hour: int, quiet: tuple[int, int]
) -> None:
    now = start + timedelta(minutes=minutes)
    hours = QuietHours(start=time(quiet[0]), end=time(quiet[1]))
    found = moment(now, quiet=hours, profile=habit(**{f"hour_{hour:02d}": 30.0}))
    assert found is not None
    assert now <= found.at <= now + timedelta(hours=48)
    assert not is_quiet(found.at.astimezone(NEW_YORK), hours)


def test_a_habit_at_an_hour_that_the_clock_leaves_out_is_met_the_day_after() -> None:
    found = at(local(2018, 3, 11, 0, 30), quiet=None, profile=habit(hour_02=30.0))
    assert found == local(2018, 3, 12, 2)


def test_of_an_hour_that_comes_twice_the_first_is_taken() -> None:
    found = at(local(2018, 11, 4, 0, 30), quiet=None, profile=habit(hour_01=30.0))
    assert found == local(2018, 11, 4, 1, fold=0)


def test_a_customer_of_habit_is_met_at_their_own_hour() -> None:
    found = said(profile=habit(hour_18=20.0), population={"hour_10": 50.0, "hour_18": 1.0})
    assert found == (local(2018, 1, 1, 18), "Monday around 18:00 is when this customer usually comes")


def test_a_customer_without_habits_is_met_when_others_come_and_the_words_say_so() -> None:
    found = said(population={"hour_18": 3.0, "hour_10": 1.0})
    assert found == (local(2018, 1, 1, 18), "Monday around 18:00 is when customers usually come")


def test_two_visits_do_not_outweigh_everybody_else_and_twenty_do() -> None:
    population = {"hour_10": 1_000.0}
    few, many = (habit(hour_18=visits) for visits in (2.0, 20.0))
    assert at(profile=few, population=population) == local(2018, 1, 1, 10)
    assert at(profile=many, population=population) == local(2018, 1, 1, 18)


def test_the_day_of_the_week_counts_as_the_hour_does() -> None:
    assert at(profile=habit(hour_18=20.0, day_tue=20.0)) == local(2018, 1, 2, 18)


def test_habits_are_counted_in_the_hours_of_the_brand_and_quiet_hours_in_those_of_the_customer() -> None:
    los_angeles = ZoneInfo("America/Los_Angeles")
    found = said(profile=habit(hour_20=20.0), zone=los_angeles)
    assert found == (local(2018, 1, 1, 20), "Monday around 17:00 is when this customer usually comes")
    # nine in the morning in New York is six in Los Angeles, still night
    assert at(profile=habit(hour_09=20.0), zone=los_angeles) != NOW


def test_of_hours_that_are_equally_good_the_earliest_wins() -> None:
    assert at() == NOW
    assert at(profile=habit(hour_18=20.0, hour_12=20.0)) == local(2018, 1, 1, 12)


def test_a_slightly_better_hour_is_not_waited_for() -> None:
    visits = 20.0
    slightly, clearly = (visits * WAITING_MUST_GAIN**power for power in (0.5, 3.0))
    assert at(profile=habit(hour_12=visits, hour_18=slightly)) == local(2018, 1, 1, 12)
    assert at(profile=habit(hour_12=visits, hour_18=clearly)) == local(2018, 1, 1, 18)


def test_the_end_of_validity_is_too_late() -> None:
    evening = habit(hour_18=20.0)
    assert at(profile=evening, before=local(2018, 1, 1, 18) + timedelta(microseconds=1)) == local(2018, 1, 1, 18)
    assert at(profile=evening, before=local(2018, 1, 1, 18)) == NOW


@pytest.mark.parametrize(
    "changes",
    [
        {"before": NOW},
        {"now": local(2018, 1, 1, 22), "horizon": timedelta(hours=8)},
        {"now": local(2018, 1, 1, 22), "before": local(2018, 1, 2, 8)},
    ],
    ids=["over already", "the horizon ends at night", "valid for the night only"],
)
def test_where_no_moment_is_left_there_is_none(changes: dict[str, Any]) -> None:
    assert moment(**changes) is None


def test_the_last_moment_of_the_horizon_still_counts() -> None:
    assert at(local(2018, 1, 1, 22), horizon=timedelta(hours=10)) == local(2018, 1, 2, 8)


def test_the_same_arguments_give_the_same_moment() -> None:
    habits = habit(hour_18=3.0, hour_10=2.9, day_mon=2.0)
    assert len({at(profile=habits, population={"hour_12": 1.0}) for _ in range(5)}) == 1


# ------------------------------------------------------------------------------------------------- what is known of the hours


def test_who_answers_is_written_to_when_they_answer_and_not_when_they_come() -> None:
    found = said(profile=habit(hour_18=20.0, answers_email_12=20.0))
    assert found == (local(2018, 1, 1, 12), "Monday around 12:00 is when this customer usually answers")


def test_whoever_has_no_habits_is_written_to_when_others_answer_and_the_words_say_so() -> None:
    found = said(population={"hour_18": 900.0, "answers_email_12": 90.0})
    assert found == (local(2018, 1, 1, 12), "Monday around 12:00 is when customers usually answer")


def test_where_nothing_is_known_no_habit_is_claimed() -> None:
    assert said(NOW + timedelta(minutes=17))[1] == "nothing is known to be better than Monday around 09:15"


def test_a_trained_model_replaces_all_habits() -> None:
    week = np.full(168, 0.1)
    week[24 + 13] = 0.9
    found = said(profile=habit(answers_email_12=50.0), population={"hour_10": 50.0}, hours=week)
    assert found == (local(2018, 1, 2, 13), "Tuesday around 13:00 is when this customer will most likely answer")


def test_a_model_is_no_reason_for_an_hour_that_it_does_not_recommend() -> None:
    week = np.full(168, 0.1)
    week[5 * 24] = 0.9
    assert said(hours=week) == (NOW, "nothing is known to be better than Monday around 09:00")


def test_a_model_of_visits_does_not_promise_an_answer() -> None:
    week = np.full(168, 0.1)
    week[13] = 0.9
    found = said(hours=week, hours_of=HoursOf(learned_from="visits"))
    assert found == (local(2018, 1, 1, 13), "Monday around 13:00 is when this customer will most likely come")


@given(st.floats(0.01, 100.0), st.integers(0, 167))
def test_only_how_hours_compare_counts(scale: float, best: int) -> None:
    week = np.ones(168)
    assert at(hours=scale * week) == at(hours=week) == NOW
    week[best] = 2.0
    assert at(hours=scale * week) == at(hours=week)


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan], ids=["zero", "negative", "no number"])
def test_a_model_that_says_nothing_makes_nobody_wait(weight: float) -> None:
    assert at(hours=np.full(168, weight)) == NOW
    assert at(local(2018, 1, 1, 23), hours=np.full(168, weight)) == local(2018, 1, 2, 8)


# --------------------------------------------------------------------------------------------------- clocks of half an hour

SPRING = datetime(2018, 10, 6, 15, 30, tzinfo=UTC)
"""On Lord Howe Island the clock goes from 2:00 to 2:30 on Sunday 2018-10-07."""
AUTUMN = datetime(2018, 3, 31, 15, 0, tzinfo=UTC)
"""And from 2:00 back to 1:30 on Sunday 2018-04-01."""


@pytest.mark.parametrize(
    ("zone", "now", "hour", "expected"),
    [
        (KOLKATA, local(2018, 1, 1, 9, zone=KOLKATA), 18, datetime(2018, 1, 1, 12, 30, tzinfo=UTC)),
        (ZoneInfo("Asia/Kathmandu"), datetime(2018, 1, 1, tzinfo=UTC), 18, datetime(2018, 1, 1, 12, 15, tzinfo=UTC)),
        (LORD_HOWE, SPRING - timedelta(hours=2), 18, datetime(2018, 10, 7, 7, 0, tzinfo=UTC)),
        (LORD_HOWE, SPRING - timedelta(hours=2), 3, datetime(2018, 10, 6, 16, 0, tzinfo=UTC)),
        (LORD_HOWE, SPRING - timedelta(hours=2), 2, datetime(2018, 10, 7, 15, 0, tzinfo=UTC)),
        (LORD_HOWE, AUTUMN - timedelta(hours=2), 18, datetime(2018, 4, 1, 7, 30, tzinfo=UTC)),
        (LORD_HOWE, AUTUMN - timedelta(hours=2), 2, datetime(2018, 3, 31, 15, 30, tzinfo=UTC)),
    ],
    ids=["Kolkata", "Kathmandu", "forward, the evening", "forward, the next hour", "forward, an hour half left out",
         "back, the evening", "back, after the half hour that comes twice"],
)  # fmt: skip
def test_the_brands_clock_says_when_an_hour_is_full(zone: ZoneInfo, now: datetime, hour: int, expected: datetime) -> None:
    found = said(now, zone=zone, brand_zone=zone, quiet=None, profile=habit(**{f"hour_{hour:02d}": 30.0}))
    assert found[0] == expected
    assert f" around {hour:02d}:00 is when" in found[1]


def test_a_customer_half_an_hour_aside_is_told_their_own_time() -> None:
    when, because = said(zone=KOLKATA, profile=habit(hour_09=20.0), now=local(2018, 1, 1, 8, 30))
    assert (when, because) == (local(2018, 1, 1, 9), "Monday around 19:30 is when this customer usually comes")


@pytest.mark.parametrize("month", range(1, 13))
def test_the_customers_evening_begins_at_nine_by_their_clock_in_every_month(month: int) -> None:
    late = habit(hour_21=30.0, hour_20=20.0)
    assert at(local(2018, month, 12, 10), profile=late) == local(2018, month, 12, 20)
    assert at(local(2018, month, 12, 20, 59), profile=late) == local(2018, month, 12, 20, 59)
    assert at(local(2018, month, 12, 21), profile=late) == local(2018, month, 13, 20)


# -------------------------------------------------------------------------------------------------------- slow and obvious

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns",
         "Pacific/Chatham", "Africa/Casablanca", "Africa/Cairo", "UTC")  # fmt: skip


def every_moment(now: datetime, horizon: timedelta, brand_zone: ZoneInfo) -> Iterator[datetime]:
    """Now, and then every quarter of an hour at which the brand's clock shows a full hour."""
    yield now
    quarter = now.replace(minute=0, second=0, microsecond=0)
    while quarter <= now + horizon:
        if quarter > now and quarter.astimezone(brand_zone).minute == 0:
            yield quarter
        quarter += timedelta(minutes=15)


@given(
    st.sampled_from(ZONES).map(ZoneInfo),
    st.sampled_from(ZONES).map(ZoneInfo),
    st.integers(0, 365 * 86_400_000).map(lambda at: datetime(2018, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at))
    | st.sampled_from([SPRING, AUTUMN, local(2018, 3, 11, 1), local(2018, 11, 4, 0)]),
    st.integers(0, 72 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.none() | st.integers(-60, 72 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.none() | st.builds(QuietHours, start=st.times(), end=st.times()),
    st.lists(st.integers(0, 9), min_size=168, max_size=168),
)
def test_a_moment_is_that_of_a_slow_and_obvious_search(
    zone: ZoneInfo,
    brand_zone: ZoneInfo,
    now: datetime,
    horizon: timedelta,
    left: timedelta | None,
    quiet: QuietHours | None,
    weights: list[int],
) -> None:
    scores = {
        when: weights[counted.weekday() * 24 + counted.hour]
        for when in every_moment(now, horizon, brand_zone)
        if (left is None or when < now + left) and not is_quiet(when.astimezone(zone), quiet)
        for counted in [when.astimezone(brand_zone)]
    }
    good = [when for when, score in scores.items() if score * 11 >= max(scores.values()) * 10]
    found = plan(now, horizon=horizon, zone=zone, brand_zone=brand_zone, quiet=quiet, hours=np.array(weights, dtype=np.float64))
    chosen = found.before(None if left is None else now + left)
    assert (chosen.at if chosen else None) == (min(good) if good else None)
    if left is None:
        assert found.earliest == (min(scores) if scores else None)


@given(st.integers(0, 72 * 60), st.integers(-60, 72 * 60))
def test_an_action_is_in_time_where_it_is_valid_until_later_than_the_first_moment(minutes: int, left: int) -> None:
    found = plan(NOW + timedelta(minutes=minutes), horizon=timedelta(hours=24))
    valid_until = NOW + timedelta(minutes=minutes + left)
    assert found.earliest is not None
    assert (found.before(valid_until) is not None) == (valid_until > found.earliest)


def test_whoever_is_here_has_this_moment_and_a_night_without_end_has_none() -> None:
    assert plan(touchpoint=worlds.touchpoint()).earliest == NOW
    assert plan(local(2018, 1, 1, 22), horizon=timedelta(hours=8)).earliest is None


def test_answers_by_another_channel_do_not_count() -> None:
    texts = replace(worlds.email(), channel="sms")
    assert at(touchpoint=texts, habits=Habits.of(INDEX, "sms"), profile=habit(answers_email_12=50.0)) == NOW


# ------------------------------------------------------------------------------------------------------- what is waited for


def passing(rule: str, hours: float) -> tuple[datetime, str]:
    return NOW + timedelta(hours=hours), rule


def test_what_time_alone_unlocks_soon_is_waited_for_and_the_soonest_first() -> None:
    wait = wait_for([passing("b", 30), passing("a", 20), passing("c", 20)], touchpoint=worlds.email(), now=NOW)
    assert wait is not None and (wait.until, wait.because) == (NOW + timedelta(hours=20), "a")


@pytest.mark.parametrize("out", [[], [passing("cap", 48.1)]], ids=["nothing out", "beyond the horizon"])
def test_what_does_not_pass_soon_by_itself_is_not_waited_for(out: list[tuple[datetime, str]]) -> None:
    assert wait_for(out, touchpoint=worlds.email(), now=NOW) is None


def test_nobody_who_is_here_is_told_to_wait() -> None:
    assert wait_for([passing("cap", 1)], touchpoint=worlds.touchpoint(), now=NOW) is None
