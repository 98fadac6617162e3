"""From a data set to a calibrated model: held-out predictions inside training first, then the model on all of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from features.answers import Answer, Response, scored
from features.calibration import Calibration
from training import evaluate, models
from training.arrival import Arrival
from training.calibrate import calibrate
from training.dataset import Dataset
from training.errors import TrainingError
from training.evaluate_value import gini
from training.folds import FEWEST, Flags, Floats, fewest, held_out
from training.parameters import Parameters
from training.search import found
from training.settings import Churn, Preference, Settings, Timing, Uplift, Value
from training.timing import Chance, learn_timing, rows_of
from training.uplift import learn_uplift
from training.value import learn_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """`forests` holds the text of each forest that learned from every training row, `answer` what their scores mean. `folds`
    is what models of the same kind reached on training rows held out in time: rows, positives, auc, and group_auc where rows
    are offers (no auc where one label is missing); mae and gini of a value; the losses and Qinis of the learners of an uplift.
    `parameters` are those that it learned by, `searched` what a search for them says of itself, `fallback` why an uplift
    says nothing of the chance without a message, and `unjudged` why its learner could not be compared with others. Of offers,
    `together` calibrates the chance that any of a group is taken (`evaluate.by_group`; None where no training rows could be
    held out), and `arrival` says when successes come. `rivals` are those of a model of timing (see `training.timing`).
    """

    forests: Mapping[str, str]
    answer: Answer
    folds: Mapping[str, float]
    parameters: Parameters
    searched: Mapping[str, float] = field(default_factory=dict)
    fallback: str | None = None
    unjudged: str | None = None
    together: Calibration | None = None
    arrival: Arrival = Arrival()
    rivals: Mapping[str, Chance] = field(default_factory=dict)

    def scorer(self) -> Callable[[NDArray[np.float32]], dict[str, Floats]]:
        """What `raw` does, the texts being read once."""
        read = {name: models.booster(text) for name, text in self.forests.items()}
        threads = self.parameters.num_threads
        forests = {name: partial(models.scores, one, threads=threads) for name, one in read.items()}
        return partial(scored, self.answer, forests)

    def raw(self, matrix: NDArray[np.float32]) -> dict[str, Floats]:
        """The scores (n,) of each forest, as `answer` reads them."""
        return self.scorer()(matrix)


def learn(data: Dataset, settings: Settings) -> Fitted:
    """Reads no test row. Where a search is asked for, it learns by the parameters that did best on rows held out."""
    if settings.search is None:
        return _learned(data, settings)

    def losing(parameters: Parameters) -> float:
        return _loss(_learned(data, replace(settings, parameters=parameters, search=None)))

    parameters, searched = found(settings.parameters, settings.search, losing)
    return replace(_learned(data, replace(settings, parameters=parameters)), searched=searched)


def _learned(data: Dataset, settings: Settings) -> Fitted:
    match settings:
        case Uplift():
            return _uplift(data, settings)
        case Value():
            return _value(data, settings)
        case Churn() | Preference():
            return _response(data, settings)
        case Timing():
            return _timing(data, settings)


def _response(data: Dataset, settings: Churn | Preference) -> Fitted:
    train = ~data.test

    def grow(among: Flags) -> dict[str, str]:
        text = models.fit(
            data.matrix[among],
            data.labels[among],
            columns=data.row.names,
            parameters=settings.parameters,
            rises_with=settings.rises_with,
            falls_with=settings.falls_with,
        )
        return {"response": text}

    def enough(among: Flags) -> bool:
        return fewest(data.labels, among) >= FEWEST

    threads = settings.parameters.num_threads
    held, raw = held_out(data.timed, data.matrix, among=train, enough=enough, grow=grow, threads=threads)
    scores = raw.get("response", np.array([]))
    answer = Response(about="customer" if data.groups is None else "offer", calibration=calibrate(scores, data.labels[held]))
    return Fitted(
        forests=grow(train),
        answer=answer,
        folds=_folds(data, held, answer.calibration.apply(scores)),
        parameters=settings.parameters,
        together=_together(data, held, answer.calibration.apply(scores)),
        arrival=_arrival(data),
    )


def _together(data: Dataset, held: NDArray[np.intp], probabilities: Floats) -> Calibration | None:
    if data.groups is None or len(held) == 0:
        return None
    grouped = _grouped(data, held, probabilities)
    return calibrate(grouped.log_odds, grouped.labels)


def _arrival(data: Dataset) -> Arrival:
    if data.success_share is None:
        return Arrival()
    taught = data.success_share[~data.test]
    return Arrival.of(taught[~np.isnan(taught)])


def _value(data: Dataset, settings: Value) -> Fitted:
    train = ~data.test
    assert data.amounts is not None
    fitted = learn_value(
        matrix=data.matrix[train],
        amounts=data.amounts[train],
        timed=data.timed.of(train),
        columns=data.row.names,
        parameters=settings.parameters,
        rises_with=settings.rises_with,
        falls_with=settings.falls_with,
    )
    folds = {"rows": float(len(fitted.held))}
    if len(fitted.held):
        seen = data.amounts[train][fitted.held]
        folds |= {"mae": float(np.abs(seen - fitted.amounts).mean()), "gini": gini(seen, fitted.amounts)}
    return Fitted(forests=fitted.forests, answer=fitted.answer, folds=folds, parameters=settings.parameters)


def _uplift(data: Dataset, settings: Uplift) -> Fitted:
    train = ~data.test
    assert data.treated is not None
    fitted = learn_uplift(
        matrix=data.matrix[train],
        labels=data.labels[train],
        treated=data.treated[train],
        block=data.block[train],
        at_us=data.at_us[train],
        closes_us=data.closes_us[train],
        columns=data.row.names,
        parameters=settings.parameters,
        share=None if data.share is None else data.share[train],
        coded=data.coded,
        only_with_message=[column.name for column in data.row.columns if column.side != "customer"],
        rises_with=settings.rises_with,
        falls_with=settings.falls_with,
    )
    plain = Response(about="offer", calibration=fitted.alone)
    return Fitted(
        forests=fitted.forests if fitted.answer is not None else {"response": fitted.forests["treated"]},
        answer=fitted.answer or plain,
        folds=fitted.folds,
        parameters=settings.parameters,
        fallback=fitted.fallback,
        unjudged=fitted.unjudged,
    )


def _timing(data: Dataset, settings: Timing) -> Fitted:
    train, about = np.flatnonzero(~data.test), data.timing
    assert about is not None
    fitted = learn_timing(
        rows=rows_of(data.row.names, data.matrix[train], data.labels[train], about),
        about=about,
        timed=data.timed.of(~data.test),
        customers=[data.customers[int(row)] for row in train],
        parameters=settings.parameters,
    )
    return Fitted(forests={}, answer=fitted.answer, folds=fitted.folds, parameters=settings.parameters, rivals=fitted.rivals)


def _folds(data: Dataset, held: NDArray[np.intp], probabilities: Floats) -> dict[str, float]:
    truth = data.labels[held]
    reached = {"rows": float(len(held)), "positives": float(truth.sum())}
    if 0 < truth.sum() < len(truth):
        reached["log_loss"] = evaluate.log_loss(truth, probabilities)
        reached["auc"] = evaluate.auc(truth, probabilities)
        if data.groups is not None:
            grouped = _grouped(data, held, probabilities)
            reached["group_auc"] = evaluate.auc(grouped.labels, grouped.probabilities)
    return reached


def _grouped(data: Dataset, held: NDArray[np.intp], probabilities: Floats) -> evaluate.Grouped:
    assert data.groups is not None
    customers, groups = [data.customers[row] for row in held], [data.groups[row] for row in held]
    return evaluate.by_group(data.labels[held], probabilities, customers=customers, groups=groups)


def _loss(fitted: Fitted) -> float:
    """What a search makes small: the log loss, a value's absolute error, or the loss of the better learner of an uplift."""
    lost = [fitted.folds[name] for name in ("log_loss", "mae", "loss_t", "loss_x", "loss_pooled") if name in fitted.folds]
    if not lost:
        raise TrainingError("a search needs training rows held out in time; give more training dates or folds, or leave it out")
    return min(lost)
