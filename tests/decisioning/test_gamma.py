"""The gamma distribution's function against SciPy's, and against exact arithmetic where SciPy's own digits run out."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import stats

from decisioning import gamma

CHANCES = (1e-300, 1e-100, 1e-12, 1e-6, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-6, 1 - 1e-12)


@pytest.mark.parametrize("shape", [1e-3, 0.01, 0.1, 0.5, 1, 1.5, 2, 5, 20, 100, 399.9, 400, 400.1, 1e3, 1e4, 1e5])
def test_it_equals_scipy_over_the_whole_range_of_a_shape(shape: float) -> None:
    x = np.concatenate(
        [[0.0, 1e-300, 1e-5, 20 * shape], stats.gamma.ppf(CHANCES, shape), shape + np.array([-1e-9, 0.0, 1.0 - 1e-9, 1.0])]
    ).clip(0.0)
    np.testing.assert_allclose(gamma.cdf(np.array(shape), x), stats.gamma.cdf(x, shape), rtol=0, atol=1e-12)


@pytest.mark.parametrize("deviations", [-6.0, -1.0, 0.0, 0.5, 3.0])
@pytest.mark.parametrize("shape", [400.0, 1e4, 1e6])
def test_it_equals_exact_arithmetic_where_the_evidence_is_large(shape: float, deviations: float) -> None:
    x = shape + deviations * shape**0.5
    assert float(gamma.cdf(np.array(shape), np.array(x))) == pytest.approx(_exact(shape, x), rel=1e-12, abs=1e-12)


def test_it_rises_from_zero_to_one_on_both_sides_of_every_change_of_method() -> None:
    for shape in (0.3, 2.0, 50.0, 399.0, 401.0, 5000.0):
        x = shape * np.linspace(0.0, 4.0, 2001)
        values = gamma.cdf(np.array(shape), x)
        assert values[0] == 0.0
        assert np.all(np.diff(values) > -1e-13)
        assert np.all((values >= 0.0) & (values <= 1.0))


def test_shapes_and_points_broadcast() -> None:
    shapes, x = np.array([[0.5], [2.0], [900.0]]), np.array([0.1, 2.0, 30.0, 910.0])
    values = gamma.cdf(shapes, x)
    assert values.shape == (3, 4)
    np.testing.assert_allclose(values, stats.gamma.cdf(x, shapes), rtol=0, atol=1e-13)


def _exact(shape: float, x: float) -> float:
    """The series A&S 6.5.29 in thirty digits."""
    with localcontext(prec=40):
        a, point = Decimal(shape), Decimal(x)
        term = total = Decimal(1)
        steps = 0
        while term > total * Decimal("1e-20"):
            steps += 1
            term = term * point / (a + steps)
            total += term
        two_pi = 2 * Decimal("3.14159265358979323846264338327950288419716939937510")
        log_gamma = (a + Decimal("0.5")) * a.ln() - a + two_pi.ln() / 2 + 1 / (12 * a) - 1 / (360 * a**3) + 1 / (1260 * a**5)
        return float((a * point.ln() - point - log_gamma).exp() * total)
