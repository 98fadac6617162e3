import numpy as np
import pytest

from features.calibration import Isotonic, Platt


def test_platts_curve_never_overflows() -> None:
    scores = np.array([-1e6, -1.0, 0.0, 1.0, 1e6])
    np.testing.assert_allclose(Platt().apply(scores)[1:4], [0.26894142, 0.5, 0.73105858], rtol=1e-7)
    assert Platt(a=2.0, b=1.0).apply(np.array([0.5]))[0] == pytest.approx(0.88079708)
    assert np.all(np.diff(Platt().apply(scores)) > 0)


def test_the_rising_line_goes_through_its_points_and_is_flat_beyond_them() -> None:
    line = Isotonic(scores=(-1.0, 0.0, 2.0), probabilities=(0.1, 0.2, 0.6))
    np.testing.assert_allclose(line.apply(np.array([-9, -1, -0.5, 0, 1, 2, 9])), [0.1, 0.1, 0.15, 0.2, 0.4, 0.6, 0.6])
    assert line.apply(np.zeros((2, 3))).shape == (2, 3)


@pytest.mark.parametrize(
    ("scores", "probabilities"),
    [
        ((0.0,), (0.5,)),
        ((0.0, 1.0), (0.5,)),
        ((0.0, 0.0), (0.1, 0.5)),
        ((0.0, float("inf")), (0.1, 0.5)),
        ((0.0, 1.0), (0.5, 0.1)),
        ((0.0, 1.0), (0.0, 0.5)),
        ((0.0, 1.0), (0.5, 1.0)),
    ],
)
def test_points_that_make_no_rising_line_are_refused(scores, probabilities) -> None:
    with pytest.raises(ValueError, match="calibration"):
        Isotonic(scores=scores, probabilities=probabilities)


def test_a_strange_number_calibrates_nothing() -> None:
    with pytest.raises(ValueError, match="finite"):
        Platt(a=float("inf"))
