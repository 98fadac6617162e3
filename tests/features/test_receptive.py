"""What a model of timing says of the hours, in a request and in training alike."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import bundle
from features.answers import Answer
from features.bundle import BundledModel
from features.receptive import EXPECTED, HOUR, WEEK, Timing, expected, habits_of, lifts
from features.rows import Column, RowSpec
from tests import worlds

NOBODY = np.full(62, np.nan, dtype=np.float32)
ALIKE = (1 / 24,) * 24 + (1 / 7,) * 7


def timing(**changes: Any) -> Timing:
    given_: dict[str, Any] = {
        "channel": "email",
        "learned_from": "answers",
        "randomised": False,
        "curve": tuple(np.linspace(-1, 1, WEEK).tolist()),
        "visits": 0.7,
        "answers": 0.4,
        "pool": 16.0,
        "visits_of_all": ALIKE,
        "answers_of_all": ALIKE,
        "allowed": tuple(8 <= hour % 24 < 21 for hour in range(WEEK)),
        "base": (-2.0, 0.1, 0.2, 0.5),
        "response": 0.1,
    }
    return Timing(**(given_ | changes))


def own(**numbers: float) -> np.ndarray:
    made = NOBODY.copy()
    for name, number in numbers.items():
        made[habits_of("email").index(name)] = number
    return made


@given(
    st.lists(st.floats(-5, 5), min_size=WEEK, max_size=WEEK),
    st.lists(st.one_of(st.floats(-3, 1e6, width=32), st.just(float("nan"))), min_size=62, max_size=62),
    st.floats(-1, 2),
    st.floats(0, 0.9),
)
def test_the_mean_over_the_allowed_hours_is_one_and_every_factor_is_positive(
    curve: list[float], habits: list[float], visits: float, response: float
) -> None:
    model = timing(curve=tuple(curve), visits=visits, response=response)
    factors = model.factors(np.array([habits], dtype=np.float32))[0]
    assert factors[np.array(model.allowed)].mean() == pytest.approx(1.0)
    assert (factors > 0).all() and np.isfinite(factors).all()


def test_whoever_has_no_habits_has_the_curve_of_everybody() -> None:
    model = timing(response=0.0)
    factors = model.factors(NOBODY[None])[0]
    curve = np.exp(np.array(model.curve))
    assert factors == pytest.approx(curve / curve[np.array(model.allowed)].mean())
    assert model.factors(own(hour_03=0.0, day_mon=-4.0)[None])[0] == pytest.approx(factors)


def test_an_own_hour_is_worth_more_the_hours_beside_it_a_little_and_midnight_is_no_wall() -> None:
    model = timing(curve=(0.0,) * WEEK)
    monday = model.factors(own(hour_00=20.0)[None])[0][:24]
    assert monday.argmax() == 0
    assert monday[1] == pytest.approx(monday[23]) and monday[1] > monday[2] == pytest.approx(monday[12])


def test_the_more_was_seen_of_a_customer_the_more_it_counts() -> None:
    model = timing(curve=(0.0,) * WEEK)
    few, many = (model.factors(own(hour_18=number, day_tue=number)[None])[0] for number in (1.0, 30.0))
    assert few.argmax() == many.argmax() == 24 + 18
    assert 1 < few.max() < many.max()


@pytest.mark.parametrize("response", [0.0, 0.3])
def test_a_request_and_training_say_the_same(response: float) -> None:
    """What training says of each hour, by odds, is what a request weighs, as responses of somebody who answers as often."""
    model = timing(base=(np.log(response / (1 - response)) if response else -30.0, 0.0, 0.0, 0.0), response=response)
    customer = own(hour_09=4.0, hour_10=2.0, day_sat=3.0, answers_email_19=5.0, answers_email_sun=1.0)
    chance = model.chance(np.tile(customer, (WEEK, 1)), np.arange(WEEK), np.zeros(WEEK))
    assert model.factors(customer[None])[0] == pytest.approx(chance / chance[np.array(model.allowed)].mean())


def test_rows_without_a_column_are_rows_of_customers_without_that_habit() -> None:
    model = timing()
    whole = np.concatenate([own(hour_09=4.0), [33.0, 0.2]]).astype(np.float32)[None]
    few = np.array([[4.0, 33.0, 0.2]], dtype=np.float32)
    assert model.probabilities(("hour_09", HOUR, EXPECTED), few) == pytest.approx(
        model.probabilities((*habits_of("email"), HOUR, EXPECTED), whole)
    )


def test_what_was_expected_counts_by_its_log_odds_and_not_where_nothing_was() -> None:
    rows = np.array([[0.5], [0.9], [np.nan], [1.0]], dtype=np.float32)
    assert expected((EXPECTED,), rows)[:3] == pytest.approx([0.0, np.log(9), 0.0], rel=1e-5)
    assert np.isfinite(expected((EXPECTED,), rows)).all()
    assert expected((HOUR,), rows).tolist() == [0.0] * 4


def test_lifts_are_the_pooled_shares_over_those_of_all() -> None:
    numbers = np.zeros(31)
    numbers[[10, 24]] = 8.0
    found = lifts(numbers, ALIKE, 8.0)
    assert found[10] == pytest.approx(np.log((4 * 24 + 8) / 16))
    assert found[11] == found[9] == pytest.approx(np.log((2 * 24 + 8) / 16))
    assert found[15] == pytest.approx(np.log(0.5))
    assert found[24] == pytest.approx(np.log((8 * 7 + 8) / 16))


@pytest.mark.parametrize(
    "broken",
    [{"curve": (0.0,)}, {"pool": 0.0}, {"visits": float("nan")}, {"allowed": (False,) * WEEK}, {"response": 1.0}],
    ids=lambda one: next(iter(one)),
)
def test_a_model_that_says_nothing_sensible_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="timing: "):
        timing(**broken)


def test_a_bundle_keeps_it_and_knows_it_again(tmp_path: Any) -> None:
    assert msgspec.json.decode(msgspec.json.encode(timing()), type=Answer) == timing()
    index = worlds.index(worlds.feature("hour_10"))
    row = RowSpec((Column(name="hour_10", side="customer", of="hour_10"), Column(name=HOUR, side="action", of=HOUR)))
    made = bundle.bundled([BundledModel(name="timing", forests={}, row=row, answer=timing())], index, ())
    assert bundle.read(tmp_path, bundle.write(made, tmp_path)) == made
    with pytest.raises(bundle.BundleError, match=r"hour_10 was .* train again"):
        made.require(worlds.index(worlds.feature("hour_10", unit="weeks")))
