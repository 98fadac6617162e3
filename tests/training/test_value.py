import numpy as np
import pytest

from training.evaluate_value import evaluate_value, gini
from training.folds import Timed
from training.models import raw
from training.parameters import Parameters
from training.value import FittedValue, learn_value

_DAY = 86_400_000_000


def _world(seed: int = 1, rows: int = 4_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, amounts and true expectations: two thirds bring nothing; who does brings more with the second column."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 3)).astype(np.float32)
    some = 1 / (1 + np.exp(1 - matrix[:, 0]))
    mean = 20 * np.exp(0.5 * matrix[:, 1])
    amounts = np.where(random.random(rows) < some, random.gamma(2, mean / 2), 0.0)
    return matrix, amounts, some * mean


def _fitted(matrix: np.ndarray, amounts: np.ndarray, *, blocks: int = 4, **more: object) -> FittedValue:
    block = (np.arange(len(amounts)) * blocks // len(amounts)).astype(np.int32)
    at = block.astype(np.int64) * 30 * _DAY
    timed = Timed(block=block, at_us=at, closes_us=at + 30 * _DAY)
    given = {"columns": ["some", "much", "noise"], "parameters": Parameters(num_iterations=80, num_leaves=6)}
    return learn_value(matrix=matrix, amounts=amounts, timed=timed, **given | more)


def _said(fitted: FittedValue, matrix: np.ndarray) -> np.ndarray:
    return fitted.answer.amounts({name: raw(text, matrix) for name, text in fitted.forests.items()})


def test_totals_come_true_and_the_order_is_nearly_the_best_there_is():
    matrix, amounts, _ = _world(rows=12_000)
    new, seen, expected = _world(seed=2)

    said = _said(_fitted(matrix, amounts), new)

    assert said.sum() == pytest.approx(expected.sum(), rel=0.07)  # amounts vary so that 12,000 have a standard error of 2%
    assert gini(seen, said) > 0.9 * gini(seen, expected)
    for tenth in np.array_split(np.argsort(said), 10):
        assert said[tenth].mean() == pytest.approx(expected[tenth].mean(), rel=0.25, abs=1.0)


def test_most_bring_nothing_and_nobody_is_expected_to_bring_less():
    matrix, amounts, _ = _world()

    said = _said(_fitted(matrix, amounts), matrix)

    assert (amounts == 0).mean() > 0.6
    assert (said > 0).all() and said.max() <= amounts.max() * 1.5


def test_where_nothing_can_be_held_out_nothing_is_scaled():
    matrix, amounts, _ = _world(rows=1_000)

    fitted = _fitted(matrix, amounts, blocks=1)

    assert (fitted.answer.scale, len(fitted.held)) == (1.0, 0)


def test_bounds_hold_for_the_chance_and_the_amount():
    matrix, amounts, _ = _world()
    fitted = _fitted(matrix, amounts, falls_with=["much"])  # the data say the opposite
    steps = np.zeros((50, 3), dtype=np.float32)
    steps[:, 1] = np.linspace(-3, 3, 50)

    assert (np.diff(_said(fitted, steps)) <= 1e-9).all()


def test_the_same_rows_teach_the_same_byte_for_byte():
    matrix, amounts, _ = _world(rows=1_500)

    first, second = _fitted(matrix, amounts), _fitted(matrix, amounts)

    assert (first.forests, first.answer) == (second.forests, second.answer)


def test_metrics_of_three_rows_are_computed_by_hand():
    found = evaluate_value(np.array([0.0, 10.0, 30.0]), np.array([5.0, 20.0, 10.0]), customers=["a", "b", "c"])

    assert found["mae"].value == pytest.approx((5 + 10 + 20) / 3)
    assert found["total_ratio"].value == pytest.approx(35 / 40)
    # by expectation 10, 30, 0: the area under 0, 10, 40, 40 less that under the straight line; the perfect order 30, 10, 0
    assert found["gini"].value == pytest.approx(((5 + 25 + 40) / 3 - 20) / ((15 + 35 + 40) / 3 - 20))
    assert found.positives == 2


def test_one_expectation_for_all_orders_nobody():
    assert gini(np.array([0.0, 1.0, 5.0]), np.ones(3)) == pytest.approx(0)
    assert gini(np.array([0.0, 1.0, 5.0]), np.array([0.0, 1.0, 5.0])) == pytest.approx(1)
