"""Whether the groups are as large as declared."""

import numpy as np
import pytest
from scipy.stats import chi2, chisquare

from measure.sample_ratio import _tail, sample_ratio

NAMES = ("treatment", "control", "random")
SHARES = (0.93, 0.05, 0.02)


def drawn(seed: int, customers: int = 20_000, shares: tuple[float, ...] = SHARES) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.random.default_rng(seed).choice(3, size=customers, p=shares)


def test_the_fixed_p_is_that_of_pearson() -> None:
    groups = drawn(1)
    found = sample_ratio(groups, NAMES, SHARES)
    counts = np.bincount(groups)
    assert found.p == pytest.approx(chisquare(counts, counts.sum() * np.array(SHARES)).pvalue, rel=1e-9)
    assert found.counts == dict(zip(NAMES, counts.tolist(), strict=True))


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("statistic", [0.0, 0.4, 3.0, 25.0])
def test_the_tail_of_chi_squared(statistic: float, freedom: int) -> None:
    assert _tail(statistic, freedom) == pytest.approx(chi2.sf(statistic, freedom), rel=1e-10, abs=1e-15)


def test_the_bayes_factor_is_that_of_a_dirichlet_prior() -> None:
    """Lindon and Malek 2022, equation 5, by the log-gamma function, at the best of all prefixes."""
    from scipy.special import gammaln

    groups, shares = drawn(2, 400, (0.90, 0.06, 0.04)), np.array(SHARES)
    best = 0.0
    for until in range(1, len(groups) + 1):
        counts, prior = np.bincount(groups[:until], minlength=3), 1_000 * shares
        factor = gammaln(prior + counts).sum() - gammaln(prior).sum() - gammaln(1_000 + until) + gammaln(1_000)
        best = max(best, factor - counts @ np.log(shares))
    assert sample_ratio(groups, NAMES, SHARES).p_always == pytest.approx(np.exp(-best), rel=1e-9)


def test_groups_that_are_as_declared_are_refused_seldom_however_often_one_looks() -> None:
    """p_always is already the least over every prefix: 300 trials looked at after each of 5,000 customers."""
    refused = sum(not sample_ratio(drawn(seed, 5_000), NAMES, SHARES).holds for seed in range(300))
    assert refused <= 6


def test_a_tenth_of_the_control_group_that_is_lost_is_found() -> None:
    groups = drawn(3, 200_000)
    lost = (groups == 1) & (np.random.default_rng(4).random(len(groups)) < 0.1)
    assert sample_ratio(groups, NAMES, SHARES).holds
    found = sample_ratio(groups[~lost], NAMES, SHARES)
    assert not found.holds
    assert "NOT AS DECLARED: treatment" in found.line()


def test_somebody_in_a_group_that_nobody_may_be_in_is_no_chance() -> None:
    found = sample_ratio(np.array([0, 0, 2]), NAMES, (0.95, 0.05, 0.0))
    assert (found.p, found.p_always, found.holds) == (0.0, 0.0, False)


def test_nobody_and_one_group_alone_speak_against_nothing() -> None:
    assert sample_ratio(np.array([], dtype=np.int64), NAMES, SHARES).holds
    alone = sample_ratio(np.zeros(50, dtype=np.int64), NAMES, (1.0, 0.0, 0.0))
    assert (alone.p, alone.p_always, alone.holds) == (1.0, 1.0, True)
