"""Full hours by one clock, quiet hours by another."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from decisioning.hours import hour_of_week, is_quiet, open_hours
from decisioning.policy import QuietHours
from tests.worlds import NIGHT

NEW_YORK, KOLKATA, LORD_HOWE = (ZoneInfo(name) for name in ("America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"))


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


def opened(
    start: datetime, count: int, zone: ZoneInfo, quiet: QuietHours | None = None, brand_zone: ZoneInfo | None = None
) -> list[str]:
    """The full hours by the brand's clock, with how far it is ahead of UTC."""
    brand_zone = brand_zone or zone
    found = open_hours(zone=zone, brand_zone=brand_zone, quiet=quiet, first=int(start.timestamp()) // 3600, count=count)
    local = [datetime.fromtimestamp(at_us / 1e6, brand_zone) for at_us in found.at_us]
    assert [hour_of_week(one) for one in local] == found.of_week.tolist()
    return [one.isoformat()[11:16] + one.isoformat()[19:] for one in local]


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        (NEW_YORK, datetime(2018, 3, 11, 5, tzinfo=UTC), ["00:00-05:00", "01:00-05:00", "03:00-04:00", "04:00-04:00"]),
        (NEW_YORK, datetime(2018, 11, 4, 4, tzinfo=UTC), ["00:00-04:00", "01:00-04:00", "01:00-05:00", "02:00-05:00"]),
        (KOLKATA, datetime(2018, 3, 11, 5, tzinfo=UTC), ["11:00+05:30", "12:00+05:30", "13:00+05:30", "14:00+05:30"]),
        # from 2:00 to 2:30: neither a full hour of the old clock nor one of the new
        (LORD_HOWE, datetime(2018, 10, 6, 14, tzinfo=UTC), ["01:00+10:30", "03:00+11:00", "04:00+11:00"]),
        # from 2:00 back to 1:30: half an hour later it is 2:00 once more
        (LORD_HOWE, datetime(2018, 3, 31, 13, tzinfo=UTC), ["00:00+11:00", "01:00+11:00", "02:00+10:30", "03:00+10:30"]),
    ],
    ids=["forward", "back", "half an hour aside", "half an hour forward", "half an hour back"],
)
def test_a_clock_shows_each_full_hour_as_often_as_it_comes(zone: ZoneInfo, start: datetime, expected: list[str]) -> None:
    assert opened(start, 4, zone) == expected


def test_the_hours_of_the_week_begin_on_monday() -> None:
    monday = datetime(2018, 1, 1, 0, 59, tzinfo=NEW_YORK)
    assert [hour_of_week(monday + timedelta(days=day)) for day in (0, 1, 6)] == [0, 24, 144]
    assert hour_of_week(monday - timedelta(hours=1)) == 167


def test_the_night_of_the_customer_is_left_out_on_the_brands_clock() -> None:
    # 21:00 to 8:00 in Kolkata is 10:30 to 21:30 in New York
    found = opened(datetime(2018, 1, 1, 5, tzinfo=UTC), 24, KOLKATA, NIGHT, brand_zone=NEW_YORK)
    assert [one[:2] for one in found] == [*(f"{hour:02d}" for hour in range(11)), "22", "23"]


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    quiet = QuietHours(start=time(1), end=time(2))
    assert opened(datetime(2018, 11, 4, 4, tzinfo=UTC), 4, NEW_YORK, quiet) == ["00:00-04:00", "02:00-05:00"]
