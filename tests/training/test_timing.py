"""Which hours are good for writing, learned in worlds whose truth is known."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from features.receptive import WEEK, Timing
from training.errors import TrainingError
from training.evaluate_timing import evaluate_timing
from training.folds import Timed
from training.measured import draws_of, measured
from training.parameters import Parameters
from training.timing import About, FittedTiming, Rows, learn_timing, rows_of

DAY_US = 86_400_000_000
HOURS = np.arange(WEEK)
ALLOWED = (HOURS % 24 >= 8) & (HOURS % 24 < 21)
SMALL = Parameters(num_iterations=30, num_leaves=4)
ABOUT = About(channel="email", learned_from="answers", randomised=True, allowed=tuple(ALLOWED.tolist()))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`truth` (customers, 168) is by what an hour multiplies the chance of an answer, its mean over the allowed hours 1."""

    rows: Rows
    customers: list[str]
    timed: Timed
    habits: np.ndarray
    truth: np.ndarray

    def learned(self, about: About = ABOUT) -> FittedTiming:
        return learn_timing(rows=self.rows, about=about, timed=self.timed, customers=self.customers, parameters=SMALL)


@cache
def world(*, seed: int = 1, customers: int = 400, each: int = 20, own: float = 1.0, everybody: float = 1.0) -> World:
    """Customers come around an hour of their own, and answer most then, and in the evening; hours drawn by chance."""
    random = np.random.default_rng(seed)
    peak = random.integers(8, 21, customers)
    habit = np.exp(-0.5 * ((np.arange(24) - peak[:, None]) / 2.0) ** 2) + 0.03
    habit /= habit.sum(axis=1, keepdims=True)
    curve = everybody * 0.8 * np.exp(-(((HOURS % 24 - 18) / 3.0) ** 2))
    log = curve + own * 0.8 * np.log(np.tile(habit, (1, 7)) * 24)
    truth = np.exp(log) / np.exp(log)[:, ALLOWED].mean(axis=1, keepdims=True)
    habits = np.full((customers, 62), np.nan, dtype=np.float32)
    habits[:, :24], habits[:, 24:31] = random.poisson(25 * habit), random.poisson(25 / 7, (customers, 7))
    who, turn = np.tile(np.arange(customers), each), np.repeat(np.arange(each), customers)
    hours = random.choice(np.flatnonzero(ALLOWED), len(who))
    answered = random.random(len(who)) < np.minimum(0.12 * truth[who, hours], 0.95)
    rows = Rows(own=habits[who], hours=hours, said=np.zeros(len(who)), labels=answered.astype(float), weights=np.ones(len(who)))
    timed = Timed(block=(turn * 3 // each).astype(np.int32), at_us=turn * DAY_US, closes_us=turn * DAY_US + DAY_US // 2)
    return World(rows=rows, customers=[str(one) for one in who], timed=timed, habits=habits, truth=truth)


@cache
def learned(**asked: float) -> FittedTiming:
    return world(**asked).learned()  # type: ignore[arg-type]


def share_of_gain(of: World, model: Timing) -> np.ndarray:
    """(customers, 2): what the hour that the model thinks best gains over any hour, and what the truly best one does."""
    best = np.where(ALLOWED, model.factors(of.habits), 0).argmax(axis=1)
    return np.column_stack([of.truth[np.arange(len(best)), best], of.truth[:, ALLOWED].max(axis=1)]) - 1


def test_most_of_what_the_best_hour_of_each_customer_gains_is_gained() -> None:
    of = world()
    gained = share_of_gain(of, learned().answer)
    draws = draws_of([str(one) for one in range(len(gained))], seed=1)
    share = measured("share", lambda weights: float((weights @ gained[:, 0]) / (weights @ gained[:, 1])), draws)
    print(f"share of the attainable gain: {share.value:.3f} [{share.low:.3f}, {share.high:.3f}]")
    assert share.low > 0.75
    everybody = share_of_gain(of, replace_own(learned().answer))
    assert gained[:, 0].sum() > 1.5 * everybody[:, 0].sum()


def replace_own(model: Timing) -> Timing:
    return Timing(**{name: getattr(model, name) for name in model.__struct_fields__} | {"visits": 0.0, "answers": 0.0})


def test_own_habits_are_kept_only_where_held_out_time_shows_their_worth() -> None:
    habits, none = learned(), learned(own=0.0)
    assert habits.answer.own and habits.folds["own_gain_low"] > 0
    assert not none.answer.own and none.folds["own_gain_low"] <= 0
    evening = none.answer.factors(none_of(1))[0]
    assert HOURS[ALLOWED][evening[ALLOWED].argmax()] % 24 in (17, 18, 19)
    assert none.answer.factors(none_of(1)) == pytest.approx(none.answer.factors(world().habits[:1]))


def none_of(many: int) -> np.ndarray:
    return np.full((many, 62), np.nan, dtype=np.float32)


def test_where_no_hour_is_better_than_another_the_model_says_so() -> None:
    found = learned(own=0.0, everybody=0.0)
    factors = found.answer.factors(world().habits)
    assert not found.answer.own
    assert np.abs(factors[:, ALLOWED] - 1).max() < 0.1


def test_a_forest_of_the_same_columns_is_no_better_than_the_arrays_here() -> None:
    assert learned().folds["forest_gain_low"] < 0.0


def test_of_hours_that_a_policy_preferred_chance_knows_how_often() -> None:
    """In the morning mostly those are written to who answer anyway; no hour is better than another."""
    random = np.random.default_rng(3)
    count = 12_000
    keen = random.random(count) < 0.5
    morning = random.random(count) < np.where(keen, 0.9, 0.1)
    hours = np.where(morning, random.integers(8, 12, count), random.integers(12, 21, count))
    probability = np.where(keen, 0.9, 0.1) * morning / 4 + np.where(keen, 0.1, 0.9) * ~morning / 9
    labels = (random.random(count) < np.where(keen, 0.3, 0.05)).astype(np.uint8)
    matrix = np.column_stack([np.ones(count), hours, probability]).astype(np.float32)
    names = ("hour_10", "hour_of_week", "hour_probability")
    timed = Timed(block=np.zeros(count, dtype=np.int32), at_us=np.zeros(count, np.int64), closes_us=np.ones(count, np.int64))
    mornings = {}
    for randomised in (True, False):
        about = replace(ABOUT, randomised=randomised)
        rows = rows_of(names, matrix, labels, about)
        customers = [str(one) for one in range(count)]
        found = learn_timing(rows=rows, about=about, timed=timed, customers=customers, parameters=SMALL)
        factors = found.answer.factors(none_of(1))[0][:24]
        mornings[randomised] = factors[8:12].mean() / factors[12:21].mean()
    assert mornings[False] > 2
    assert mornings[True] == pytest.approx(1.0, abs=0.2)


def test_where_nothing_can_be_held_out_everybody_is_written_to_alike() -> None:
    of = world()
    found = replace(of, timed=replace(of.timed, block=np.zeros_like(of.timed.block))).learned()
    assert not found.answer.own and found.folds == {"rows": 0.0}


def test_the_same_rows_teach_the_same() -> None:
    assert world().learned().answer == learned().answer


def test_messages_that_all_went_at_one_hour_cannot_be_compared() -> None:
    with pytest.raises(TrainingError, match=r"one hour of the week.*let messages go at more hours"):
        rows_of(("hour_10",), np.ones((3, 1), dtype=np.float32), np.zeros(3, dtype=np.uint8), ABOUT)


def test_the_gains_on_the_test_are_over_every_rival() -> None:
    later, found = world(seed=2), learned()
    evaluation = evaluate_timing(later.rows, found.answer, found.rivals, customers=later.customers, references={}, seed=1)
    assert [one.name for one in evaluation.metrics] == [
        "log_loss", "gain_over_flat", "gain_over_everybody", "gain_over_habits",
    ]  # fmt: skip
    assert evaluation["gain_over_flat"].low > evaluation["gain_over_everybody"].low > 0
    everybody = evaluate_timing(later.rows, learned(own=0.0).answer, {}, customers=later.customers, references={}, seed=1)
    assert [one.name for one in everybody.metrics] == ["log_loss"]
