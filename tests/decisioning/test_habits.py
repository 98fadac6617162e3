"""Habits: whose numbers count for how much, level by level."""

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from decisioning.customer import FeatureIndex, Profile
from decisioning.habits import PARTS, POOL_WEIGHT, VISITS, Habits, Source, answers
from features.schema import DAYS, HOURS
from tests import worlds

ANSWERS = answers("email")
INDEX = worlds.index(*(worlds.feature(name) for name in ANSWERS))
HABITS = Habits.of(INDEX, "email")
NUMBERS = st.lists(st.integers(0, 50), min_size=31, max_size=31)


def profile(known: Mapping[str, float]) -> Profile:
    return worlds.profile(of=INDEX, orders_90d=0.0, **known)


def hours(known: Mapping[str, float], population: Mapping[str, float] | None = None) -> NDArray[np.float64]:
    """Shares (24,) of the hours of a day."""
    weights = HABITS.week(profile(known), population or {}).weights
    shares: NDArray[np.float64] = weights.reshape(7, 24).sum(axis=0)
    return shares


def test_the_names_are_those_that_a_profile_gives_its_features() -> None:
    assert (*HOURS, *DAYS) == PARTS
    assert VISITS[8] == "hour_08" and VISITS[24] == "day_mon" and ANSWERS[8] == "answers_email_08"


def test_nobody_knows_anything_of_a_stranger_of_a_new_brand() -> None:
    week = HABITS.week(Profile.empty(INDEX), {})
    assert week.weights == pytest.approx(np.full(168, 1 / 168))
    assert {week.source(hour) for hour in range(168)} == {None}


def test_the_weight_of_an_hour_is_its_share_of_the_day_times_the_share_of_its_day() -> None:
    week = HABITS.week(profile({"hour_18": 20.0, "day_tue": 20.0}), {}).weights
    evening, tuesday = (20 + POOL_WEIGHT / 24) / (20 + POOL_WEIGHT), (20 + POOL_WEIGHT / 7) / (20 + POOL_WEIGHT)
    assert week[24 + 18] == pytest.approx(evening * tuesday)
    assert week.argmax() == 24 + 18
    assert week.sum() == pytest.approx(1.0)


ALL_COME, ALL_ANSWER = {"hour_10": 90.0}, {"hour_10": 90.0, "answers_email_12": 90.0}


@pytest.mark.parametrize(
    ("known", "population", "best", "expected"),
    [
        ({}, {"hour_10": 1.0}, 10, "visits of all"),
        ({}, {"hour_10": 90.0, "answers_email_12": 90.0}, 12, "answers of all"),
        ({"hour_18": 1.0}, ALL_COME, 10, "visits of all"),
        ({"hour_10": 1.0}, ALL_COME, 10, "visits of all"),
        ({"hour_10": 9.0}, ALL_COME, 10, "own visits"),
        ({"hour_18": 9.0}, ALL_COME, 18, "own visits"),
        ({"hour_18": 9.0, "answers_email_20": 1.0}, ALL_COME, 18, "own visits"),
        ({"hour_18": 9.0, "answers_email_20": 3.0}, ALL_COME, 20, "own answers"),
        ({"hour_18": 9.0, "answers_email_20": 9.0}, ALL_ANSWER, 20, "own answers"),
        ({"answers_email_20": 9.0}, ALL_ANSWER, 20, "own answers"),
    ],
    ids=["all come", "all answer", "one other visit", "one visit like all", "visits like all", "own visits", "one answer",
         "some answers", "many answers", "answers only"],
)  # fmt: skip
def test_the_best_hour_is_known_with_its_reason(
    known: Mapping[str, float], population: Mapping[str, float], best: int, expected: Source
) -> None:
    week = HABITS.week(profile(known), population)
    assert week.weights[:24].argmax() == best
    assert week.source(best) == expected


@given(st.lists(st.integers(0, 9), min_size=124, max_size=124), st.integers(0, 167))
def test_a_weight_is_made_of_what_each_level_lifts_and_what_speaks_for_an_hour_lifts_it(known: list[int], hour: int) -> None:
    """So without the level that speaks for it the hour weighs less beside an hour that the level says nothing of."""
    week = HABITS.week(
        profile(dict(zip(HABITS.names, map(float, known[:62]), strict=True))),
        dict(zip(HABITS.names, map(float, known[62:]), strict=True)),
    )
    lifts = np.stack([np.outer(lifted[24:], lifted[:24]).ravel() for lifted in week.lifts])
    made = lifts.prod(axis=0)
    assert week.weights == pytest.approx(made / made.sum())
    level = {name: at for at, name in enumerate(get_args(Source))}
    spoken = week.source(hour)
    assert (lifts[:, hour] <= 1 + 1e-6).all() if spoken is None else lifts[level[spoken], hour] > 1


def test_without_own_visits_the_answers_of_all_are_expected() -> None:
    population = {"hour_10": 500.0, "hour_18": 500.0, "answers_email_12": 60.0, "answers_email_18": 40.0}
    of_all = np.zeros(24)
    of_all[12], of_all[18] = 60.0, 40.0
    come = np.full(24, POOL_WEIGHT / 24)
    come[[10, 18]] += 500.0
    expected = (of_all + POOL_WEIGHT * come / come.sum()) / (100 + POOL_WEIGHT)
    assert hours({}, population) == pytest.approx(expected)


def test_without_anybodys_answers_the_own_visits_are_expected() -> None:
    population = {"hour_10": 500.0}
    come = np.full(24, POOL_WEIGHT / 24)
    come[10] += 500.0
    own = np.zeros(24)
    own[18] = 6.0
    assert hours({"hour_18": 6.0}, population) == pytest.approx((own + POOL_WEIGHT * come / come.sum()) / (6 + POOL_WEIGHT))


def test_who_comes_at_night_is_written_to_later_than_others_and_still_when_e_mail_is_read() -> None:
    population = {"hour_10": 500.0, "hour_20": 500.0, "answers_email_09": 300.0, "answers_email_21": 300.0}
    population |= {"hour_09": 200.0, "hour_21": 200.0}
    early, late = hours({"hour_09": 6.0, "hour_10": 6.0}, population), hours({"hour_20": 6.0, "hour_21": 6.0}, population)
    assert (early.argmax(), late.argmax()) == (9, 21)
    assert hours({}, population)[9] == pytest.approx(hours({}, population)[21])


def test_more_answers_of_ones_own_never_count_for_less() -> None:
    population = {"hour_10": 90.0, "answers_email_12": 90.0}
    shares = [hours({"answers_email_20": seen}, population)[20] for seen in (0.0, 0.5, 1.0, 4.0, 40.0, 4_000.0)]
    assert shares == sorted(shares)
    assert shares[-1] > 0.99


def test_what_is_missing_negative_or_no_number_counts_as_nothing() -> None:
    odd = {"hour_18": 9.0, "hour_03": -5.0, "hour_04": float("inf")}
    crowd = {"hour_10": 5.0}
    assert hours(odd, crowd | {"hour_11": float("nan"), "hour_12": -1.0}).tolist() == hours({"hour_18": 9.0}, crowd).tolist()


def test_a_profile_without_habits_has_those_of_all() -> None:
    small = worlds.index()
    habits = Habits.of(small, "email")
    assert (habits.positions[31:] == -1).all()
    assert habits.week(worlds.profile(of=small, points=9.0), {"answers_email_12": 90.0}).weights[:24].argmax() == 12
    empty = FeatureIndex(())
    assert Habits.of(empty, "email").week(Profile.empty(empty), {"hour_10": 9.0}).weights[:24].argmax() == 10


def slowly(
    own_visits: Sequence[float], own_answers: Sequence[float], visits: Sequence[float], answered: Sequence[float]
) -> list[float]:
    """The same by the words of the docstring, for the hours or the days."""

    def pooled(numbers: Sequence[float], above: Sequence[float]) -> list[float]:
        whole = sum(above)
        return [
            (one + POOL_WEIGHT * share / whole) / (sum(numbers) + POOL_WEIGHT)
            for one, share in zip(numbers, above, strict=True)
        ]

    visits_of_all = pooled(visits, [1.0] * len(visits))
    answers_of_all = pooled(answered, visits_of_all)
    own = pooled(own_visits, visits_of_all)
    return pooled(own_answers, [a * o / v for a, o, v in zip(answers_of_all, own, visits_of_all, strict=True)])


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_the_weights_are_those_of_the_formula(
    own_visits: list[int], own_answers: list[int], visits: list[int], answered: list[int]
) -> None:
    known = dict(zip(VISITS, map(float, own_visits), strict=True)) | dict(zip(ANSWERS, map(float, own_answers), strict=True))
    population = dict(zip(VISITS, map(float, visits), strict=True)) | dict(zip(ANSWERS, map(float, answered), strict=True))
    week = HABITS.week(profile(known), population).weights
    four = own_visits, own_answers, visits, answered
    of_hours, of_days = slowly(*(one[:24] for one in four)), slowly(*(one[24:] for one in four))
    assert week.reshape(7, 24) == pytest.approx(np.outer(of_days, of_hours))
