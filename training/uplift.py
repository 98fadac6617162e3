"""What a message changes: the chance of success with it and without it, learned from those who were left without.

Arrays in, arrays out: training from the log and the simulator learn by the same function.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from features.answers import Uplift
from features.calibration import Calibration, Platt
from measure.qini import uplift_curve
from training import models
from training.calibrate import calibrate
from training.errors import TrainingError
from training.folds import FEWEST, Flags, Floats, Timed, fewest, held_out
from training.parameters import Parameters

LEAST_SHARE = 0.02
"""A chance of being treated is taken no nearer to 0 or 1 than this: one row would say too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedUplift:
    """`forests` holds the text of each forest, `answer` what their scores mean.

    `fallback` says why nothing is said of the chance without the message, None where something is: then `answer` is set, and
    where it is not, the forest `treated` stands alone and `alone` calibrates it. `folds` is what was measured on training
    rows held out in time: rows, control rows, the average effect, and for each learner its loss and its Qini.
    """

    forests: Mapping[str, str]
    answer: Uplift | None
    alone: Calibration
    fallback: str | None
    folds: Mapping[str, float]

    def predict(self, matrix: NDArray[np.float32], *, threads: int = 1) -> tuple[Floats, Floats]:
        """Calibrated chances (with the message (n,), without it (n,)); without it is NaN after a fallback."""
        raw = {name: models.raw(text, matrix, threads=threads) for name, text in self.forests.items()}
        if self.answer is None:
            return self.alone.apply(raw["treated"]), np.full(len(matrix), np.nan)
        return self.answer.probabilities(raw)


def learn_uplift(
    *,
    matrix: NDArray[np.float32],
    labels: NDArray[np.uint8],
    treated: Flags,
    block: NDArray[np.int32],
    at_us: NDArray[np.int64],
    closes_us: NDArray[np.int64],
    columns: Sequence[str],
    parameters: Parameters,
    share: float | None = None,
    only_with_message: Sequence[str] = (),
    rises_with: Sequence[str] = (),
    falls_with: Sequence[str] = (),
) -> FittedUplift:
    """Two learners, T and X (Kuenzel et al., PNAS 2019), the better of which is chosen on rows held out in time.

    `matrix` (n, C) float32, NaN missing; `labels` (n,) 0 or 1; `treated` (n,): who got the message. Give `share`, the
    probability of getting it, where chance alone decided; without it a forest learns who got it. `block` (n,) from 0,
    `at_us`, `closes_us` (n,) say which rows may predict which, as in `training.labels.Labels`. A column of
    `only_with_message` (what the message is like) holds for an untreated row what might have been sent; the chance without it
    never depends on it. Monotone bounds as in `training.models.fit`, on both chances.

    Learners are compared by the squared distance of their effects to the doubly robust score of each held-out row (Kennedy,
    2023), and the effects of the chosen one are shrunk onto it: slope and shift of their best linear predictor
    (Chernozhukov, Demirer, Duflo and Fernandez-Val, 2018), the slope only as far as it stands out from its own error and
    never below 0. Effects that are noise become one effect for all.

    Falls back to the chance with the message alone, and says why, where either kind of row has too few successes or failures
    to teach, or to judge on rows held out. Raises TrainingError where there are too few treated rows even for that.
    """
    timed = Timed(block=block, at_us=at_us, closes_us=closes_us)
    if fewest(labels, treated) < FEWEST:
        raise TrainingError(
            f"uplift: {_counted(labels, treated)} with the message, and at least {FEWEST} of each are needed; "
            f"take in more history"
        )
    blank = matrix.copy()
    blank[:, [at for at, name in enumerate(columns) if name in only_with_message]] = np.nan
    fit = partial(models.fit, columns=columns, parameters=parameters)
    bounded = partial(fit, rises_with=rises_with, falls_with=falls_with)

    def one(among: Flags) -> dict[str, str]:
        return {"treated": bounded(matrix[among & treated], labels[among & treated])}

    def two(among: Flags) -> dict[str, str]:
        return one(among) | {"nothing": bounded(blank[among & ~treated], labels[among & ~treated])}

    def four(among: Flags) -> dict[str, str]:
        grown = two(among)
        with_it, without = among & treated, among & ~treated
        missed = labels[with_it] - models.chance(grown["nothing"], matrix[with_it])
        brought = models.chance(grown["treated"], matrix[without]) - labels[without]
        grown["effect_treated"] = fit(matrix[with_it], missed, objective="regression")
        grown["effect_nothing"] = fit(matrix[without], brought, objective="regression")
        return grown

    def judged(among: Flags) -> dict[str, str]:
        who = {} if share is not None else {"who": fit(matrix[among], treated[among].astype(np.uint8))}
        return four(among) | who

    def enough(among: Flags) -> bool:
        return min(fewest(labels, among & treated), fewest(labels, among & ~treated)) >= FEWEST

    everyone = np.ones(len(labels), dtype=np.bool_)
    alone = partial(_alone, timed, matrix, labels, treated, one, parameters.num_threads)
    if not enough(everyone):
        return alone(f"{_counted(labels, ~treated)} without the message")
    held, raw = held_out(timed, matrix, among=everyone, enough=enough, grow=judged, threads=parameters.num_threads)
    chosen = np.isin(np.arange(len(labels)), held)
    if not enough(chosen):
        return alone(f"of the rows that could be held out in time, {_counted(labels, chosen & ~treated)} without the message")

    chance = np.full(len(held), share) if share is not None else models.sigmoid(raw["who"])
    overall = float(treated.mean()) if share is None else share
    answers, folds = _answers(labels[held], treated[held], raw, chance, overall)
    best = min(answers, key=lambda name: (folds[f"loss_{name}"], name))
    return FittedUplift(
        forests=(four if best == "x" else two)(everyone),
        answer=answers[best],
        alone=answers[best].treated,
        fallback=None,
        folds=folds,
    )


def _answers(
    labels: NDArray[np.uint8], treated: Flags, raw: Mapping[str, Floats], chance: Floats, share: float
) -> tuple[dict[str, Uplift], dict[str, float]]:
    """Each learner with its calibration, and what was measured of it."""
    with_it = calibrate(raw["treated"][treated], labels[treated])
    without = calibrate(raw["nothing"][~treated], labels[~treated])
    robust = _doubly_robust(labels, treated, with_it.apply(raw["treated"]), without.apply(raw["nothing"]), chance)
    folds = {"rows": float(len(labels)), "control_rows": float((~treated).sum()), "effect": float(robust.mean())}
    answers = {}
    for learner in ("t", "x"):
        plain = Uplift(learner=learner, treated=with_it, nothing=without, slope=1.0, shift=0.0, share=share)
        effect = plain.effect(raw)
        slope, shift = _shrunk(effect, robust)
        folds[f"loss_{learner}"] = float(np.mean((robust - shift - slope * effect) ** 2))
        folds[f"qini_{learner}"] = uplift_curve(labels, treated, effect).coefficient
        answers[learner] = Uplift(learner=learner, treated=with_it, nothing=without, slope=slope, shift=shift, share=share)
    return answers, folds


def _doubly_robust(labels: NDArray[np.uint8], treated: Flags, with_it: Floats, without: Floats, chance: Floats) -> Floats:
    """(n,): m1 - m0 + (w - e) / (e (1 - e)) (y - m_w); its mean given x is the effect at x if m1 and m0 hold, or if e does."""
    e = np.clip(chance, LEAST_SHARE, 1 - LEAST_SHARE)
    missed = labels - np.where(treated, with_it, without)
    return np.asarray(with_it - without + (treated - e) / (e * (1 - e)) * missed, dtype=np.float64)


def _shrunk(effect: Floats, robust: Floats) -> tuple[float, float]:
    """Slope and shift of the line from effect to score, the slope times max(0, 1 - its squared error over its square)."""
    centred, mean = effect - effect.mean(), float(robust.mean())
    spread = float(centred @ centred)
    slope = float(centred @ robust) / spread if spread > 1e-12 else 0.0
    if slope <= 0:
        return 0.0, mean
    left = robust - mean - slope * centred
    error = float(np.sqrt(((centred * left) ** 2).sum())) / spread
    slope *= max(0.0, 1 - (error / slope) ** 2)
    return slope, mean - slope * float(effect.mean())


def _alone(
    timed: Timed,
    matrix: NDArray[np.float32],
    labels: NDArray[np.uint8],
    treated: Flags,
    grow: Callable[[Flags], Mapping[str, str]],
    threads: int,
    why: str,
) -> FittedUplift:
    """The chance with the message, from treated rows alone."""

    def enough(among: Flags) -> bool:
        return fewest(labels, among) >= FEWEST

    held, raw = held_out(timed, matrix, among=treated, enough=enough, grow=grow, threads=threads)
    return FittedUplift(
        forests=grow(treated),
        answer=None,
        alone=calibrate(raw["treated"], labels[held]) if raw else Platt(),
        fallback=f"{why}, and at least {FEWEST} of each are needed; the declared incrementality stands in until there are more",
        folds={"rows": float(len(held)), "control_rows": float((~treated).sum())},
    )


def _counted(labels: NDArray[np.uint8], among: Flags) -> str:
    successes = int(labels[among].sum())
    return f"{successes} successes and {int(among.sum()) - successes} failures"
