"""Steps as polynomials: what the rule makes of a function that begins or peaks within a panel."""

import numpy as np
import pytest

from decisioning.steps import FIRST, POINTS, SIZES, WEIGHTS, step


def projected(rule: int, tau: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    here = slice(FIRST[rule], FIRST[rule] + SIZES[rule])
    risen, rising = np.empty(SIZES[rule]), np.empty(SIZES[rule])
    step(rule, tau, risen, rising)
    return POINTS[here], WEIGHTS[here], risen, rising


@pytest.mark.parametrize("tau", [-1.0, -0.3, 0.0, 0.71, 1.0])
@pytest.mark.parametrize("rule", range(len(SIZES)))
def test_a_polynomial_of_the_rules_degree_is_integrated_exactly_from_the_step_on(rule: int, tau: float) -> None:
    f = np.polynomial.Polynomial(np.random.default_rng(rule).normal(size=SIZES[rule]))
    points, weights, risen, rising = projected(rule, tau)
    assert (weights * f(points) * risen).sum() == pytest.approx(f.integ()(1.0) - f.integ()(tau), abs=1e-12)
    assert (weights * f(points) * rising).sum() == pytest.approx(f(tau), abs=1e-12)
