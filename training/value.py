"""What customers will bring: most bring nothing, so the chance of anything at all and how much it is are learned apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from features.answers import Value
from features.calibration import Platt
from training import models
from training.calibrate import calibrate
from training.folds import FEWEST, Flags, Floats, Timed, fewest, held_out
from training.parameters import Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedValue:
    """`forests` holds the texts, `answer` what their scores mean. `held` are the training rows held out in time and `amounts`
    what was expected of each.
    """

    forests: Mapping[str, str]
    answer: Value
    held: NDArray[np.intp]
    amounts: Floats


def learn_value(
    *,
    matrix: NDArray[np.float32],
    amounts: Floats,
    timed: Timed,
    columns: Sequence[str],
    parameters: Parameters,
    rises_with: Sequence[str] = (),
    falls_with: Sequence[str] = (),
) -> FittedValue:
    """Two forests: whether a row's amount is above 0, and, where it is, how much (gamma deviance on a logarithm).

    `matrix` (n, C) float32, `amounts` (n,) in one unit; what is below 0 counts as nothing. On rows held out in time the chance
    is calibrated and the total made to come true; without any neither is. No expected amount goes beyond the largest seen.
    """
    some = (amounts > 0).astype(np.uint8)
    fit = partial(models.fit, columns=columns, parameters=parameters, rises_with=rises_with, falls_with=falls_with)

    def grow(among: Flags) -> dict[str, str]:
        with_some = among & (some == 1)
        return {
            "any": fit(matrix[among], some[among]),
            "amount": fit(matrix[with_some], amounts[with_some], objective="gamma"),
        }

    def enough(among: Flags) -> bool:
        return fewest(some, among) >= FEWEST

    everyone = np.ones(len(amounts), dtype=np.bool_)
    highest = float(np.log(amounts.max()))
    held, raw = held_out(timed, matrix, among=everyone, enough=enough, grow=grow, threads=parameters.num_threads)
    answer = Value(any=calibrate(raw["any"], some[held]) if raw else Platt(), scale=1.0, highest=highest)
    if raw:
        seen, said = float(amounts[held].clip(0).sum()), float(answer.amounts(raw).sum())
        answer = Value(any=answer.any, scale=seen / said, highest=highest)
    return FittedValue(forests=grow(everyone), answer=answer, held=held, amounts=answer.amounts(raw) if raw else np.array([]))
