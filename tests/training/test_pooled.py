import numpy as np
import pytest

from training.errors import TrainingError
from training.parameters import Parameters
from training.pooled import learn_pooled

COLUMNS = ("a", "b", "is_x", "is_y")
_DAY = 86_400_000_000


def rows(n=6_000, seed=3, effect=1.5):
    """Message x helps whose a is positive and harms the others, y does nothing; b alone says what happens without."""
    rng = np.random.default_rng(seed)
    like = rng.standard_normal((n, 2)).astype(np.float32)
    said = rng.integers(0, 3, n)
    shown = np.stack([said == 1, said == 2], axis=1).astype(np.float32)
    odds = -1.0 + 0.8 * like[:, 1] + effect * np.sign(like[:, 0]) * shown[:, 0]
    day = np.sort(rng.integers(0, 90, n))
    return {
        "matrix": np.column_stack([like, shown]).astype(np.float32),
        "labels": (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.uint8),
        "treated": said > 0,
        "block": (day // 30).astype(np.int32),
        "at_us": day.astype(np.int64) * _DAY,
        "closes_us": (day.astype(np.int64) + 1) * _DAY,
        "columns": COLUMNS,
        "parameters": Parameters(num_iterations=60, learning_rate=0.1),
        "only_with_message": ("is_x", "is_y"),
    }


def effects(given, a, b=0.0):
    fitted = learn_pooled(**given)
    asked = np.array([[a, b, 1.0, 0.0], [a, b, 0.0, 1.0]], dtype=np.float32)
    treated, nothing = fitted.predict(asked)
    return treated - nothing


def test_who_is_helped_and_who_is_harmed_is_found():
    given = rows()

    assert effects(given, a=1.0)[0] > 0.2
    assert effects(given, a=-1.0)[0] < -0.1
    assert abs(effects(given, a=1.0)[1]) < 0.06


def test_shuffled_labels_teach_no_effect():
    given = rows()
    given["labels"] = np.random.default_rng(5).permutation(given["labels"])

    assert abs(effects(given, a=1.0)).max() < 0.05


def test_the_chance_without_a_message_does_not_depend_on_the_message():
    fitted = learn_pooled(**rows())
    asked = np.array([[0.3, 0.1, 1.0, 0.0], [0.3, 0.1, 0.0, 1.0]], dtype=np.float32)

    nothing = fitted.predict(asked)[1]
    assert nothing[0] == nothing[1]


def test_a_missing_number_counts_as_the_mean_in_the_line():
    given = rows()
    given["matrix"][::7, 1] = np.nan
    line = learn_pooled(**given).line

    unknown, usual = np.array([[0.5, np.nan, 0, 0], [0.5, line.mean[1], 0, 0]], dtype=np.float32)
    assert line.log_odds(unknown[None])[0] == pytest.approx(line.log_odds(usual[None])[0], abs=1e-6)


def test_penalty_and_mixture_are_chosen_on_the_last_block_by_what_closed_before():
    given = rows()
    open_ = given | {"closes_us": given["at_us"] + 365 * _DAY}

    assert learn_pooled(**given).loss is not None
    assert learn_pooled(**open_).loss is None


def test_the_same_rows_give_the_same_model():
    first, second = learn_pooled(**rows(2_000)), learn_pooled(**rows(2_000))

    assert first.forest == second.forest
    assert (first.line.weights == second.line.weights).all()


def test_too_few_without_a_message_are_refused():
    given = rows(600)
    given["labels"][~given["treated"]] = 0

    with pytest.raises(TrainingError, match="at least 20"):
        learn_pooled(**given)
