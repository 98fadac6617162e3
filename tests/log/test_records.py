"""One record of the log."""

from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.domain import OutcomeKind
from features.log.records import SEEN, microseconds, moment
from tests import worlds

moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it


@given(moments)
def test_a_time_survives_as_microseconds_exactly(at: datetime) -> None:
    assert moment(microseconds(at)) == at


def test_a_time_is_kept_as_utc_whatever_its_offset() -> None:
    at = datetime(2018, 1, 1, 9, 0, 0, 1, tzinfo=timezone(timedelta(hours=-5)))
    assert microseconds(at) == 1_514_815_200_000_001
    assert moment(microseconds(at)).tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        microseconds(datetime(2018, 1, 1))  # noqa: DTZ001 - the point of the test


def test_the_body_is_the_payload_decoded() -> None:
    assert worlds.record("event", "m1", b'{"type":"track","n":[1,2.5,null]}').body == {"type": "track", "n": [1, 2.5, None]}


def test_only_a_bounce_says_that_nobody_saw_the_message() -> None:
    assert set(get_args(OutcomeKind)) - SEEN == {"bounced"}
