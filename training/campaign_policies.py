"""Policies learned from a campaign, and the choice between them and one arm for all: on cross-fitted doubly robust scores.

The score of row i and arm a is s_ia = q(x_i, a) + [a_i = a] (r_i - q(x_i, a)) / p_i: its expectation is what the arm would
bring. q(x, a) = m(x) + d_a, the reward expected whatever the arm and the arm's own difference, is learned from other rows.
Policies are learned on the scores (Athey & Wager, "Policy learning with observational data", Econometrica 2021).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]
Choices = NDArray[np.int64]
_Predict = Callable[[Floats], Floats]

FOLDS = 5
CREDIBLE = 1.96
"""A learned policy is credible where the 95% interval of its gain, on rows that it did not learn from, lies above nothing."""
_KINDS = ("linear", "trees", "both")
_TRUST = (1.0, 0.5, 0.25)
"""How much of what an arm does for this customer rather than for all is believed; 0 would be one arm for all."""
_PENALTIES = np.logspace(1, 6, 11)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expected:
    """Expected rewards q(x, a) = m(x) + d_a."""

    whatever: _Predict
    differences: Floats

    def rewards(self, matrix: Floats) -> Floats:
        """(n, A) for `matrix` (n, C)."""
        return np.asarray(self.whatever(matrix)[:, None] + self.differences)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearnedPolicy:
    """Takes the arm of the greatest effect. `gain` is what it gained over the best arm for all on rows that it did not learn
    from, a row, and `gain_error` that gain's standard error.
    """

    kind: str
    trust: float
    effects: _Predict
    gain: float
    gain_error: float

    @property
    def credible(self) -> bool:
        return self.gain > CREDIBLE * self.gain_error

    def choose(self, matrix: Floats) -> Choices:
        """The arm (n,) of each row of `matrix` (n, C)."""
        return np.asarray(self.effects(matrix).argmax(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """`best` is the arm that is best for all by the scores (n, A) of these rows, `worst` the one that is worst."""

    expected: Expected
    policy: LearnedPolicy
    best: int
    worst: int


def learn(matrix: Floats, action: Choices, reward: Floats, propensity: Floats, *, arms: int, seed: int) -> Learned:
    """Learn policies of several kinds, from shrunken to rich, and keep the one of the highest credible gain.

    `matrix` (n, C) may hold NaN; the others are (n,). Every arm occurs in every four fifths of the rows, or nearly so.
    """
    fold = _folds(action, np.random.default_rng(seed))
    with threadpool_limits(limits=1):
        filled = _Filled.of(matrix)
        scores = np.zeros((len(action), arms))
        for at in range(FOLDS):
            rest, here = fold != at, fold == at
            expected = _expected(matrix[rest], action[rest], reward[rest], propensity[rest], arms, seed)
            scores[here] = _scores(expected.rewards(matrix[here]), action[here], reward[here], propensity[here])
        means = scores.mean(axis=0)
        steady = means - _lucky_amounts(action, reward, propensity, arms)
        best, worst = int(steady.argmax()), int(steady.argmin())
        effects = {kind: np.zeros_like(scores) for kind in _KINDS}
        averages, lucky = np.zeros_like(scores), np.zeros_like(scores)
        for at in range(FOLDS):
            rest, here = fold != at, fold == at
            lucky[here] = _lucky_amounts(action[rest], reward[rest], propensity[rest], arms)
            averages[here] = scores[rest].mean(axis=0)
            for kind, predict in _effects(matrix[rest], scores[rest], filled, seed):
                effects[kind][here] = predict(matrix[here])
        whole = dict(_effects(matrix, scores, filled, seed))
        candidates = []
        for kind in _KINDS:
            for trust in _TRUST:
                chosen = _trusted(effects[kind], averages, lucky, trust).argmax(axis=1)
                gains = scores[np.arange(len(scores)), chosen] - scores[:, best]
                candidates.append(
                    LearnedPolicy(
                        kind=kind,
                        trust=trust,
                        effects=_at_trust(whole[kind], means, means - steady, trust),
                        gain=float(gains.mean()),
                        gain_error=float(gains.std() / np.sqrt(len(gains))),
                    )
                )
        expected = _expected(matrix, action, reward, propensity, arms, seed)
    # of two that are as good, the one that departs less from one arm for all
    kept = max(candidates, key=lambda one: (one.gain - CREDIBLE * one.gain_error, -one.trust))
    return Learned(expected=expected, policy=kept, best=best, worst=worst)


def _folds(action: Choices, random: np.random.Generator) -> Choices:
    """Each arm's rows spread evenly over the folds."""
    fold = np.empty(len(action), dtype=np.int64)
    for arm in np.unique(action):
        rows = random.permutation(np.flatnonzero(action == arm))
        fold[rows] = (np.arange(len(rows)) + arm) % FOLDS
    return fold


def _expected(matrix: Floats, action: Choices, reward: Floats, propensity: Floats, arms: int, seed: int) -> Expected:
    whatever = _trees(matrix, reward, seed)
    left = (reward - whatever(matrix)) / propensity
    weight = np.bincount(action, weights=1 / propensity, minlength=arms)
    differences = np.bincount(action, weights=left, minlength=arms) / np.where(weight > 0, weight, 1.0)
    return Expected(whatever=whatever, differences=differences)


def _scores(expected: Floats, action: Choices, reward: Floats, propensity: Floats) -> Floats:
    scores, rows = expected.copy(), np.arange(len(action))
    scores[rows, action] += (reward - expected[rows, action]) / propensity
    return scores


def _effects(matrix: Floats, scores: Floats, filled: "_Filled", seed: int) -> Iterator[tuple[str, _Predict]]:
    """By kind, what predicts each arm's effect (n, A) against the mean of all arms."""
    contrasts = scores - scores.mean(axis=1, keepdims=True)
    linear = _linear(filled, matrix, contrasts)
    forests = [_trees(matrix, contrast, seed) for contrast in contrasts.T]

    def trees(rows: Floats) -> Floats:
        return np.stack([forest(rows) for forest in forests], axis=1)

    yield "linear", linear
    yield "trees", trees
    yield "both", lambda rows: (linear(rows) + trees(rows)) / 2


def _at_trust(predict: _Predict, means: Floats, lucky: Floats, trust: float) -> _Predict:
    return lambda matrix: _trusted(predict(matrix), means, lucky, trust)


def _trusted(effects: Floats, means: Floats, lucky: Floats, trust: float) -> Floats:
    """Effects of which only so much departs from the arms' means, less what was luck; these are (A,) or (n, A)."""
    average = means - means.mean(axis=-1, keepdims=True)
    return np.asarray(average - lucky + trust * (effects - average))


def _lucky_amounts(action: Choices, reward: Floats, propensity: Floats, arms: int) -> Floats:
    """What each arm's mean reward (A,) owes to a few large amounts, as far as chance explains that they fell on this arm.

    Where most rewards are 0, a mean is a share of rewarded rows times their mean amount; the amounts vary most. They are drawn
    to what is common to the arms by empirical Bayes, the spread between arms estimated as in DerSimonian & Laird,
    "Meta-analysis in clinical trials", Controlled Clinical Trials 1986. Nothing for rewards of 0 and 1, or seldom 0.
    """
    some = reward != 0
    if some.mean() > 0.5 or np.ptp(reward[some]) == 0:
        return np.zeros(arms)
    weight, rewarded = 1 / propensity, np.where(some, 1 / propensity, 0.0)
    total, mass = _by_arm(action, weight, arms), _by_arm(action, rewarded, arms)
    amount = _by_arm(action, rewarded * reward, arms) / np.where(mass > 0, mass, 1.0)
    counted = mass > 0
    square = float((rewarded * (reward - amount[action]) ** 2).sum() / mass.sum())
    noise = square * _by_arm(action, rewarded**2, arms) / np.where(counted, mass, 1.0) ** 2
    precision = np.where(counted, 1 / np.where(counted, np.maximum(noise, 1e-12 * square), 1.0), 0.0)
    common = float((precision * amount).sum() / precision.sum())
    excess = float((precision * (amount - common) ** 2).sum()) - (int(counted.sum()) - 1)
    scale = float(precision.sum() - (precision**2).sum() / precision.sum())
    between = max(0.0, excess / scale) if scale > 0 else 0.0
    luck = np.where(counted, noise / np.maximum(noise + between, 1e-300), 0.0)
    return np.asarray(mass / total * luck * (amount - common))


def _by_arm(action: Choices, values: Floats, arms: int) -> Floats:
    return np.asarray(np.bincount(action, weights=values, minlength=arms), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Filled:
    """Columns at mean 0 and deviation 1, missing ones at 0."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, matrix: Floats) -> "_Filled":
        known = ~np.isnan(matrix)
        counts = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, matrix, 0.0).sum(axis=0) / counts
        variance = (np.where(known, matrix - mean, 0.0) ** 2).sum(axis=0) / counts
        return cls(mean=mean, deviation=np.where(variance > 0, np.sqrt(variance), 1.0))

    def __call__(self, matrix: Floats) -> Floats:
        # a value far out of line moves a line no more than one at five deviations
        return np.nan_to_num(np.clip((matrix - self.mean) / self.deviation, -5.0, 5.0), nan=0.0)


def _linear(filled: _Filled, matrix: Floats, targets: Floats) -> _Predict:
    """Ridge regression, the penalty of each target by leave-one-out."""
    if matrix.shape[1] == 0:
        average = targets.mean(axis=0)
        return lambda rows: np.tile(average, (len(rows), 1))
    fitted = RidgeCV(alphas=_PENALTIES, alpha_per_target=True).fit(filled(matrix), targets)
    return lambda rows: np.asarray(fitted.predict(filled(rows)))


def _trees(matrix: Floats, target: Floats, seed: int) -> _Predict:
    """Few, small and slow trees: what a campaign can teach is little beside its noise."""
    if matrix.shape[1] == 0:
        average = float(target.mean())
        return lambda rows: np.full(len(rows), average)
    leaf = max(20, len(target) // 100)
    fitted = HistGradientBoostingRegressor(
        learning_rate=0.08, max_iter=40, max_leaf_nodes=6, min_samples_leaf=leaf, l2_regularization=10.0,
        early_stopping=False, random_state=seed,
    ).fit(matrix, target)  # fmt: skip
    return lambda rows: np.asarray(fitted.predict(rows))
