"""How well scores say whom a message moves: the incremental successes found by treating the highest scores first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpliftCurve:
    """Treating the highest scores first: after the share `read` of all rows, `gained` more successes a row of all rows.

    Both start at 0; `read` ends at 1, `gained` at the average effect. Formula at a share: the rows read so far over all
    rows, times the success rate of the treated among them less that of the others (Radcliffe, "Using control groups to
    target on predicted lift", 2007, as a difference of rates).
    """

    read: Floats
    gained: Floats

    @property
    def effect(self) -> float:
        """The average effect of treating everyone."""
        return float(self.gained[-1])

    @property
    def coefficient(self) -> float:
        """Qini: the area between the curve and treating at random. 0: the scores find nobody; above 0: those it moves."""
        return float(np.trapezoid(self.gained - self.read * self.effect, self.read))

    def at(self, share: float) -> float:
        """The successes gained, a row of all rows, by treating this share."""
        return float(np.interp(share, self.read, self.gained))

    def uplift_at(self, share: float) -> float:
        """The mean gain a row treated, where the highest scores, this `share` (above 0, up to 1) of all, are treated."""
        return self.at(share) / share


def uplift_curve(
    outcomes: ArrayLike, treated: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> UpliftCurve:
    """The curve of a randomised experiment. Rows with one score are read together (a straight line).

    `outcomes` (n,) numbers, `treated` (n,) bool, `scores` (n,) finite; `weights` (n,), how often each row counts. While only
    one kind of row has been read, nothing is known to be gained: 0. Raises ValueError where either kind is absent.
    """
    outcome, is_treated = np.asarray(outcomes, dtype=np.float64), np.asarray(treated, dtype=np.bool_)
    score = np.asarray(scores, dtype=np.float64)
    counts = np.ones(len(outcome)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (outcome.ndim == 1 and outcome.shape == is_treated.shape == score.shape == counts.shape):
        raise ValueError("outcomes, treated, scores and weights must be lists of one length")
    if not np.isfinite(score).all():
        raise ValueError("a score is not a finite number")
    levels, level = np.unique(-score, return_inverse=True)

    def read_so_far(values: Floats) -> Floats:
        return np.asarray(np.bincount(level, weights=values, minlength=len(levels)).cumsum(), dtype=np.float64)

    with_it, without = read_so_far(counts * is_treated), read_so_far(counts * ~is_treated)
    if not (len(levels) and with_it[-1] > 0 and without[-1] > 0):
        raise ValueError("an uplift curve needs treated and untreated rows")
    won, won_without = read_so_far(counts * is_treated * outcome), read_so_far(counts * ~is_treated * outcome)
    known = (with_it > 0) & (without > 0)
    difference = np.where(known, won / np.maximum(with_it, 1e-12) - won_without / np.maximum(without, 1e-12), 0.0)
    read = (with_it + without) / (with_it[-1] + without[-1])
    return UpliftCurve(read=np.concatenate([[0.0], read]), gained=np.concatenate([[0.0], read * difference]))


def curve_of_gains(gains: ArrayLike, scores: ArrayLike) -> UpliftCurve:
    """The same curve where each row's own gain is told, if with error: doubly robust scores instead of two groups' rates.

    `gains` (n,) have each row's gain as their expectation, `scores` (n,) rank the rows; n is 1 or more.
    """
    gain, score = np.asarray(gains, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if gain.ndim != 1 or gain.shape != score.shape or len(gain) == 0:
        raise ValueError(f"gains and scores must be two lists of one length, at least 1; got {gain.shape}, {score.shape}")
    levels, level = np.unique(-score, return_inverse=True)
    rows = np.bincount(level, minlength=len(levels)).cumsum()
    gained = np.bincount(level, weights=gain, minlength=len(levels)).cumsum()
    return UpliftCurve(read=np.concatenate([[0.0], rows / len(gain)]), gained=np.concatenate([[0.0], gained / len(gain)]))
