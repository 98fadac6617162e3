"""How good an uplift model is on rows that it has not seen: of each row's own kind, and of what the message changes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from measure.qini import uplift_curve
from training.evaluate import evaluate
from training.measured import Evaluation, Floats, Statistic, draws_of, measured, measured_mean
from training.parameters import Reference


def evaluate_uplift(
    labels: NDArray[np.uint8],
    treated: NDArray[np.bool_],
    with_it: Floats,
    without: Floats,
    *,
    customers: Sequence[str],
    references: Mapping[str, Reference] | None = None,
    seed: int = 7,
) -> Evaluation:
    """Of chances with the message and without it (n,): AUC, log loss and calibration error of the one that each row's own kind
    was given, as `training.evaluate`; `effect`, the success rate of the treated less that of the others; `effect_said`, the
    mean of what was said; and `qini` of what was said.

    Where `without` is NaN (a fallback), and where only one kind of row is there, the treated rows alone are measured.
    """
    known = references or {}
    if np.isnan(without).any() or treated.all():
        return evaluate(
            labels[treated],
            with_it[treated],
            customers=[who for who, is_treated in zip(customers, treated, strict=True) if is_treated],
            references=known,
            seed=seed,
        )
    own = evaluate(labels, np.where(treated, with_it, without), customers=customers, references=known, seed=seed)
    draws, said = draws_of(customers, seed), with_it - without

    def of_curve(name: str) -> Statistic:
        def weighted(weights: NDArray[Any]) -> float:
            return float(getattr(uplift_curve(labels, treated, said, weights=weights), name))

        return weighted

    more = (
        measured("effect", of_curve("effect"), draws),
        measured_mean("effect_said", said, draws),
        measured("qini", of_curve("coefficient"), draws),
    )
    return replace(own, metrics=(*own.metrics, *(replace(one, reference=known.get(one.name)) for one in more)))
