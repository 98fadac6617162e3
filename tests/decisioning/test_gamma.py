"""The table of the gamma distribution against SciPy's function, and against exact arithmetic where SciPy's digits run out."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import special

from decisioning import gamma

SHAPES = (3 / 64, 0.05, 0.1, 0.3, 0.5, 0.99, 1.0, 1.5, 2.0, 3.0, 5.0, 20.0, 100.0, 1e3, 1e4, 1e5)


def read(shape: float, ln_y: np.ndarray) -> np.ndarray:
    table = gamma.table(shape)
    return np.array([gamma.log_cdf(table.cells, table.marks, one) for one in ln_y])


def over_the_whole_range(shape: float, points: int) -> np.ndarray:
    """Points ln y from where F is 1e-11 to where it is 1 - 1e-15; F is y^shape / Gamma(shape + 1) where y is tiny."""
    low = (np.log(1e-11) + special.gammaln(shape + 1.0)) / shape
    lowest = special.gammaincinv(shape, 1e-11)
    return np.linspace(np.log(lowest) if lowest > 1e-300 else low, np.log(special.gammainccinv(shape, 1e-15)), points)


def exact(shape: float, ln_y: np.ndarray) -> np.ndarray:
    leading = shape * ln_y - special.gammaln(shape + 1.0)
    with np.errstate(divide="ignore"):
        return np.where(ln_y < -30.0, leading, np.log(special.gammainc(shape, np.exp(ln_y))))


@pytest.mark.parametrize("shape", SHAPES)
def test_it_equals_scipy_over_the_whole_range_of_a_shape(shape: float) -> None:
    ln_y = over_the_whole_range(shape, 4001)
    np.testing.assert_allclose(np.exp(read(shape, ln_y)), np.exp(exact(shape, ln_y)), rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_logarithm_keeps_its_digits_in_the_lower_tail(shape: float) -> None:
    ln_y = over_the_whole_range(shape, 4001)
    np.testing.assert_allclose(read(shape, ln_y), exact(shape, ln_y), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("deviations", [-6.0, -1.0, 0.0, 0.5, 3.0])
@pytest.mark.parametrize("shape", [400.0, 1e4, 1e6])
def test_it_equals_exact_arithmetic_where_the_evidence_is_large(shape: float, deviations: float) -> None:
    x = shape + deviations * shape**0.5
    found = float(np.exp(read(shape, np.array([np.log(x)])))[0])
    assert found == pytest.approx(_exact(shape, x), rel=1e-6, abs=1e-10)


@pytest.mark.parametrize("shape", [*SHAPES, 1e6, 1e7])
def test_it_rises_to_one_and_leaves_out_less_than_can_be_drawn(shape: float) -> None:
    marks = gamma.table(shape).marks
    values = read(shape, np.linspace(marks[0] - 3.0, marks[2] + 1.0, 5001))
    assert np.all(np.diff(values) >= -1e-15)
    assert values[-1] == 0.0
    assert np.exp(values[0]) < (0.5 if shape < 1 else 1e-7)
    if shape < 1e6:
        assert special.gammaincc(shape, np.exp(marks[2])) < 2.0**-45


@pytest.mark.parametrize("shape", SHAPES)
def test_the_pieces_meet_in_value_slope_and_curvature(shape: float) -> None:
    c = gamma.table(shape).cells
    ends = np.array([c[:-2].sum(axis=1), c[:-2] @ np.arange(6), c[:-2] @ np.array([0, 0, 1, 3, 6, 10])]).T
    np.testing.assert_allclose(ends, c[1:-1, :3], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [0.0, -1.0, 0.04, 1.1e7, float("nan")])
def test_a_shape_without_a_table_is_refused(shape: float) -> None:
    with pytest.raises(ValueError, match="shape"):
        gamma.table(shape)


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
