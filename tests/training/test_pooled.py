import numpy as np
import pytest

from features.line import Line
from training.models import sigmoid
from training.parameters import Parameters
from training.pooled import LOOSEST, STRICTEST, learn_pooled

COLUMNS = ("a", "b", "is_x", "is_y")


def rows(n=6_000, seed=3, effect=1.5, bent=0.0):
    """Message x helps whose a is positive and harms the others, y does nothing; b alone says what happens without. `bent`: any
    message helps where both a and b are above 0.
    """
    rng = np.random.default_rng(seed)
    like = rng.standard_normal((n, 2)).astype(np.float32)
    said = rng.integers(0, 3, n)
    shown = np.stack([said == 1, said == 2], axis=1).astype(np.float32)
    odds = -1.0 + 0.8 * like[:, 1] + effect * np.sign(like[:, 0]) * shown[:, 0]
    odds += bent * (like > 0).all(axis=1) * (said > 0)
    return {
        "matrix": np.column_stack([like, shown]).astype(np.float32),
        "labels": (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.uint8),
        "treated": said > 0,
        "columns": COLUMNS,
        "parameters": Parameters(num_iterations=60, learning_rate=0.1),
        "only_with_message": ("is_x", "is_y"),
    }


def both(fitted, asked):
    raw = {name: score(np.array(asked, dtype=np.float32)) for name, score in fitted.scorers().items()}
    return sigmoid(raw["line"] + raw["base"] + raw["changes"]), sigmoid(raw["line_without"] + raw["base"])


def effects(given, a, b=0.0):
    with_it, without = both(learn_pooled(**given), [[a, b, 1.0, 0.0], [a, b, 0.0, 1.0]])
    return with_it - without


def test_who_is_helped_and_who_is_harmed_is_found():
    given = rows()

    assert effects(given, a=1.0)[0] > 0.2
    assert effects(given, a=-1.0)[0] < -0.1
    assert abs(effects(given, a=1.0)[1]) < 0.06


def test_what_no_line_can_say_is_found():
    given = rows(effect=0.0, bent=1.5)

    assert effects(given, a=1.0, b=1.0).mean() > effects(given, a=1.0, b=-1.0).mean() + 0.15


def test_shuffled_labels_teach_no_effect():
    given = rows()
    given["labels"] = np.random.default_rng(5).permutation(given["labels"])

    assert abs(effects(given, a=1.0)).max() < 0.05


def test_the_chance_without_a_message_does_not_depend_on_the_message():
    nothing = both(learn_pooled(**rows()), [[0.3, 0.1, 1.0, 0.0], [0.3, 0.1, 0.0, 1.0]])[1]

    assert nothing[0] == nothing[1]


def test_a_missing_number_counts_as_the_mean_in_the_line():
    given = rows()
    given["matrix"][::7, 1] = np.nan
    line = learn_pooled(**given).line

    asked = np.array([[0.5, np.nan, 0, 0], [0.5, line.customer.mean[1], 0, 0]], dtype=np.float32)
    unknown, usual = line.log_odds(asked)[0]
    assert unknown == pytest.approx(usual, abs=1e-6)


def test_a_code_is_no_number():
    """Of three codes the middle one alone is moved."""
    rng = np.random.default_rng(6)
    code, told = rng.integers(0, 3, 6_000), rng.random(6_000) < 0.5
    given = {
        "matrix": np.column_stack([rng.standard_normal(6_000), code]).astype(np.float32),
        "labels": (rng.random(6_000) < 0.2 + 0.4 * (told & (code == 1))).astype(np.uint8),
        "treated": told,
        "columns": ("noise", "code"),
        "parameters": Parameters(num_iterations=2),
        "only_with_message": (),
    }
    asked = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0]], dtype=np.float32)

    def moved(line: Line) -> np.ndarray:
        with_it, without = line.log_odds(asked)
        return sigmoid(with_it) - sigmoid(without)

    assert moved(learn_pooled(**given, coded=("code",)).line) == pytest.approx([0.0, 0.4, 0.0], abs=0.06)
    assert moved(learn_pooled(**given).line)[1] < 0.25


def test_priors_are_as_narrow_as_the_rows_say():
    """What differs from message to message is believed where it does, and shrunk away where it does not."""
    differ, alike = learn_pooled(**rows()).precisions[-1], learn_pooled(**rows(effect=0.0)).precisions[-1]

    assert LOOSEST <= differ < alike / 4 <= STRICTEST


def test_many_columns_are_crossed_no_more():
    rng = np.random.default_rng(8)
    given = rows(800)
    wide = rng.standard_normal((800, 60)).astype(np.float32)
    given["matrix"] = np.column_stack([wide, given["matrix"]]).astype(np.float32)
    given["columns"] = (*(f"c{at}" for at in range(60)), *COLUMNS)

    line = learn_pooled(**given).line
    assert not line.pairs
    assert len(line.weights) == 2 * 63 + 2 + 2 * 62


def test_the_same_rows_give_the_same_model():
    assert learn_pooled(**rows(2_000)) == learn_pooled(**rows(2_000))
