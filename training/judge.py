"""What a finished model does on the test: metrics, slices and plots, by what it predicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from features.answers import Response, Uplift, Value
from features.receptive import Timing
from measure import charts
from measure.charts import Plot
from measure.curves import perfect_error
from training.dataset import Dataset
from training.evaluate import evaluate
from training.evaluate_timing import evaluate_timing
from training.evaluate_uplift import evaluate_uplift
from training.evaluate_value import evaluate_value
from training.learn import Fitted
from training.measured import Evaluation, Floats
from training.parameters import Learning
from training.predicted import Predicted, numbered
from training.slices import Slice, slices_of
from training.timing import rows_of

_UNITS = {"customer": "customers", "offer": "offers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """`chance_error` is the calibration error that a perfectly calibrated model stays below on these rows in 95 of 100 worlds;
    None where no probability is predicted. `predicted` is what was said of each row.
    """

    evaluation: Evaluation
    slices: tuple[Slice, ...]
    predicted: Predicted
    chance_error: float | None = None
    plots: Mapping[str, Plot] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """The rows of the test."""

    rows: NDArray[np.intp]
    labels: NDArray[np.uint8]
    customers: list[str]


def judge(name: str, data: Dataset, fitted: Fitted, settings: Learning) -> Judged:
    """Reads the test: once, after everything is fitted."""
    rows = np.flatnonzero(data.test)
    test = _Test(rows=rows, labels=data.labels[rows], customers=[data.customers[int(row)] for row in rows])
    raw = fitted.raw(data.matrix[rows])
    title = f"{name.capitalize().replace('_', ' ')}, held out"
    match fitted.answer:
        case Timing() as answer:
            return _timing(data, test, answer, fitted, settings, title)
        case Value() as answer:
            return _value(data, test, answer.amounts(raw), settings, title)
        case Uplift() as answer:
            return _uplift(data, test, *answer.probabilities(raw), settings, title)
        case Response() as answer if data.treated is not None:
            said = answer.probabilities(raw)
            return _uplift(data, test, said, np.full(len(said), np.nan), settings, title)
        case Response() as answer:
            return _response(data, test, answer.probabilities(raw), fitted, settings, title, _UNITS[answer.about])


def _response(data: Dataset, test: _Test, said: Floats, fitted: Fitted, settings: Learning, title: str, unit: str) -> Judged:
    known = np.ones(len(said)) if data.known_share is None else fitted.arrival.known(data.known_share[test.rows])
    groups = None if data.groups is None else [data.groups[int(row)] for row in test.rows]
    evaluation = evaluate(
        test.labels,
        said,
        customers=test.customers,
        known=known,
        groups=groups,
        together=fitted.together,
        references=settings.references,
        seed=settings.parameters.seed,
    )
    plots = {
        "gain": charts.gain_curve(test.labels, said, title=f"{title}: who comes first", unit=unit),
        "calibration": charts.calibration_plot(test.labels, said * known, title=f"{title}: promised and kept"),
    }
    return Judged(
        evaluation=evaluation,
        slices=_slices(data, test, test.labels.astype(np.float64), said * known, settings),
        predicted=replace(_predicted(data, test, test.labels.astype(np.float64), said), known=known),
        chance_error=perfect_error(said * known),
        plots=plots,
    )


def _value(data: Dataset, test: _Test, said: Floats, settings: Learning, title: str) -> Judged:
    assert data.amounts is not None
    seen = data.amounts[test.rows]
    evaluation = evaluate_value(
        seen, said, customers=test.customers, references=settings.references, seed=settings.parameters.seed
    )
    plot = charts.calibration_plot(seen, said, title=f"{title}: expected and seen", unit="amount")
    return Judged(
        evaluation=evaluation,
        slices=_slices(data, test, seen, said, settings),
        predicted=replace(_predicted(data, test, seen, said), amounts=True),
        plots={"calibration": plot},
    )


def _timing(data: Dataset, test: _Test, answer: Timing, fitted: Fitted, settings: Learning, title: str) -> Judged:
    assert data.timing is not None
    rows = rows_of(data.row.names, data.matrix[test.rows], test.labels, data.timing)
    evaluation = evaluate_timing(
        rows,
        answer,
        fitted.rivals,
        customers=test.customers,
        references=settings.references,
        seed=settings.parameters.seed,
    )
    said = answer.chance(rows.own, rows.hours, rows.said)
    plot = charts.calibration_plot(test.labels, said, title=f"{title}: promised and kept")
    predicted = _predicted(data, test, test.labels.astype(np.float64), said)
    return Judged(evaluation=evaluation, slices=(), predicted=predicted, plots={"calibration": plot})


def _uplift(data: Dataset, test: _Test, with_it: Floats, without: Floats, settings: Learning, title: str) -> Judged:
    assert data.treated is not None
    treated = data.treated[test.rows]
    evaluation = evaluate_uplift(
        test.labels,
        treated,
        with_it,
        without,
        customers=test.customers,
        references=settings.references,
        seed=settings.parameters.seed,
    )
    measured = treated | ~np.isnan(without)
    said = np.where(treated, with_it, without)
    plots = {"calibration": charts.calibration_plot(test.labels[measured], said[measured], title=f"{title}: promised and kept")}
    if measured.all() and not treated.all():
        plots["uplift"] = charts.uplift_plot(test.labels, treated, with_it - without, title=f"{title}: whom it moves")
    seen = test.labels.astype(np.float64)
    return Judged(
        evaluation=evaluation,
        slices=_slices(data, test, seen, said, settings) if measured.all() else (),
        predicted=replace(_predicted(data, test, seen, said), treated=treated, effect=with_it - without),
        chance_error=perfect_error(said[measured]),
        plots=plots,
    )


def _slices(data: Dataset, test: _Test, seen: Floats, said: Floats, settings: Learning) -> tuple[Slice, ...]:
    groups = {feature: [labels[int(row)] for row in test.rows] for feature, labels in data.slices.items()}
    return slices_of(groups, labels=test.labels, seen=seen, said=said, customers=test.customers, seed=settings.parameters.seed)


def _predicted(data: Dataset, test: _Test, seen: Floats, said: Floats) -> Predicted:
    return Predicted(
        customer=numbered(test.customers),
        seen=seen,
        said=said,
        group=None if data.groups is None else numbered([data.groups[int(row)] for row in test.rows]),
        slices={feature: np.array([labels[int(row)] for row in test.rows]) for feature, labels in data.slices.items()},
    )
