"""Off-policy evaluation: what a policy would have earned, told from the log of another one, or a refusal that says why not.

Notation: n rows (x_i, a_i, r_i), chosen with the probability p_i = logging(a_i | x_i); a target policy pi with its
probabilities `target` (n, A); the weight w_i = pi(a_i | x_i) / p_i; an expected reward q(x, a) `expected` (n, A), from a
model that did not learn from the row; q(x, pi) = sum over a of pi(a | x) q(x, a). Where several positions were filled at
once, a row is a choice for one of them, and `target` and `expected` are those of its position.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from measure.intervals import LEVEL, Interval, Terms, bootstrap, empirical_bernstein
from measure.support import LEAST_ESS, LoggedChoices, Refusal, Support, refusal, support, weights

Floats = NDArray[np.float64]

TAU = 10.0
"""Where switch-DR stops trusting a weight, unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is known of the rewards and weights before any row is seen: the range of the rewards, and the greatest weight."""

    least: float
    most: float
    greatest_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its bootstrap interval; `bernstein` where the bounds were given and the estimator is a mean."""

    bootstrap: Interval
    bernstein: Interval | None

    @property
    def value(self) -> float:
        return self.bootstrap.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The estimates by name (ips, snips and, with expected rewards, dm, dr, sndr, switch_dr) and what they rest on.

    The intervals of dm and switch_dr hold for what these estimators estimate: the error of the expected rewards, which dm
    trusts everywhere and switch_dr above tau, is not in them.
    """

    estimates: Mapping[str, Estimate]
    support: Support

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]


def evaluate(
    log: LoggedChoices,
    target: Floats,
    *,
    expected: Floats | None = None,
    units: NDArray[np.int64] | None = None,
    bounds: Bounds | None = None,
    tau: float = TAU,
    names: Sequence[str] | None = None,
    least_ess: float = LEAST_ESS,
    level: float = LEVEL,
    seed: int,
) -> Evaluation | Refusal:
    """What `target` is worth by every estimator, or why this log cannot say it.

    `target` and `expected` are (n, A), `units` (n,) names those whose rows belong together (customers). Raises ValueError
    for arrays that do not fit each other, or rewards, expected rewards or weights outside `bounds`.
    """
    refused = refusal(log, target, names=names, least_ess=least_ess)
    if refused is not None:
        return refused
    if expected is not None:
        _check_expected(expected, target, bounds)
    made = {"ips": ips(log, target), "snips": snips(log, target)}
    if expected is not None:
        made["dm"] = dm(target, expected)
        made["dr"] = dr(log, target, expected)
        made["sndr"] = sndr(log, target, expected)
        made["switch_dr"] = switch_dr(log, target, expected, tau=tau)
    reach = {} if bounds is None else _reach(bounds, tau)
    estimates = {}
    for name, terms in made.items():
        ends = reach.get(name)
        sure = None if ends is None else empirical_bernstein(terms, least=ends[0], most=ends[1], level=level)
        estimates[name] = Estimate(bootstrap=bootstrap(terms, seed=seed, units=units, level=level), bernstein=sure)
    return Evaluation(estimates=estimates, support=support(log, target))


def ips(log: LoggedChoices, target: Floats) -> Terms:
    """Inverse propensity scoring: V = mean of w_i r_i.

    Unbiased where every action that pi plays has p > 0; its variance grows with the weights. Horvitz & Thompson, "A
    generalization of sampling without replacement from a finite universe", JASA 1952; for policies Strehl, Langford, Li &
    Kakade, "Learning from logged implicit exploration data", NeurIPS 2010.
    """
    return Terms(plain=weights(log, target) * log.reward)


def snips(log: LoggedChoices, target: Floats) -> Terms:
    """Self-normalised IPS: V = (sum of w_i r_i) / (sum of w_i).

    Lies within the rewards' range; a bias of the order 1 / n. Swaminathan & Joachims, "The self-normalized estimator for
    counterfactual learning", NeurIPS 2015.
    """
    weight = weights(log, target)
    return Terms(plain=np.zeros_like(weight), over=weight * log.reward, under=weight)


def dm(target: Floats, expected: Floats) -> Terms:
    """The direct method: V = mean of q(x_i, pi). As good, and as biased, as the model of the expected rewards.

    Beygelzimer & Langford, "The offset tree for learning with partial labels", KDD 2009.
    """
    return Terms(plain=(target * expected).sum(axis=1))


def dr(log: LoggedChoices, target: Floats, expected: Floats) -> Terms:
    """Doubly robust: V = mean of q(x_i, pi) + w_i (r_i - q(x_i, a_i)).

    Unbiased where the propensities or the expected rewards are right; the better the latter, the smaller its variance.
    Dudik, Langford & Li, "Doubly robust policy evaluation and learning", ICML 2011.
    """
    return Terms(plain=dm(target, expected).plain + weights(log, target) * _surprise(log, expected))


def sndr(log: LoggedChoices, target: Floats, expected: Floats) -> Terms:
    """Self-normalised DR: V = mean of q(x_i, pi) + (sum of w_i (r_i - q(x_i, a_i))) / (sum of w_i).

    Thomas & Brunskill, "Data-efficient off-policy policy evaluation for reinforcement learning", ICML 2016 (there weighted
    doubly robust); Kallus & Uehara, "Intrinsically efficient, stable, and bounded off-policy evaluation", NeurIPS 2019.
    """
    weight = weights(log, target)
    return Terms(plain=dm(target, expected).plain, over=weight * _surprise(log, expected), under=weight)


def switch_dr(log: LoggedChoices, target: Floats, expected: Floats, *, tau: float = TAU) -> Terms:
    """DR that trusts the model alone where the weight is large: V = mean of q(x_i, pi) + [w_i <= tau] w_i (r_i - q(x_i, a_i)).

    tau = 0 is the direct method, an infinite tau is DR. Wang, Agarwal & Dudik, "Optimal and adaptive off-policy evaluation in
    contextual bandits", ICML 2017.
    """
    weight = weights(log, target)
    return Terms(plain=dm(target, expected).plain + np.where(weight <= tau, weight, 0.0) * _surprise(log, expected))


def _surprise(log: LoggedChoices, expected: Floats) -> Floats:
    return np.asarray(log.reward - expected[np.arange(len(log)), log.action])


def _check_expected(expected: Floats, target: Floats, bounds: Bounds | None) -> None:
    if expected.shape != target.shape:
        raise ValueError(f"expected must have the target's shape {target.shape}; got {expected.shape}")
    if not np.isfinite(expected).all():
        raise ValueError("an expected reward is not a finite number")
    if bounds is not None and not (bounds.least <= expected.min() and expected.max() <= bounds.most):
        raise ValueError("an expected reward lies outside the bounds of the rewards")


def _reach(bounds: Bounds, tau: float) -> dict[str, tuple[float, float]]:
    """Between which ends the terms of each mean lie."""
    least, most, weight = bounds.least, bounds.most, bounds.greatest_weight
    width, below = most - least, min(weight, tau)
    return {
        "ips": (min(0.0, weight * least), max(0.0, weight * most)),
        "dm": (least, most),
        "dr": (least - weight * width, most + weight * width),
        "switch_dr": (least - below * width, most + below * width),
    }
