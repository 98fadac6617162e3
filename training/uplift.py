"""What a message changes: the chance of success with it and without it, learned from those who were left without.

Arrays in, arrays out: training from the log and the simulator learn by the same function.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from features.answers import Uplift, scored
from features.calibration import Calibration, Platt
from measure.qini import uplift_curve
from training import models
from training.calibrate import calibrate
from training.errors import TrainingError
from training.folds import FEWEST, Flags, Floats, Scorer, Timed, fewest, held_out
from training.parameters import Parameters
from training.pooled import FittedPooled, learn_pooled

SHOWN = 2.0
"""Standard errors by which a learner must be nearer to the truth than the pooled one, to be taken instead."""
LEAST_SHARE = 0.02
"""A chance of being treated is taken no nearer to 0 or 1 than this: one row would say too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedUplift:
    """`forests` holds the text of each forest, `answer` what their scores mean.

    `fallback` says why nothing is said of the chance without the message, None where something is: then `answer` is set, and
    where it is not, the forest `treated` stands alone and `alone` calibrates it. `unjudged` says why the pooled learner could
    not be compared with others, None where it was. `folds` is what was measured on training
    rows held out in time: rows, control rows, the average effect, and for each learner its loss and its Qini.
    """

    forests: Mapping[str, str]
    answer: Uplift | None
    alone: Calibration
    fallback: str | None
    folds: Mapping[str, float]
    unjudged: str | None = None

    def predict(self, matrix: NDArray[np.float32], *, threads: int = 1) -> tuple[Floats, Floats]:
        """Calibrated chances (with the message (n,), without it (n,)); without it is NaN after a fallback."""
        if self.answer is None:
            alone = models.raw(self.forests["treated"], matrix, threads=threads)
            return self.alone.apply(alone), np.full(len(matrix), np.nan)
        forests = {name: partial(models.raw, text, threads=threads) for name, text in self.forests.items()}
        return self.answer.probabilities(scored(self.answer, forests, matrix))


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
    share: float | Floats | None = None,
    only_with_message: Sequence[str] = (),
    coded: Sequence[str] = (),
    rises_with: Sequence[str] = (),
    falls_with: Sequence[str] = (),
) -> FittedUplift:
    """Three learners, T and X (Kuenzel et al., PNAS 2019) and one pooled (`training.pooled`), chosen on rows held out in time.

    `matrix` (n, C) float32, NaN missing; `labels` (n,) 0 or 1; `treated` (n,): who got the message. Give `share`, the
    probability of getting it, where chance alone decided: one for all, or one a row (n,) with NaN where it is not known.
    Where it is not, a forest learns from the columns who got it. `block` (n,) from 0, `at_us`, `closes_us` (n,) say which rows
    may predict which, as in `training.labels.Labels`. A column of `only_with_message` (what the message is like) holds for an
    untreated row what might have been sent; the chance without it never depends on it. `coded` columns hold codes from 0 of no
    order. Monotone bounds as in `training.models.fit`, on both chances; the pooled learner, whose line knows no bounds, is left
    out where there are any.

    Learners are compared by the squared distance of their effects to the doubly robust score of each held-out row (Kennedy,
    2023), all moved onto it alike: by slope and shift of the best linear predictor (Chernozhukov, Demirer, Duflo and
    Fernandez-Val, 2018), the slope only as far as it stands out from its own error and never below 0. The pooled one, which
    asks least of the rows, is taken unless another is shown to be nearer, by more than two standard errors. Effects of T and X
    are served so moved: what is noise becomes one effect for all. Those of the pooled one, shrunk by its priors already, are
    stretched about their mean instead, from 1 as far as the slope stands out from its error; its scores are not calibrated.

    Where either kind of row has too few successes or failures to judge on rows held out, the pooled learner is taken unjudged,
    as its priors let it be, and says so. Falls back to the chance with the message alone, and says why, where there are too
    few even to teach, or to judge where bounds forbid the pooled one. Raises TrainingError where there are too few treated
    rows even for that.
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

    def pooled(among: Flags) -> FittedPooled:
        return learn_pooled(
            matrix=matrix[among],
            labels=labels[among],
            treated=treated[among],
            columns=columns,
            parameters=parameters,
            only_with_message=only_with_message,
            coded=coded,
        )

    known = np.full(len(labels), np.nan if share is None else share) if not isinstance(share, np.ndarray) else share
    tries_pooled = not rises_with and not falls_with

    def judged(among: Flags) -> dict[str, str | Scorer]:
        grown: dict[str, str | Scorer] = {**four(among)}
        if np.isnan(known).any():
            grown["who"] = fit(matrix[among], treated[among].astype(np.uint8))
        if tries_pooled:
            grown |= pooled(among).scorers(threads=parameters.num_threads)
        return grown

    def enough(among: Flags) -> bool:
        return min(fewest(labels, among & treated), fewest(labels, among & ~treated)) >= FEWEST

    everyone = np.ones(len(labels), dtype=np.bool_)
    alone = partial(_alone, timed, matrix, labels, treated, one, parameters.num_threads)
    if not enough(everyone):
        return alone(f"{_counted(labels, ~treated)} without the message")
    held, raw = held_out(timed, matrix, among=everyone, enough=enough, grow=judged, threads=parameters.num_threads)
    chosen = np.isin(np.arange(len(labels)), held)
    overall = share if isinstance(share, float) else float(treated.mean())
    if not enough(chosen):
        why = f"of the rows that could be held out in time, {_counted(labels, chosen & ~treated)} without the message"
        return _unjudged(pooled(everyone), overall, why) if tries_pooled else alone(why)

    chance = known[held] if "who" not in raw else np.where(np.isnan(known[held]), models.sigmoid(raw["who"]), known[held])
    found, folds = _answers(labels[held], treated[held], raw, chance, overall)
    best = _best(found)
    if best == "pooled":
        whole = pooled(everyone)
        forests, line = whole.forests, whole.line
    else:
        forests, line = (four if best == "x" else two)(everyone), None
    said = found[best]
    answer = Uplift(
        learner=best,
        treated=said.treated,
        nothing=said.nothing,
        slope=said.slope,
        shift=said.shift,
        share=overall,
        line=line,
    )
    return FittedUplift(forests=forests, answer=answer, alone=said.treated, fallback=None, folds=folds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A learner as it did on n held-out rows: what its answer needs, and how far its effects were `off`, squared (n,)."""

    treated: Calibration
    nothing: Calibration
    slope: float
    shift: float
    off: Floats


def _best(found: Mapping[str, _Judged]) -> str:
    """The nearest, but pooled where no other is shown to be nearer."""
    nearest = min(found, key=lambda name: (float(found[name].off.mean()), name))
    if "pooled" not in found:
        return nearest
    farther = found["pooled"].off - found[nearest].off
    return nearest if farther.mean() > SHOWN * farther.std() / np.sqrt(len(farther)) else "pooled"


def _answers(
    labels: NDArray[np.uint8], treated: Flags, raw: Mapping[str, Floats], chance: Floats, share: float
) -> tuple[dict[str, _Judged], dict[str, float]]:
    """Each learner with its calibration, and what was measured of it."""
    with_it = calibrate(raw["treated"][treated], labels[treated])
    without = calibrate(raw["nothing"][~treated], labels[~treated])
    calibrated = {"t": (with_it, without), "x": (with_it, without)}
    scores = {"t": (raw["treated"], raw["nothing"])}
    if "line" in raw:
        scores["pooled"] = raw["line"] + raw["base"] + raw["changes"], raw["line_without"] + raw["base"]
        # the steps of a rising line, fitted anew, would pass for effects
        calibrated["pooled"] = Platt(), Platt()
    # what all are measured by leans on no learner more than on another
    chances = [(calibrated[name][0].apply(one), calibrated[name][1].apply(other)) for name, (one, other) in scores.items()]
    means = np.mean(chances, axis=0)
    robust = _doubly_robust(labels, treated, means[0], means[1], chance)
    folds = {"rows": float(len(labels)), "control_rows": float((~treated).sum()), "effect": float(robust.mean())}
    plain = Uplift(learner="x", treated=with_it, nothing=without, slope=1.0, shift=0.0, share=share)
    effects = {name: one - other for name, (one, other) in zip(scores, chances, strict=True)} | {"x": plain.effect(raw)}
    found = {}
    for learner, (of_treated, of_nothing) in calibrated.items():
        slope, shift = (_stretched if learner == "pooled" else _shrunk)(effects[learner], robust)
        # learners are compared by whom they set apart from whom, each moved onto the score alike
        alike, moved = _shrunk(effects[learner], robust)
        off = (robust - moved - alike * effects[learner]) ** 2
        folds[f"loss_{learner}"] = float(off.mean())
        folds[f"qini_{learner}"] = uplift_curve(labels, treated, effects[learner]).coefficient
        found[learner] = _Judged(treated=of_treated, nothing=of_nothing, slope=slope, shift=shift, off=off)
    return found, folds


def _doubly_robust(labels: NDArray[np.uint8], treated: Flags, with_it: Floats, without: Floats, chance: Floats) -> Floats:
    """(n,): m1 - m0 + (w - e) / (e (1 - e)) (y - m_w); its mean given x is the effect at x if m1 and m0 hold, or if e does."""
    e = np.clip(chance, LEAST_SHARE, 1 - LEAST_SHARE)
    missed = labels - np.where(treated, with_it, without)
    return np.asarray(with_it - without + (treated - e) / (e * (1 - e)) * missed, dtype=np.float64)


def _shrunk(effect: Floats, robust: Floats) -> tuple[float, float]:
    """Slope and shift of the line from effect to score, the slope shrunk towards 0 by its error, and never below 0."""
    slope = max(0.0, _as_far(*_slope(effect, robust)))
    return slope, float(robust.mean()) - slope * float(effect.mean())


def _stretched(effect: Floats, robust: Floats) -> tuple[float, float]:
    """The slope of effects that are shrunk already: from 1 on as far as it stands out from its error. Their mean stays."""
    slope, error = _slope(effect, robust)
    slope = max(0.0, 1 + _as_far(slope - 1, error))
    return slope, (1 - slope) * float(effect.mean())


def _slope(effect: Floats, robust: Floats) -> tuple[float, float]:
    """Of the line from effect to score, and its error, however the scores spread (White, Econometrica 1980)."""
    centred = effect - effect.mean()
    spread = float(centred @ centred)
    if spread <= 1e-12:
        return 0.0, np.inf
    slope = float(centred @ robust) / spread
    left = robust - robust.mean() - slope * centred
    return slope, float(np.sqrt(((centred * left) ** 2).sum())) / spread


def _as_far(way: float, error: float) -> float:
    """The way, times max(0, 1 - the squared error over its square)."""
    return way * max(0.0, 1 - (error / way) ** 2) if way else 0.0


def _unjudged(fitted: FittedPooled, share: float, why: str) -> FittedUplift:
    """The pooled learner as it is: no calibration but its priors."""
    answer = Uplift(learner="pooled", treated=Platt(), nothing=Platt(), slope=1.0, shift=0.0, share=share, line=fitted.line)
    return FittedUplift(
        forests=fitted.forests,
        answer=answer,
        alone=Platt(),
        fallback=None,
        unjudged=f"{why}, and at least {FEWEST} of each are needed to judge; what is said rests on the learner's priors alone",
        folds={},
    )


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
