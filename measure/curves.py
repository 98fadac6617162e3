"""The numbers behind two plots of a model: how much it finds first, and whether its probabilities come true."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Reading the highest scores first: after the share `read` of all rows, the share `found` of all positives.

    Both in [0, 1], rising, from (0, 0) to (1, 1). `perfect` is the share of positives: who ranks perfectly has found all
    when having read that much.
    """

    read: Floats
    found: Floats
    perfect: float

    def at(self, share: float) -> float:
        """The share of positives found after reading this share of the rows."""
        return float(np.interp(share, self.read, self.found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Rows in bins of equal count by predicted probability: mean prediction, share of positives and rows of each bin."""

    predicted: Floats
    observed: Floats
    rows: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean of |predicted - observed|, each bin weighted by its rows."""
        return float(np.average(np.abs(self.predicted - self.observed), weights=self.rows))


def gain(labels: ArrayLike, scores: ArrayLike, *, points: int = 200) -> Gain:
    """The cumulative gain curve, at most about `points` points. Rows with one score are read together (a straight line).

    Raises ValueError when there is no positive or a score is not a number.
    """
    truth, score = _pair(labels, scores)
    if truth.sum() == 0:
        raise ValueError("a gain curve needs at least one positive")
    levels, level_of = np.unique(-score, return_inverse=True)
    rows = np.bincount(level_of, minlength=len(levels)).cumsum()
    positives = np.bincount(level_of, weights=truth, minlength=len(levels)).cumsum()
    read = np.concatenate([[0.0], rows / len(truth)])
    found = np.concatenate([[0.0], positives / truth.sum()])
    if len(read) > points:
        kept = np.unique(np.linspace(0, len(read) - 1, points).round().astype(int))
        read, found = read[kept], found[kept]
    return Gain(read=read, found=found, perfect=float(truth.mean()))


def reliability(labels: ArrayLike, probabilities: ArrayLike, *, bins: int = 10) -> Reliability:
    """Equal-count bins (the first ones one row larger when rows do not divide); fewer bins when there are fewer rows.

    Ties are cut in the order of the rows. Raises ValueError on no rows or on what is not a number.
    """
    truth, probability = _pair(labels, probabilities)
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    return Reliability(
        predicted=np.array([probability[part].mean() for part in parts]),
        observed=np.array([truth[part].mean() for part in parts]),
        rows=np.array([len(part) for part in parts], dtype=np.int64),
    )


def perfect_error(probabilities: ArrayLike, *, bins: int = 10, level: float = 0.95, draws: int = 1000, seed: int = 7) -> float:
    """The calibration error that a model whose probabilities are exactly true stays below in the share `level` of all worlds:
    with as many rows as these, chance alone makes so much. Labels are drawn by the probabilities, `draws` times, seeded.
    """
    true = np.sort(np.asarray(probabilities, dtype=np.float64), kind="stable")
    if len(true) == 0 or not np.isfinite(true).all():
        raise ValueError("probabilities must be finite numbers, at least one")
    starts = np.cumsum([0, *(len(part) for part in np.array_split(true, min(bins, len(true))))])[:-1]
    random = np.random.default_rng(seed)
    errors = [np.abs(np.add.reduceat(true - (random.random(len(true)) < true), starts)).sum() / len(true) for _ in range(draws)]
    return float(np.quantile(errors, level))


def _pair(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    truth, score = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != score.shape or len(truth) == 0:
        raise ValueError(f"labels and scores must be two lists of one length, at least 1; got {truth.shape}, {score.shape}")
    if not np.isfinite(score).all():
        raise ValueError("a score is not a finite number")
    return truth, score


def mean_bounds(table: ArrayLike, *, draws: int = 2_000, seed: int = 0) -> tuple[Floats, Floats]:
    """The 95% interval of the mean of each column of (n, W): percentiles over rows drawn again with replacement. (W,) each.

    Whole rows are drawn, so that what belongs together stays so. One row has no interval: both are the row.
    """
    rows = np.asarray(table, dtype=np.float64)
    drawn = np.random.default_rng(seed).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), draws)
    low, high = np.quantile(drawn @ rows / len(rows), (0.025, 0.975), axis=0)
    return low, high
