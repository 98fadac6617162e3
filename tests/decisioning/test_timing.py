"""When: quiet hours through midnight and both changes of the clock, habits, and what is waited for."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.domain import Rejection, Tier
from decisioning.policy import QuietHours
from decisioning.timing import WAITING_MUST_GAIN, Moment, is_quiet, now_or_later, wait_for, zone_named
from tests import worlds
from tests.worlds import NIGHT, NOW

NEW_YORK = ZoneInfo("America/New_York")
STRANGER = worlds.profile(orders_90d=0.0)


def local(*parts: int, zone: ZoneInfo = NEW_YORK, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=zone, fold=fold).astimezone(UTC)  # type: ignore[misc]


def moment(now: datetime = NOW, *, horizon: timedelta = timedelta(hours=48), **changes: Any) -> Moment | None:
    """When an e-mail goes to a customer of New York without habits; quiet at night."""
    given_: dict[str, Any] = {
        "touchpoint": worlds.email(horizon=horizon),
        "profile": STRANGER,
        "population": {},
        "quiet": NIGHT,
        "zone": NEW_YORK,
        "brand_zone": NEW_YORK,
        "now": now,
    }
    return now_or_later(**(given_ | changes))


def at(now: datetime = NOW, **changes: Any) -> datetime:
    found = moment(now, **changes)
    assert found is not None
    return found.at


def test_whoever_is_here_is_answered_now_whatever_the_hour() -> None:
    night = local(2018, 1, 2, 3)
    found = moment(night, touchpoint=worlds.touchpoint(), before=night)
    assert found == Moment(at=night, because="the customer is here now")


@pytest.mark.parametrize(
    ("quiet", "hour", "minute", "expected"),
    [
        (NIGHT, 20, 59, False), (NIGHT, 21, 0, True), (NIGHT, 0, 0, True), (NIGHT, 7, 59, True), (NIGHT, 8, 0, False),
        (QuietHours(start=time(12), end=time(14)), 12, 0, True), (QuietHours(start=time(12), end=time(14)), 13, 59, True),
        (QuietHours(start=time(12), end=time(14)), 14, 0, False), (QuietHours(start=time(12), end=time(14)), 0, 0, False),
        (QuietHours(start=time(9), end=time(9)), 9, 0, False), (None, 3, 0, False),
    ],
)  # fmt: skip
def test_quiet_hours_begin_at_their_start_and_end_before_their_end(
    quiet: QuietHours | None, hour: int, minute: int, expected: bool
) -> None:
    assert is_quiet(datetime(2018, 1, 1, hour, minute, tzinfo=NEW_YORK), quiet) is expected


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
    start: datetime, minutes: int, habit: int, quiet: tuple[int, int]
) -> None:
    now = start + timedelta(minutes=minutes)
    hours = QuietHours(start=time(quiet[0]), end=time(quiet[1]))
    found = moment(now, quiet=hours, profile=worlds.profile(**{f"hour_{habit:02d}": 30.0}))
    assert found is not None
    assert now <= found.at <= now + timedelta(hours=48)
    assert not is_quiet(found.at.astimezone(NEW_YORK), hours)


def test_a_habit_at_an_hour_that_the_clock_leaves_out_is_met_the_day_after() -> None:
    found = at(local(2018, 3, 11, 0, 30), quiet=None, profile=worlds.profile(hour_02=30.0))
    assert found == local(2018, 3, 12, 2)


def test_of_an_hour_that_comes_twice_the_first_is_taken() -> None:
    found = at(local(2018, 11, 4, 0, 30), quiet=None, profile=worlds.profile(hour_01=30.0))
    assert found == local(2018, 11, 4, 1, fold=0)


def test_a_customer_of_habit_is_met_at_their_own_hour() -> None:
    found = moment(profile=worlds.profile(hour_18=20.0), population={"hour_10": 50.0, "hour_18": 1.0})
    assert found == Moment(at=local(2018, 1, 1, 18), because="Monday around 18:00 is when this customer usually comes")


def test_a_customer_without_habits_is_met_when_others_come_and_the_words_say_so() -> None:
    found = moment(population={"hour_18": 3.0, "hour_10": 1.0})
    assert found == Moment(at=local(2018, 1, 1, 18), because="Monday around 18:00 is when customers usually come")


def test_two_visits_do_not_outweigh_everybody_else_and_twenty_do() -> None:
    population = {"hour_10": 1.0}
    few, many = (worlds.profile(hour_18=visits) for visits in (2.0, 20.0))
    assert at(profile=few, population=population) == local(2018, 1, 1, 10)
    assert at(profile=many, population=population) == local(2018, 1, 1, 18)


def test_the_day_of_the_week_counts_as_the_hour_does() -> None:
    assert at(profile=worlds.profile(hour_18=20.0, day_tue=20.0)) == local(2018, 1, 2, 18)


def test_habits_are_counted_in_the_hours_of_the_brand_and_quiet_hours_in_those_of_the_customer() -> None:
    los_angeles = ZoneInfo("America/Los_Angeles")
    found = moment(profile=worlds.profile(hour_20=20.0), zone=los_angeles)
    assert found == Moment(at=local(2018, 1, 1, 20), because="Monday around 17:00 is when this customer usually comes")
    # nine in the morning in New York is six in Los Angeles, still night
    assert at(profile=worlds.profile(hour_09=20.0), zone=los_angeles) != NOW


def test_of_hours_that_are_equally_good_the_earliest_wins() -> None:
    assert at() == NOW
    assert at(profile=worlds.profile(hour_18=20.0, hour_12=20.0)) == local(2018, 1, 1, 12)


def test_a_slightly_better_hour_is_not_waited_for() -> None:
    visits = 20.0
    slightly, clearly = (visits * WAITING_MUST_GAIN**power for power in (0.5, 3.0))
    assert at(profile=worlds.profile(hour_12=visits, hour_18=slightly)) == local(2018, 1, 1, 12)
    assert at(profile=worlds.profile(hour_12=visits, hour_18=clearly)) == local(2018, 1, 1, 18)


def test_the_end_of_validity_is_too_late() -> None:
    habit = worlds.profile(hour_18=20.0)
    assert at(profile=habit, before=local(2018, 1, 1, 18) + timedelta(microseconds=1)) == local(2018, 1, 1, 18)
    assert at(profile=habit, before=local(2018, 1, 1, 18)) == NOW


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
    habits = worlds.profile(hour_18=3.0, hour_10=2.9, day_mon=2.0)
    assert len({at(profile=habits, population={"hour_12": 1.0}) for _ in range(5)}) == 1


def blocked(rule: str, hours: float | None, tier: Tier = "contact") -> Rejection:
    return Rejection(action="a", tier=tier, rule=rule, unlock="", until=None if hours is None else NOW + timedelta(hours=hours))


def test_what_time_alone_unlocks_soon_is_waited_for_and_the_soonest_first() -> None:
    wait = wait_for([blocked("b", 30), blocked("a", 20), blocked("c", 20)], touchpoint=worlds.email(), now=NOW)
    assert wait is not None and (wait.until, wait.because) == (NOW + timedelta(hours=20), "a")


@pytest.mark.parametrize(
    "rejected",
    [[], [blocked("cap", 48.1)], [blocked("budget", None)], [blocked("not_yet_valid", 3, "eligibility")]],
    ids=["nothing out", "beyond the horizon", "not by itself", "another tier"],
)
def test_what_does_not_pass_soon_by_itself_is_not_waited_for(rejected: list[Rejection]) -> None:
    assert wait_for(rejected, touchpoint=worlds.email(), now=NOW) is None


def test_nobody_who_is_here_is_told_to_wait() -> None:
    assert wait_for([blocked("cap", 1)], touchpoint=worlds.touchpoint(), now=NOW) is None


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "America", "a\0b"])
def test_a_name_of_no_time_zone_is_none(name: str | None) -> None:
    assert zone_named(name) is None


def test_a_name_of_a_time_zone_is_that_zone() -> None:
    assert zone_named("Europe/Paris") == ZoneInfo("Europe/Paris")
