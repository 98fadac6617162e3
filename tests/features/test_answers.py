import numpy as np
import pytest

from features.answers import Uplift
from features.calibration import Platt


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


@pytest.mark.parametrize("changes", [{"learner": "s"}, {"slope": float("nan")}, {"share": 1.0}])
def test_an_answer_that_cannot_be_computed_is_refused(changes):
    with pytest.raises(ValueError, match="uplift"):
        _uplift(**changes)
