from datetime import UTC, datetime, timedelta

import pytest

from features.times_asked import TimeError, asked_since, asked_span
from tests.worlds import NOW


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30d", NOW - timedelta(days=30)),
        ("48h", NOW - timedelta(hours=48)),
        ("8w", NOW - timedelta(weeks=8)),
        ("2017-12-31", datetime(2017, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_date_or_a_time_back_from_now_is_read(text: str, found: datetime) -> None:
    assert asked_since(text, NOW) == found


@pytest.mark.parametrize("text", ["", "d", "0d", "-3d", "30", "30m", "2017-13-01", "31.12.2017", "2018-01-02"])
def test_other_times_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(TimeError, match=r"30d|earlier one"):
        asked_since(text, NOW)


def test_a_span_excludes_its_second_date() -> None:
    assert asked_span("2017-01-01..2017-02-01") == (datetime(2017, 1, 1, tzinfo=UTC), datetime(2017, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize("text", ["2017-01-01", "2017-02-01..2017-01-01", "2017-01-01..2017-01-01", "2017-01-01...2017-02-01"])
def test_other_spans_are_refused(text: str) -> None:
    with pytest.raises(TimeError):
        asked_span(text)
