"""An interval of 95% holds the truth in 95 of 100 logs: doubly robust estimates over simulated logs."""

from math import sqrt

import numpy as np

from measure.intervals import LEVEL, bootstrap, empirical_bernstein
from measure.ope import dr
from measure.support import refusal
from tests.proofs.finding import Finding, found
from tests.proofs.logs import simulated_log

LEAST, MOST = 0.93, 0.97
"""Of the bootstrap, over a thousand logs or more; fewer logs leave more to chance."""


def intervals_cover(size: int, seed: int) -> Finding:
    """So many logs that can be evaluated: the bootstrap's intervals hold the truth in 93-97%, Bernstein's in 95% or more."""
    random = np.random.default_rng(seed)
    held, sure, refused = 0, 0, 0
    sides, shorter = {"below": 0, "above": 0}, []
    for at in range(size):
        one = simulated_log(random)
        while refusal(one.log, one.target) is not None:
            refused, one = refused + 1, simulated_log(random)
        terms, reach = dr(one.log, one.target, one.expected), one.greatest_weight * one.most
        drawn = bootstrap(terms, seed=at)
        bernstein = empirical_bernstein(terms, least=-reach, most=one.most + reach)
        held += int(drawn.low <= one.truth <= drawn.high)
        sure += int(bernstein.low <= one.truth <= bernstein.high)
        sides["below"] += int(one.truth < drawn.low)
        sides["above"] += int(one.truth > drawn.high)
        shorter.append((drawn.high - drawn.low) / (bernstein.high - bernstein.low))
    # at the whole size exactly the bounds; at a small one as far from them as three errors of so few logs allow
    slack = 0.0 if size >= 1_000 else 3 * sqrt(LEVEL * (1 - LEVEL) / size)
    counted = {
        "logs": size,
        "refused for want of support": refused,
        "bootstrap holds the truth": held / size,
        "Bernstein holds the truth": sure / size,
        "truth outside the bootstrap": sides,
        "median length, bootstrap to Bernstein": float(np.median(shorter)),
    }
    holds = LEAST - slack <= held / size <= MOST + slack and sure / size >= LEVEL - slack
    return found("intervals cover", size=size, seed=seed, counted=counted, holds=holds)
