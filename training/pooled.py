"""What a message changes, learned by one model of everybody: an S-learner, half a line with crossings, half a forest.

The chance of success with each message and without one share most of what they depend on. Two models, as of a T-learner, learn
that part twice, each from its own rows, and the difference of their errors passes for an effect; one model learns it once
(Kuenzel, Sekhon, Bickel and Yu, PNAS 2019, compare the three). What is left to tell apart is small, so it is a penalised
line (Hoerl and Kennard, Technometrics 1970), beside a forest for what no line can say; the better mixture on rows held out in
time is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.calibration import Calibration
from training import models
from training.calibrate import calibrate
from training.errors import TrainingError
from training.parameters import Parameters

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Matrix = NDArray[np.float32]

FEWEST = 20
"""Successes, and failures, with the message and without it, that are needed to learn at all."""
PENALTIES = (5.0, 20.0, 80.0, 320.0)
MIXTURES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the forest, in log odds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Log odds as a line through D terms: what a customer is like, and the same again for any message and for each.

    `mean`, `spread` (K,) make the K columns of a customer comparable; a missing number counts as their mean. `weights` (D,).
    """

    customer: tuple[int, ...]
    message: tuple[int, ...]
    mean: Floats
    spread: Floats
    weights: Floats

    def log_odds(self, matrix: Matrix) -> Floats:
        return _terms(matrix, self.customer, self.message, self.mean, self.spread) @ self.weights


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPooled:
    """`mixture` is the forest's share. `loss` is the log loss on rows held out, of the mixture; None where none could be."""

    line: Line
    forest: str
    mixture: float
    calibration: Calibration
    penalty: float
    loss: float | None

    def predict(self, matrix: Matrix, *, threads: int = 1) -> tuple[Floats, Floats]:
        """Calibrated chances (with the message of each row (n,), without it (n,))."""
        bare = matrix.copy()
        bare[:, list(self.line.message)] = 0.0
        return self._chance(matrix, threads), self._chance(bare, threads)

    def _chance(self, matrix: Matrix, threads: int) -> Floats:
        scores = (1 - self.mixture) * self.line.log_odds(matrix)
        if self.mixture > 0:
            scores = scores + self.mixture * models.raw(self.forest, matrix, threads=threads)
        return self.calibration.apply(scores)


def learn_pooled(
    *,
    matrix: Matrix,
    labels: NDArray[np.uint8],
    treated: Flags,
    block: NDArray[np.int32],
    at_us: NDArray[np.int64],
    closes_us: NDArray[np.int64],
    columns: Sequence[str],
    parameters: Parameters,
    only_with_message: Sequence[str],
) -> FittedPooled:
    """From rows as of `training.uplift.learn_uplift`, whoever decided who got a message, by what the columns tell.

    The columns of `only_with_message` say which message it was, 0 or 1 each, and are 0 for all untreated rows. Penalty and
    mixture are chosen on the last block, by what learned from rows that had closed before; where too few had, the strictest
    penalty is taken, and half of each. Raises TrainingError where there are too few rows of either kind.
    """
    message = tuple(at for at, name in enumerate(columns) if name in only_with_message)
    customer = tuple(at for at in range(len(columns)) if at not in message)
    if min(_fewest(labels[treated]), _fewest(labels[~treated])) < FEWEST:
        raise TrainingError(
            f"uplift: at least {FEWEST} successes and failures are needed with the message and without; take in more history"
        )

    def lines(among: Flags, penalties: Sequence[float]) -> dict[float, Line]:
        return {one: _line(matrix[among], labels[among], customer, message, one) for one in penalties}

    def forest(among: Flags) -> str:
        return models.fit(matrix[among], labels[among], columns=columns, parameters=parameters)

    held = block == block.max()
    before = ~held & (closes_us <= at_us[held].min())
    everyone = np.ones(len(labels), dtype=np.bool_)
    if min(_fewest(labels[held]), _fewest(labels[before & treated]), _fewest(labels[before & ~treated])) < FEWEST:
        penalty, mixture, calibration, loss = PENALTIES[-1], 0.5, calibrate(np.empty(0), np.empty(0, np.uint8)), None
    else:
        straight = {penalty: line.log_odds(matrix[held]) for penalty, line in lines(before, PENALTIES).items()}
        bent = models.raw(forest(before), matrix[held], threads=parameters.num_threads)
        scores = {(penalty, share): (1 - share) * one + share * bent for penalty, one in straight.items() for share in MIXTURES}
        losses = {key: _loss(labels[held], one) for key, one in scores.items()}
        penalty, mixture = min(losses, key=lambda key: (losses[key], key))
        calibration, loss = calibrate(scores[penalty, mixture], labels[held]), losses[penalty, mixture]
    return FittedPooled(
        line=lines(everyone, (penalty,))[penalty],
        forest=forest(everyone),
        mixture=mixture,
        calibration=calibration,
        penalty=penalty,
        loss=loss,
    )


def _terms(matrix: Matrix, customer: Sequence[int], message: Sequence[int], mean: Floats, spread: Floats) -> Floats:
    """(n, (1 + K) (2 + A))."""
    like = np.nan_to_num((matrix[:, list(customer)].astype(np.float64) - mean) / spread)
    own = np.column_stack([np.ones(len(like)), like])
    shown = matrix[:, list(message)].astype(np.float64)
    return np.column_stack([own, shown.sum(axis=1)[:, None] * own, *(shown[:, [at]] * own for at in range(shown.shape[1]))])


def _line(
    matrix: Matrix, labels: NDArray[np.uint8], customer: tuple[int, ...], message: tuple[int, ...], penalty: float
) -> Line:
    """Penalised maximum likelihood by Newton's method; the constant is free."""
    told = matrix[:, list(customer)].astype(np.float64)
    present = ~np.isnan(told)
    count = np.maximum(1, present.sum(axis=0))
    mean = np.where(present, told, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(present, (told - mean) ** 2, 0.0).sum(axis=0) / count)
    spread = np.where(spread > 1e-9, spread, 1.0)
    terms = _terms(matrix, customer, message, mean, spread)
    shrinks = np.full(terms.shape[1], penalty)
    shrinks[0] = 1e-6
    weights = np.zeros(terms.shape[1])
    for _ in range(30):
        chance = models.sigmoid(terms @ weights)
        gradient = terms.T @ (chance - labels) + shrinks * weights
        curvature = (terms * (chance * (1 - chance))[:, None]).T @ terms + np.diag(shrinks)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-6:
            break
    return Line(customer=customer, message=message, mean=mean, spread=spread, weights=weights)


def _fewest(labels: NDArray[np.uint8]) -> int:
    successes = int(labels.sum())
    return min(successes, len(labels) - successes)


def _loss(labels: NDArray[np.uint8], log_odds: Floats) -> float:
    return float((np.logaddexp(0.0, log_odds) - labels * log_odds).mean())
