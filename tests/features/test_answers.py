import numpy as np
import pytest

from features.answers import Uplift, scored
from features.calibration import Platt
from features.line import NO_CODE, Line, Numbers


def _uplift(**changes: object) -> Uplift:
    given = {"learner": "t", "treated": Platt(), "nothing": Platt(), "slope": 1.0, "shift": 0.0, "share": 0.8}
    return Uplift(**(given | changes))


def _log_odds(*chances: float) -> np.ndarray:
    return np.log(np.array(chances) / (1 - np.array(chances)))


def test_two_forests_that_are_believed_are_repeated():
    raw = {"treated": _log_odds(0.5, 0.2), "nothing": _log_odds(0.3, 0.25)}

    with_it, without = _uplift().probabilities(raw)

    assert with_it == pytest.approx([0.5, 0.2])
    assert without == pytest.approx([0.3, 0.25])


def test_what_is_not_believed_is_one_effect_for_all_around_the_average():
    raw = {"treated": _log_odds(0.5, 0.2), "nothing": _log_odds(0.3, 0.25)}

    with_it, without = _uplift(slope=0.0, shift=0.05).probabilities(raw)

    assert with_it - without == pytest.approx([0.05, 0.05])
    assert 0.8 * with_it + 0.2 * without == pytest.approx([0.46, 0.21])


def test_effects_of_the_x_learner_are_weighted_by_the_share_of_the_other_kind():
    raw = {"effect_treated": np.array([0.1]), "effect_nothing": np.array([0.2])}

    assert _uplift(learner="x").effect(raw) == pytest.approx([0.8 * 0.2 + 0.2 * 0.1])


def test_chances_stay_inside():
    raw = {"treated": _log_odds(0.999), "nothing": _log_odds(0.001)}

    with_it, without = _uplift(slope=3.0).probabilities(raw)

    assert 0 < without[0] < with_it[0] < 1


def test_of_the_pooled_learner_scores_add_up():
    line = Line(
        customer=Numbers(columns=(0,), codes=(NO_CODE,), mean=(1.0,), spread=(2.0,)),
        message=Numbers(columns=(1,), codes=(1,), mean=(0.0,), spread=(1.0,)),
        pairs=False,
        each=True,
        middle=(),
        weights=(-1.0, 0.5, 0.2, 0.1, 0.3, -0.4),
    )
    answer = _uplift(learner="pooled", line=line)
    rows = np.array([[5.0, 1.0], [np.nan, 0.0], [99.0, np.nan]], dtype=np.float32)
    forests = {"base": lambda matrix: np.full(len(matrix), 0.01), "changes": lambda matrix: np.full(len(matrix), 0.02)}

    with_it, without = answer.both(scored(answer, forests, rows))

    # the customer's number is 2, missing and so 0, and no further from the mean than 3
    own = np.array([2.0, 0.0, 3.0])
    assert without == pytest.approx(_chance(-1.0 + 0.5 * own + 0.01))
    said = np.array([1.0, 0.0, 0.0])
    added = 0.2 + 0.1 * own + 0.3 * said - 0.4 * said * own + 0.02
    assert with_it == pytest.approx(_chance(-1.0 + 0.5 * own + 0.01 + added))


def _chance(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds))


@pytest.mark.parametrize("changes", [{"learner": "s"}, {"learner": "pooled"}, {"slope": float("nan")}, {"share": 1.0}])
def test_an_answer_that_cannot_be_computed_is_refused(changes):
    with pytest.raises(ValueError, match="uplift"):
        _uplift(**changes)
