"""What training and promotion tell: frozen values, for the command line to print and for the run to keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from features.answers import Answer
from features.calibration import Calibration
from features.receptive import Timing
from training.measured import Evaluation
from training.registry import Version
from training.slices import Slice

LEARNED = "kairos/learned.json"
BUNDLE = "kairos/bundle"
CARD = "model_card.md"
PREDICTED = "kairos/predicted.npz"
"""Where a run keeps the report, the model in the server's form, the card for people, and what it said of each test row."""


EMOTION = "emotion"
"""The name of the model of customers' words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What is known of one trained model. Kept with its run, so that a reused run tells the same.

    `folds` holds the metrics on training rows that were held out in turn: what parameters are chosen on. `gains` is each
    column's share of what the trees found. `answer` is what raw scores mean. `counted` says in words what
    was left out, and what was kept all the same. `parameters` are those that it learned by, `searched` what a search for them
    says, `fallback` why an uplift says nothing of the chance without a message, `unjudged` why its learner was compared with no
    other, `chance_error` the calibration error that chance alone explains (see `training.judge`), `slices` the test for each
    group alone. `together` calibrates the chance that any of a group of offers is taken, None where rows are no offers.
    """

    model: str
    fingerprint: str
    train_rows: int
    train_positives: int
    evaluation: Evaluation
    folds: Mapping[str, float]
    gains: Mapping[str, float]
    answer: Answer
    counted: Mapping[str, int]
    parameters: Mapping[str, float]
    searched: Mapping[str, float]
    fallback: str | None
    chance_error: float | None
    slices: tuple[Slice, ...]
    together: Calibration | None = None
    unjudged: str | None = None

    def encoded(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=1)

    @classmethod
    def decoded(cls, text: bytes) -> "Learned":
        return msgspec.json.decode(text, type=cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """`reused`: the same data, settings and code were trained before; that run stands, and nothing was added."""

    learned: Learned
    version: Version
    reused: bool

    def lines(self) -> list[str]:
        """For a person: what was learned from, and each metric of the held-out test beside its reference."""
        learned, test = self.learned, self.learned.evaluation
        told = [
            f"model     {learned.model}: {'reused' if self.reused else 'trained on'} {learned.train_rows:,} rows with "
            f"{learned.train_positives:,} positives; tested on {test.rows:,} later rows with {test.positives:,}"
        ]
        for metric in test.metrics:
            found = f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"
            beside = "" if metric.reference is None else f"; reference {metric.reference.value:.3f} ({metric.reference.source})"
            told.append(f"model     {learned.model}: held-out {metric.name} {found}{beside}")
        if learned.chance_error is not None:
            told.append(
                f"model     {learned.model}: chance alone explains a calibration_error up to {learned.chance_error:.3f}"
            )
        if isinstance(learned.answer, Timing):
            told += [f"model     {learned.model}: {line}" for line in timing_lines(learned.answer, learned.folds)]
        if learned.fallback is not None:
            told.append(f"model     {learned.model}: says nothing of the chance without a message: {learned.fallback}")
        if learned.unjudged is not None:
            told.append(f"model     {learned.model}: its learner was compared with no other: {learned.unjudged}")
        return told


def timing_lines(answer: Timing, folds: Mapping[str, float]) -> list[str]:
    """What a person must know of a model of timing: of what it learned, whether chance chose the hours, whose habits count."""
    learned = "answers to messages" if answer.learned_from == "answers" else "visits, since too few messages were answered"
    chosen = "hours drawn by chance" if answer.randomised else "observational: chance did not choose the hours"
    whose = (
        f"own habits count (visits {answer.visits:.2f}, answers {answer.answers:.2f})"
        if answer.own
        else "own habits do not count"
    )
    told = [f"learned from {learned}; {chosen}", f"everybody's curve; {whose}"]
    for name, what in (("own_gain", "own habits take"), ("forest_gain", "a forest would take")):
        if name in folds:
            low, high = folds[f"{name}_low"], folds[f"{name}_high"]
            told.append(f"on held-out training rows {what} {folds[name]:.2%} [{low:.2%}, {high:.2%}] off the log loss")
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class EmotionReport:
    """`reads` is what reads customers' words from promotion on. `evaluation` is None where there was too little to test on.

    `reused`: the same data, settings and code were trained before; that run stands.
    """

    reads: str
    why: str
    train_rows: int
    evaluation: Evaluation | None
    version: Version
    reused: bool

    def lines(self) -> list[str]:
        """For a person."""
        told = [f"model     {EMOTION}: {'reused' if self.reused else 'trained on'} {self.train_rows:,} rated texts"]
        told.append(f"model     {EMOTION}: words are read by {self.reads}; {self.why}")
        for metric in self.evaluation.metrics if self.evaluation else ():
            told.append(f"model     {EMOTION}: held-out {metric.name} {metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]")
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """`interrupted` is the number of earlier runs that had been cut off, now marked so. `tracking_uri` is MLflow's store."""

    models: tuple[ModelReport, ...]
    interrupted: int
    tracking_uri: str
    emotion: EmotionReport | None = None

    def lines(self) -> list[str]:
        told = [line for model in self.models for line in model.lines()]
        return told if self.emotion is None else told + self.emotion.lines()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """`before` is the version that was champion until now; None for the first."""

    model: str
    version: Version
    before: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteReport:
    """`bundle` is what the server now reads; `changed` says whether it read another before."""

    bundle: str
    models: tuple[Promoted, ...]
    changed: bool

    def lines(self) -> list[str]:
        champions = ", ".join(f"{one.version.name} version {one.version.version}" for one in self.models)
        return [f"bundle    {self.bundle} {'is promoted' if self.changed else 'stays'}: {champions}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """`bundle` is what the server now reads, last promoted at `promoted_at`; `before` is what it read until now."""

    bundle: str
    promoted_at: datetime
    before: str | None
    versions: Mapping[str, Version]
    changed: bool

    def lines(self) -> list[str]:
        champions = ", ".join(f"{one.name} version {one.version}" for one in self.versions.values())
        answers = f"answers again, in place of {self.before}" if self.changed else "answers already"
        return [f"bundle    {self.bundle} of {self.promoted_at:%Y-%m-%d %H:%M} UTC {answers}: {champions}"]


Outcome = Literal["promoted", "nothing new", "refused", "running", "failed"]
EXIT_CODES: Mapping[Outcome, int] = {"promoted": 0, "nothing new": 0, "refused": 2, "running": 3, "failed": 4}
"""How `kairos retrain` ends: 2 by a gate, 3 because another training runs in the workspace, 4 by data, files or MLflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainReport:
    """`reasons` say why nothing was promoted, a line each. `trained` and `promoted` are there as far as it came."""

    outcome: Outcome
    exit_code: int
    reasons: tuple[str, ...]
    trained: TrainReport | None
    promoted: PromoteReport | None

    @classmethod
    def of(
        cls,
        outcome: Outcome,
        *,
        reasons: Sequence[str] = (),
        trained: TrainReport | None = None,
        promoted: PromoteReport | None = None,
    ) -> "RetrainReport":
        code = EXIT_CODES[outcome]
        return cls(outcome=outcome, exit_code=code, reasons=tuple(reasons), trained=trained, promoted=promoted)

    def lines(self) -> list[str]:
        done = [line for one in (self.trained, self.promoted) if one is not None for line in one.lines()]
        return [*done, f"retrain   {self.outcome}", *(f"retrain   {reason}" for reason in self.reasons)]
