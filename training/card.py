"""A model's card: what it predicts, from what, how well, for whom, and what it must not be used for. In Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from features.answers import Response, Uplift, Value
from features.calibration import Calibration, Isotonic
from features.receptive import Timing
from features.schema import ProfileSpec
from training.dataset import Dataset
from training.measured import Metric
from training.report import Learned, timing_lines
from training.settings import Churn, Preference, Settings
from training.settings import Timing as TimingSettings
from training.settings import Uplift as UpliftSettings
from training.settings import Value as ValueSettings
from training.slices import Slice

_LEARNERS = {"t": "T", "x": "X", "pooled": "pooled (one model of all rows: a line, and forests that add to it)"}


def card(learned: Learned, data: Dataset, settings: Settings, profile: ProfileSpec) -> str:
    """The same model, the same card: nothing in it depends on when or where it was made."""
    lines = [
        f"# Model card: {learned.model}",
        "",
        _predicts(settings),
        "",
        *_table(
            ("", "training", "test"),
            [
                ("rows", f"{learned.train_rows:,}", f"{learned.evaluation.rows:,}"),
                ("positives", f"{learned.train_positives:,}", f"{learned.evaluation.positives:,}"),
                ("when", _periods(settings)[0], _periods(settings)[1]),
            ],
        ),
        "",
        f"Data {learned.fingerprint}; every test row is later than every training row, and nothing was chosen on the test.",
        *(f"- {count:,} {what}" for what, count in learned.counted.items()),
        "",
        "## How well",
        "",
        "On the test, with 95% intervals (bootstrap over customers).",
        "",
        *_table(("metric", "value", "95% interval", "elsewhere"), [_metric(one) for one in learned.evaluation.metrics]),
        "",
        *_open_windows(data),
        *_calibration(learned),
        *_slices(learned.slices),
        "## What it looks at",
        "",
        *_table(("column", "what it is", "bound", "share of gain"), list(_columns(learned, data, settings, profile))),
        "",
        "## How it learned",
        "",
        f"{_learner(settings)}, {', '.join(f'{name} {value}' for name, value in learned.parameters.items())}.",
        *([f"A search on training rows held out in time: {_numbers(learned.searched)}."] if learned.searched else []),
        *([f"On training rows held out in time: {_numbers(learned.folds)}."] if learned.folds else []),
        "",
        "## What it is not for",
        "",
        _not_for(learned, settings),
        "",
    ]
    return "\n".join(lines)


def _predicts(settings: Settings) -> str:
    match settings:
        case Churn():
            return (
                f"The probability that a customer with '{settings.event}' in the last {settings.active_within.days} days "
                f"has none in the next {settings.horizons[0].days} days."
            )
        case ValueSettings():
            return (
                f"What a customer with '{settings.event}' in the last {settings.active_within.days} days brings in the next "
                f"{settings.horizon.days} days: the sum of '{settings.amount}' times a margin of {settings.margin:g}."
            )
        case Preference():
            return (
                f"The probability that an offer at '{settings.touchpoint}' ends in '{settings.success}' before its window "
                f"closes."
            )
        case UpliftSettings():
            return (
                f"The probability of '{settings.event}' within {settings.window.days} days with a message at "
                f"'{settings.touchpoint}', and without one."
            )
        case TimingSettings():
            return (
                f"At which hours of the week a message at '{settings.touchpoint}' is answered within "
                f"{settings.window.total_seconds() / 3600:g} hours ({', '.join(settings.success)}); where too few were, when "
                f"customers come ('{settings.event}')."
            )


def _learner(settings: Settings) -> str:
    if isinstance(settings, TimingSettings):
        return "A logistic regression whose priors the rows set; the forest beside it by LightGBM"
    return "LightGBM"


def _periods(settings: Settings) -> tuple[str, str]:
    if isinstance(settings, Churn | ValueSettings | TimingSettings):
        return ", ".join(map(str, settings.train)), ", ".join(map(str, settings.test))
    said = [f"{period.start} until {period.until}" for period in (settings.train, settings.test)]
    return said[0], said[1]


def _metric(one: Metric) -> tuple[str, ...]:
    beside = "" if one.reference is None else f"{one.reference.value:g} ({one.reference.source})"
    return one.name, f"{one.value:.4f}", f"{one.low:.4f} to {one.high:.4f}", beside


def _open_windows(data: Dataset) -> Iterable[str]:
    if data.known_share is None or (data.known_share[data.test] >= 1).all():
        return
    still = int((data.known_share[data.test] < 1).sum())
    yield (
        f"The windows of {still:,} test offers are still open: log loss, calibration errors and gaps compare what is known so "
        "far with the share of each probability that should be known by now, by when past successes came."
    )
    yield ""


def _calibration(learned: Learned) -> Iterable[str]:
    said = []
    match learned.answer:
        case Response() as answer:
            said = [_calibrated(answer.calibration)]
        case Value() as answer:
            said = [f"the chance of anything {_calibrated(answer.any)}", f"amounts times {answer.scale:.3f}"]
        case Uplift() as answer:
            said = [f"with the message {_calibrated(answer.treated)}", f"without it {_calibrated(answer.nothing)}"]
            said.append(f"learner {_LEARNERS[answer.learner]}, effects times {answer.slope:.3f} plus {answer.shift:.4f}")
        case Timing() as answer:
            yield from (f"{line[0].upper()}{line[1:]}." for line in timing_lines(answer, learned.folds))
            yield ""
            return
    if learned.together is not None:
        said.append(
            f"the chance of any offer of a group, from the log odds of independent offers, {_calibrated(learned.together)}"
        )
    yield f"Calibration: {'; '.join(said)}."
    if learned.chance_error is not None:
        yield (
            f"A perfectly calibrated model would show a calibration error below {learned.chance_error:.4f} on this test "
            f"in 95 of 100 worlds."
        )
    yield ""


def _calibrated(calibration: Calibration) -> str:
    if isinstance(calibration, Isotonic):
        return f"by a rising line of {len(calibration.scores)} points"
    return f"by sigmoid({calibration.a:.3f} score {calibration.b:+.3f})"


def _slices(slices: Sequence[Slice]) -> Iterable[str]:
    if not slices:
        return
    yield from ("## For whom", "", "The gap is the mean prediction less the mean of what happened.", "")
    rows = [
        (
            f"{one.feature} = {one.label}",
            f"{one.rows:,}",
            f"{one.positives:,}",
            "too few" if one.gap is None else f"{one.gap.value:+.4f} ({one.gap.low:+.4f} to {one.gap.high:+.4f})",
            "" if one.auc is None else f"{one.auc:.3f}",
        )
        for one in slices
    ]
    yield from _table(("group", "rows", "positives", "gap", "auc"), rows)
    yield ""


def _columns(learned: Learned, data: Dataset, settings: Settings, profile: ProfileSpec) -> Iterable[tuple[str, ...]]:
    if isinstance(settings, TimingSettings):
        habits = [column.name for column in data.row.columns if column.side == "customer"]
        yield ", ".join(habits), "the customer's own habits: visits, and answers at the channel", "", ""
    for column in data.row.columns if not isinstance(settings, TimingSettings) else ():
        bound = "rises" if column.name in settings.rises_with else "falls" if column.name in settings.falls_with else ""
        if column.side == "customer":
            what = profile.index[column.of].unit or "a number"
        elif column.side == "action":
            what = f"of the offer: {column.of}"
        else:
            what = f"of both: {column.pick}" + (f" over {column.over}" if column.over else "")
        yield column.name, what, bound, f"{learned.gains.get(column.name, 0.0):.1%}"


def _not_for(learned: Learned, settings: Settings) -> str:
    if learned.fallback is not None:
        return f"It says nothing of what a message changes: {learned.fallback}."
    match settings:
        case UpliftSettings():
            return (
                "Who is told something follows from the decisions' own choice as well as chance. Where its probability was "
                "logged it is corrected for; otherwise by the columns: what choice or rules read and these do not, is not."
                + (f" Its learner was compared with no other: {learned.unjudged}." if learned.unjudged else "")
            )
        case TimingSettings():
            return (
                "It says nothing of whether a message should go, only of when. Where the hours were not drawn by chance, an "
                "hour may look good because of what was sent then."
            )
        case Preference():
            return "It says who takes an offer, not who takes it because of the offer: no causal claim rests on it."
        case _:
            return "It says what will happen if all goes on as before, not what a message would change."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _numbers(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in numbers.items())
