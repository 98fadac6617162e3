"""models.yaml as typed values: what the models predict, when they learn, when they are tested, and what they may look at.

Dates are midnights in the brand's time zone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from decisioning.domain import OutcomeKind
from training.names import nearest
from training.parameters import Learning

FILE = "models.yaml"

_OF_CHANCES = ("auc", "log_loss", "calibration_error")
_OF_AMOUNTS = ("mae", "gini", "total_ratio")
_OF_OFFERS = (*_OF_CHANCES, "group_auc", "effect", "effect_said", "qini")
_OF_HOURS = ("log_loss", "gain_over_flat", "gain_over_everybody", "gain_over_habits")
"""The metrics that a reference may stand beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dates(Learning):
    """Who had an `event` in the `active_within` up to a cut-off is asked about from there on."""

    event: str
    active_within: timedelta
    train: tuple[date, ...]
    test: tuple[date, ...]

    def date_faults(self, horizons: tuple[timedelta, ...], metrics: tuple[str, ...]) -> list[str]:
        faults = _reference_faults(self.references, metrics)
        faults += _list_faults("train", self.train) + _list_faults("test", self.test)
        if min(*horizons, self.active_within) <= timedelta(0):
            faults.append("horizons and active_within must be longer than 0")
        if self.train and self.test and max(self.train) + max(horizons) > min(self.test):
            faults.append(f"the last cut-off of train plus the horizon lies after the first of test, {min(self.test)}")
        return faults


@dataclass(frozen=True, slots=True, kw_only=True)
class _CutOffs(_Dates):
    """The same, learned from features of the profile."""

    columns: tuple[str, ...]

    def cut_off_faults(self, horizons: tuple[timedelta, ...], metrics: tuple[str, ...]) -> list[str]:
        return self.order_faults(self.columns) + self.date_faults(horizons, metrics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn(_CutOffs):
    """A customer who was active churns when no `event` follows within a horizon.

    The first of the `horizons` is predicted by the model `churn`, each other by one with its days in the name: churn_60. A
    reference of one of these is written with its name: churn_60.auc.
    """

    horizons: tuple[timedelta, ...]

    def __post_init__(self) -> None:
        faults = [] if self.horizons else ["horizons needs at least one"]
        named = tuple(f"{name}.{metric}" for name in self.named() for metric in _OF_CHANCES)
        faults += self.cut_off_faults(self.horizons, (*_OF_CHANCES, *named)) if self.horizons else []
        if len(self.named()) < len(self.horizons):
            faults.append("horizons: two of them have the same number of days")
        if faults:
            raise ValueError("; ".join(faults))

    def named(self) -> dict[str, timedelta]:
        """The horizon of each model."""
        return {f"churn_{one.days}" if at else "churn": one for at, one in enumerate(dict.fromkeys(self.horizons))}

    def alone(self, model: str) -> "Churn":
        """The settings of one of the models: adding a horizon does not change the others'."""
        mine = {
            metric: reference
            for name, reference in self.references.items()
            for of, _, metric in [name.rpartition(".")]
            if (of or "churn") == model
        }
        return replace(self, horizons=(self.named()[model],), references=mine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value(_CutOffs):
    """What a customer who was active brings within the `horizon`: the `amount` of each event, a number among its properties,
    times the `margin`, the share of it that stays.
    """

    amount: str
    horizon: timedelta
    margin: float = 1.0

    def __post_init__(self) -> None:
        faults = self.cut_off_faults((self.horizon,), _OF_AMOUNTS)
        if not 0 < self.margin <= 1:
            faults.append("margin is a share: above 0 and at most 1")
        if faults:
            raise ValueError("; ".join(faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From one midnight until another, the second excluded."""

    start: date = field(metadata={"key": "from"})
    until: date

    def __post_init__(self) -> None:
        if self.start >= self.until:
            raise ValueError(f"from {self.start} is not before until {self.until}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionColumn:
    """A feature of the offer. `labels` codes text: the value is the position in it, missing for any other text."""

    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossColumn:
    """A feature of the customer chosen by the offer's first topic: `pick` holds `{topic}`; `over` divides by a feature."""

    pick: str
    over: str | None = None

    def __post_init__(self) -> None:
        if "{topic}" not in self.pick:
            raise ValueError("pick must hold {topic}, such as spend_90d_{topic}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers(Learning):
    """What was offered at a `touchpoint`, in the periods `train` and `test`.

    `folds` are the beginnings of blocks inside `train`: each block is predicted by a model that learned from offers closed
    before it, and on those predictions the calibration is fitted. The column `topic` is the offer's first topic.
    """

    touchpoint: str
    train: Period
    test: Period
    folds: tuple[date, ...]
    customer: tuple[str, ...]
    action: Mapping[str, ActionColumn]
    cross: Mapping[str, CrossColumn] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = self.order_faults((*self.customer, *self.action, *self.cross)) + _list_faults("folds", self.folds)
        faults += _reference_faults(self.references, _OF_OFFERS)
        if self.train.until > self.test.start:
            faults.append(f"train ends on {self.train.until}, after test begins on {self.test.start}")
        faults += [
            f"folds: {day} is not inside train, after its first day"
            for day in self.folds
            if not self.train.start < day < self.train.until
        ]
        if faults:
            raise ValueError("; ".join(faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference(Offers):
    """An offer succeeds when the outcome `success` follows before its window closes."""

    success: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplift(Offers):
    """A decision succeeds when an `event` of the customer follows within the `window`: with a message for the treated, without
    one for the control group. No outcome tied to a message can tell, since the control group got none.
    """

    event: str
    window: timedelta

    def __post_init__(self) -> None:
        # a dataclass with slots is made anew: super() without arguments would look for the one before
        Offers.__post_init__(self)
        if self.window <= timedelta(0):
            raise ValueError("window must be longer than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(_Dates):
    """At which hours messages of an outbound `touchpoint` are answered: with one of `success` within the `window`.

    Messages sent from the first date of train to the first of test teach, those of the `horizon` after each date of test judge.
    Where too few were answered, visits stand for answers: the hours of the `event` within the `horizon` after each date.
    The columns are the customers' own habits, whatever of them the profile has. `parameters` are those of the forest that is
    measured beside the model.
    """

    touchpoint: str
    horizon: timedelta
    window: timedelta = timedelta(days=2)
    success: tuple[OutcomeKind, ...] = ("opened", "clicked", "accepted")

    def __post_init__(self) -> None:
        faults = self.date_faults((self.horizon,), _OF_HOURS)
        if self.window <= timedelta(0):
            faults.append("window must be longer than 0")
        if not self.success:
            faults.append("success needs at least one outcome, such as opened")
        if self.rises_with or self.falls_with or self.slices or self.trusted or self.search:
            faults.append("timing has no columns of its own: leave out rises_with, falls_with, slices, trusted and search")
        if faults:
            raise ValueError("; ".join(faults))


Described = Churn | Value | Preference | Uplift
"""Those whose columns are written out."""
Settings = Described | Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Emotion:
    """How customers' own words are read, learned from the events that carry words and a rating too: those that brand.yaml has
    among both `signals` and `words`. Who does not agree to the `purpose` now teaches nothing.

    Below `least` rated texts in `train`, or a quarter of that in `test`, the lexicon stays.
    """

    train: Period
    test: Period
    purpose: str
    least: int = 200

    def __post_init__(self) -> None:
        faults = []
        if self.train.until > self.test.start:
            faults.append(f"train ends on {self.train.until}, after test begins on {self.test.start}")
        if self.least < 40:
            faults.append("least is 40 or more: fewer texts teach nothing")
        if faults:
            raise ValueError("; ".join(faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    churn: Churn | None = None
    value: Value | None = None
    preference: Preference | None = None
    uplift: Uplift | None = None
    emotion: Emotion | None = None
    timing: Timing | None = None

    def __post_init__(self) -> None:
        if not self.described and self.emotion is None:
            raise ValueError("there is nothing to train; describe churn, value, preference, uplift, timing or emotion")

    @property
    def described(self) -> dict[str, Settings]:
        """The settings of each model of the profile; that of words is apart."""
        found: dict[str, Settings] = {}
        if self.churn is not None:
            found |= {name: self.churn.alone(name) for name in self.churn.named()}
        others: tuple[tuple[str, Settings | None], ...] = (
            ("value", self.value),
            ("preference", self.preference),
            ("uplift", self.uplift),
            ("timing", self.timing),
        )
        return found | {name: settings for name, settings in others if settings is not None}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.described)


def _reference_faults(references: Iterable[str], metrics: tuple[str, ...]) -> list[str]:
    return [f"{name!r} of references is no metric{nearest(name, metrics)}" for name in references if name not in metrics]


def _list_faults(name: str, days: tuple[date, ...]) -> list[str]:
    return [] if days and list(days) == sorted(set(days)) else [f"{name} needs dates, each later than the one before"]
