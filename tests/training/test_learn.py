from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from features.calibration import Platt
from features.rows import Column, RowSpec
from training.dataset import Dataset
from training.evaluate import by_group
from training.learn import learn
from training.parameters import Parameters
from training.settings import Churn

_DAY = 86_400_000_000


def _dataset(seed: int = 1, *, signal: float = 2.0) -> Dataset:
    """Four training blocks and a test of 300 rows each, a block every 30 days, each closing when the next begins."""
    random = np.random.default_rng(seed)
    block = np.repeat([0, 1, 2, 3, -1], 300).astype(np.int32)
    at = np.repeat([0, 30, 60, 90, 200], 300) * _DAY
    matrix = random.normal(size=(1500, 2)).astype(np.float32)
    labels = (random.random(1500) < 1 / (1 + np.exp(1 - signal * matrix[:, 0]))).astype(np.uint8)
    return Dataset(
        row=RowSpec(tuple(Column(name=name, side="customer", of=name) for name in ("a", "b"))),
        matrix=matrix,
        labels=labels,
        test=block == -1,
        block=block,
        at_us=at,
        closes_us=at + 30 * _DAY,
        customers=[str(row % 300) for row in range(1500)],
        groups=None,
        fingerprint="f",
        test_fingerprint="t",
        counted={},
    )


def _settings(**more: object) -> Churn:
    return Churn(
        event="e",
        horizons=(timedelta(days=30),),
        active_within=timedelta(days=60),
        train=(date(2017, 1, 1),),
        test=(date(2018, 1, 1),),
        columns=("a", "b"),
        parameters=Parameters(num_iterations=30, num_leaves=4, min_data_in_leaf=10),
        **more,
    )


def _with(data: Dataset, **changes: object) -> Dataset:
    return replace(data, **changes)


def test_what_is_held_out_is_predicted_from_before_only():
    fitted = learn(_dataset(), _settings())

    assert fitted.folds["rows"] == 900  # every block but the first
    assert 0.7 < fitted.folds["auc"] < 0.95


def test_the_test_changes_nothing():
    data = _dataset()
    scrambled = data.matrix.copy()
    scrambled[data.test] = 99
    labels = np.where(data.test, 1 - data.labels, data.labels).astype(np.uint8)

    assert learn(_with(data, matrix=scrambled, labels=labels), _settings()) == learn(data, _settings())


def test_a_later_block_does_not_change_an_earlier_ones_prediction():
    data = _dataset()
    flipped = np.where(data.block == 3, 1 - data.labels, data.labels).astype(np.uint8)
    without = data.block != 3

    part = _with(
        data,
        **{name: getattr(data, name)[without] for name in ("matrix", "labels", "test", "block", "at_us", "closes_us")},
        customers=[who for who, kept in zip(data.customers, without, strict=True) if kept],
    )
    fitted, flipped_fitted = learn(part, _settings()), learn(_with(data, labels=flipped), _settings())

    assert fitted.folds["rows"] == 600
    assert flipped_fitted.folds["rows"] == 900
    assert flipped_fitted.folds["auc"] < fitted.folds["auc"]


def test_a_row_still_open_when_a_block_begins_does_not_teach_it():
    data = _dataset()
    open_for_ever = _with(data, closes_us=data.at_us + 1000 * _DAY)

    fitted = learn(open_for_ever, _settings())

    assert fitted.folds["rows"] == 0
    assert fitted.answer.calibration == Platt()


def test_predictions_are_calibrated_probabilities():
    data = _dataset()
    fitted = learn(data, _settings())

    probabilities = fitted.answer.probabilities(fitted.raw(data.matrix[data.test]))

    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert probabilities.mean() == pytest.approx(data.labels[data.test].mean(), abs=0.06)


def test_offers_are_also_measured_by_their_group():
    data = _dataset()
    fitted = learn(_with(data, groups=[str(block) for block in data.block]), _settings())

    assert fitted.folds["group_auc"] == pytest.approx(fitted.folds["auc"])  # a row is a group of its own here


def test_offers_that_are_taken_together_make_fewer_groups_than_independent_ones():
    # every customer sees each offer twice, and takes both or none
    data = _dataset()
    twice = np.repeat(np.arange(1500), 2)
    both = _with(
        data,
        **{name: getattr(data, name)[twice] for name in ("matrix", "labels", "test", "block", "at_us", "closes_us")},
        customers=[data.customers[row] for row in twice],
        groups=[str(data.block[row]) for row in twice],
    )
    fitted, held = learn(both, _settings()), np.flatnonzero(both.test)
    said = fitted.answer.probabilities(fitted.raw(both.matrix[held]))
    who, groups = [both.customers[row] for row in held], [both.groups[row] for row in held]

    independent = by_group(both.labels[held], said, customers=who, groups=groups)
    together = by_group(both.labels[held], said, customers=who, groups=groups, together=fitted.together)

    taken = independent.labels.mean()
    assert independent.probabilities.mean() > taken + 0.05
    assert together.probabilities.mean() == pytest.approx(taken, abs=0.05)


def test_when_successes_come_is_learned_from_training_rows():
    data = _dataset()
    shares = np.where(data.labels == 1, np.where(data.test, 0.9, 0.3), np.nan)

    fitted = learn(_with(data, success_share=shares, groups=data.customers), _settings())

    assert set(fitted.arrival.shares) == {0.3}
    assert learn(data, _settings()).arrival.shares == ()
