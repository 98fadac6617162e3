from datetime import UTC, datetime

import numpy as np
import pytest

from features.log.records import microseconds
from features.schema import ProfileSpec
from tests.features.worlds import PROFILE, RICH, spec

NOW = 1_500_000_000_000_000


def _aged(values: dict[str, float], days: float, profile: ProfileSpec, at_us: int = NOW) -> dict[str, float]:
    index = profile.index
    row = np.full(len(index), np.nan)
    for name, value in values.items():
        row[index.positions[name]] = value
    aged = profile.ageing.aged(row, np.array(days), at_us)
    assert aged.dtype == np.float32
    return {name: float(aged[at]) for name, at in index.positions.items()}


def test_time_halves_what_decays_adds_to_what_grows_and_leaves_the_rest() -> None:
    aged = _aged({"orders_30d": 8.0, "since_order": 2.0, "points": 90.0}, 60.0, spec())
    assert {name: aged[name] for name in ("orders_30d", "since_order", "points", "tier")} == {
        "orders_30d": 2.0, "since_order": 62.0, "points": 90.0, "tier": 0.0,
    }  # fmt: skip
    assert np.isnan(aged["spend_30d"])


@pytest.mark.parametrize(("points", "tier"), [(99.99, 0), (100.0, 1), (499.0, 1), (500.0, 2), (np.nan, np.nan)])
def test_a_band_counts_the_cuts_that_are_reached(points: float, tier: float) -> None:
    np.testing.assert_array_equal(_aged({"points": points}, 0.0, spec())["tier"], tier)


def test_a_row_is_never_rewound() -> None:
    values = dict.fromkeys(spec().index.positions, 1.0)
    assert _aged(values, -3650.0, spec()) == _aged(values, 0.0, spec())


@pytest.mark.parametrize(
    ("taken", "sent", "rate"),
    [(1.0, 4.0, 0.25), (3.0, 2.0, 1.5), (1.0, 0.0, np.nan), (1.0, 1e-12, np.nan), (np.nan, 1.0, np.nan), (1.0, np.nan, np.nan)],
)
def test_a_ratio_over_nothing_or_of_what_is_missing_is_missing(taken: float, sent: float, rate: float) -> None:
    aged = _aged({"taken": taken, "sent": sent}, 0.0, spec(RICH))
    np.testing.assert_array_equal(aged["rate"], rate)


def test_a_ratio_of_two_sums_that_fade_alike_stays_as_it_is_until_they_are_forgotten() -> None:
    aged = {days: _aged({"taken": 1.0, "sent": 4.0}, days, spec(RICH))["rate"] for days in (0.0, 600.0, 5000.0)}
    assert aged[0.0] == aged[600.0] == 0.25
    assert np.isnan(aged[5000.0])


def test_a_value_is_missing_once_it_is_older_than_its_time_to_live() -> None:
    assert _aged({"sent_care": 1.0}, 90.0, spec(RICH))["sent_care"] == 0.125
    assert np.isnan(_aged({"sent_care": 1.0}, 90.001, spec(RICH))["sent_care"])
    # the view says how long where the feature does not
    assert np.isnan(_aged({"told_effort_rated": 1.0}, 61.0, spec(RICH))["told_effort_rated"])


def test_a_default_stands_for_what_is_missing_where_the_view_knows_anything() -> None:
    assert _aged({"told_effort_rated": 1.0}, 0.0, spec(RICH))["mean_mailer"] == 3.0
    assert np.isnan(_aged({"points": 1.0}, 0.0, spec(RICH))["mean_mailer"])
    assert _aged({"sent": 0.0, "taken": 0.0}, 0.0, spec(RICH))["eager"] == 0.0


def test_a_column_is_missing_from_the_day_it_expires() -> None:
    profile = spec(PROFILE.replace("members: {column: size}", "members: {column: size, expires: 2017-06-01}"))
    day = microseconds(datetime(2017, 6, 1, tzinfo=UTC))
    before, after = (_aged({"members": 3.0, "age_band": 1.0}, 0.0, profile, at) for at in (day - 1, day))
    assert (before["members"], before["age_band"], after["age_band"]) == (3.0, 1.0, 1.0)
    assert np.isnan(after["members"])
