"""What a message changes, learned by one model of everybody: a line, and forests for what no line can say.

The chance of success with each message and without one share most of what they depend on. Two models, as of a T-learner, learn
that part twice, each from its own rows, and the difference of their errors passes for an effect; one model learns it once
(Kuenzel, Sekhon, Bickel and Yu, PNAS 2019, compare the three). The kinds of terms of the line (see `features.line`) each have
a Gaussian prior of their own, whose width the rows themselves tell: empirical Bayes by MacKay's fixed point (Neural Computation
4, 1992). So what differs from message to message is believed only as far as the rows show that it differs. Two small forests
go on from the line's scores: `base` for all rows alike, then `changes`, from treated rows alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from features.line import NO_CODE, Line, Matrix, Numbers, pairs_of, sizes_of
from training import models
from training.parameters import Parameters

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_PAIRS, MOST_TERMS = 150, 600
"""Numbers of the customer are crossed with each other, and with the message's, while these are so few."""
STRICT, LOOSEST, STRICTEST = 20.0, 5.0, 1e4
"""The precision of each prior: at first, and the bounds of what is learned."""
TURNS = 6
_STEPS, _FREE, _LEAST_SPREAD = 4, 1e-6, 1e-9
CHANGES_SHARE, CHANGES_RATE, CHANGES_LEAF = 0.5, 0.6, 2.5
"""The forest of changes has fewer trees, learns slower, and from larger leaves, by these factors of the parameters."""
_MOST_CODES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPooled:
    """`line`, the texts of the forests `base` and `changes`, and the precision of each kind of term (see `Line.sizes`)."""

    line: Line
    forests: Mapping[str, str]
    precisions: tuple[float, ...]

    def scorers(self, *, threads: int = 1) -> dict[str, Callable[[Matrix], Floats]]:
        """What scores rows (n, C), by name, as `features.answers.scored` does."""
        read = {name: models.booster(text) for name, text in self.forests.items()}

        def forest(name: str) -> Callable[[Matrix], Floats]:
            return lambda matrix: models.scores(read[name], matrix, threads=threads)

        return {
            **{name: forest(name) for name in read},
            "line": lambda matrix: self.line.log_odds(matrix)[0],
            "line_without": lambda matrix: self.line.log_odds(matrix)[1],
        }


def learn_pooled(
    *,
    matrix: Matrix,
    labels: NDArray[np.uint8],
    treated: Flags,
    columns: Sequence[str],
    parameters: Parameters,
    only_with_message: Sequence[str],
    coded: Sequence[str] = (),
) -> FittedPooled:
    """From rows as of `training.uplift.learn_uplift`, both kinds among them. Columns `coded` hold codes from 0, of no order."""
    message = [at for at, name in enumerate(columns) if name in only_with_message]
    codes = [at for at, name in enumerate(columns) if name in coded]
    with threadpool_limits(limits=parameters.num_threads, user_api="blas"):
        # as many threads as the forests: sums in another order would make another model
        line, precisions = _line(matrix, labels, treated, message, codes)
    with_it, without = line.log_odds(matrix)
    blank = matrix.copy()
    blank[:, message] = np.nan
    # the message's columns are constant here, so that the forest never asks for them
    base = models.fit(blank, labels, columns=columns, parameters=parameters, start=np.where(treated, with_it, without))
    slower = replace(
        parameters,
        num_iterations=max(1, round(parameters.num_iterations * CHANGES_SHARE)),
        learning_rate=parameters.learning_rate * CHANGES_RATE,
        min_data_in_leaf=round(parameters.min_data_in_leaf * CHANGES_LEAF),
    )
    so_far = with_it[treated] + models.raw(base, matrix[treated], threads=parameters.num_threads)
    changes = models.fit(matrix[treated], labels[treated], columns=columns, parameters=slower, start=so_far)
    return FittedPooled(line=line, forests={"base": base, "changes": changes}, precisions=precisions)


def _line(
    matrix: Matrix, labels: NDArray[np.uint8], treated: Flags, message: Sequence[int], coded: Sequence[int]
) -> tuple[Line, tuple[float, ...]]:
    customer = _numbers(matrix, [at for at in range(matrix.shape[1]) if at not in message], coded)
    said = _numbers(matrix[treated], message, coded)
    own = customer.of(matrix)
    many = own.shape[1] * (own.shape[1] - 1) // 2
    pairs = many <= MOST_PAIRS
    middle = pairs_of(own).mean(axis=0) if pairs else np.empty(0)
    each = own.shape[1] * len(said.columns) <= MOST_TERMS
    sizes = sizes_of(own.shape[1], len(said.columns), pairs=pairs, each=each)
    line = Line(
        customer=customer, message=said, pairs=pairs, each=each, middle=tuple(middle.tolist()), weights=(0.0,) * sum(sizes)
    )
    told, silent = np.column_stack(line.terms(matrix[treated])), line.terms(matrix[~treated])[0]
    weights, precisions = _fitted(told, labels[treated], silent, labels[~treated], sizes)
    return msgspec.structs.replace(line, weights=tuple(weights.tolist())), precisions


def _numbers(matrix: Matrix, columns: Sequence[int], coded: Sequence[int]) -> Numbers:
    """Columns that say yes or no, and codes, stay 0 and 1; of others the mean and the spread are taken off."""
    found: list[tuple[int, int, float, float]] = []
    for at in columns:
        told = matrix[:, at][~np.isnan(matrix[:, at])].astype(np.float64)
        values = np.unique(told)
        if at in coded:
            found += [(at, int(code), 0.0, 1.0) for code in values[:_MOST_CODES]]
        elif np.isin(values, (0.0, 1.0)).all():
            found.append((at, NO_CODE, 0.0, 1.0))
        else:
            found.append((at, NO_CODE, float(told.mean()), max(float(told.std()), _LEAST_SPREAD)))
    kinds = zip(*found, strict=True) if found else ((), (), (), ())
    at_, codes, mean, spread = (tuple(one) for one in kinds)
    return Numbers(columns=at_, codes=codes, mean=mean, spread=spread)


def _fitted(
    told: Floats, came: NDArray[np.uint8], silent: Floats, came_alone: NDArray[np.uint8], sizes: Sequence[int]
) -> tuple[Floats, tuple[float, ...]]:
    """Weights (D,) of the highest posterior by Newton's method, and the precision of each kind by turns with them.

    `told` (n, D) are the terms of treated rows, `silent` (m, D0) those of the others, which have the first D0 only. The
    precision of a kind becomes gamma / |w|^2, gamma being how many of its weights the rows determine. The constant is free.
    """
    kind = np.repeat(np.arange(len(sizes)), sizes)
    precision = np.where(np.arange(len(sizes)) == 0, _FREE, STRICT)
    weights, few = np.zeros(len(kind)), silent.shape[1]
    rate = (float(came.sum()) + float(came_alone.sum())) / (len(came) + len(came_alone))
    weights[0] = np.log(rate / (1 - rate))
    for turn in range(TURNS):
        for _ in range(1 if turn else _STEPS):
            chance, alone = models.sigmoid(told @ weights), models.sigmoid(silent @ weights[:few])
            gradient = told.T @ (chance - came) + precision[kind] * weights
            gradient[:few] += silent.T @ (alone - came_alone)
            curvature = (told * (chance * (1 - chance))[:, None]).T @ told
            curvature[:few, :few] += (silent * (alone * (1 - alone))[:, None]).T @ silent
            curvature[np.diag_indices(len(kind))] += precision[kind]
            weights = weights - np.linalg.solve(curvature, gradient)
        unsure = np.diag(np.linalg.inv(curvature))
        for one in range(1, len(sizes)):
            mine = kind == one
            determined = sizes[one] - precision[one] * float(unsure[mine].sum())
            squared = float((weights[mine] ** 2).sum())
            if sizes[one] and squared > 0:
                precision[one] = np.clip(determined / squared, LOOSEST, STRICTEST)
    return weights, tuple(precision.tolist())
