"""models.yaml as typed values: what the models predict, when they learn, when they are tested, and what they may look at.

Dates are midnights in the brand's time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

FILE = "models.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """LightGBM's own names; see `training.models` for what is fixed.

    One thread learns tens of thousands of rows in under a second; more gain little there, and on busy cores they lose much.
    """

    num_iterations: int = 150
    learning_rate: float = 0.03
    num_leaves: int = 8
    min_data_in_leaf: int = 40
    feature_fraction: float = 0.7
    bagging_fraction: float = 0.8
    lambda_l2: float = 1.0
    seed: int = 7
    num_threads: int = 1

    def __post_init__(self) -> None:
        faults = [
            f"{name} must be {bound}"
            for name, holds, bound in (
                ("num_iterations", self.num_iterations >= 1, "at least 1"),
                ("learning_rate", 0 < self.learning_rate <= 1, "above 0 and at most 1"),
                ("num_leaves", 2 <= self.num_leaves <= 64, "2 to 64"),
                ("min_data_in_leaf", self.min_data_in_leaf >= 1, "at least 1"),
                ("feature_fraction", 0 < self.feature_fraction <= 1, "above 0 and at most 1"),
                ("bagging_fraction", 0 < self.bagging_fraction <= 1, "above 0 and at most 1"),
                ("lambda_l2", self.lambda_l2 >= 0, "0 or more"),
                ("num_threads", self.num_threads >= 1, "at least 1: 0 would take every core of the machine"),
            )
            if not holds
        ]
        if faults:
            raise ValueError("; ".join(faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a metric reached elsewhere on the same split, to be printed beside the model's own value. It gates nothing."""

    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """A customer with an `event` in the `active_within` up to a cut-off churns when none follows in the `horizon`."""

    event: str
    horizon: timedelta
    active_within: timedelta
    train: tuple[date, ...]
    test: tuple[date, ...]
    columns: tuple[str, ...]
    rises_with: tuple[str, ...] = ()
    falls_with: tuple[str, ...] = ()
    parameters: Parameters = Parameters()
    references: Mapping[str, Reference] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = _order_faults(self.rises_with, self.falls_with, self.columns)
        faults += _list_faults("train", self.train) + _list_faults("test", self.test)
        if self.horizon <= timedelta(0) or self.active_within <= timedelta(0):
            faults.append("horizon and active_within must be longer than 0")
        if self.train and self.test and max(self.train) + self.horizon > min(self.test):
            faults.append(f"the last cut-off of train plus the horizon lies after the first of test, {min(self.test)}")
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
class Preference:
    """An offer shown at `touchpoint` succeeds when the outcome `success` follows before its window closes.

    `folds` are the beginnings of blocks inside `train`: each block is predicted by a model that learned from offers closed
    before it, and on those predictions the calibration is fitted. The column `topic` is the offer's first topic.
    """

    touchpoint: str
    success: str
    train: Period
    test: Period
    folds: tuple[date, ...]
    customer: tuple[str, ...]
    action: Mapping[str, ActionColumn]
    cross: Mapping[str, CrossColumn] = field(default_factory=dict)
    rises_with: tuple[str, ...] = ()
    falls_with: tuple[str, ...] = ()
    parameters: Parameters = Parameters()
    references: Mapping[str, Reference] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = (*self.customer, *self.action, *self.cross)
        faults = _order_faults(self.rises_with, self.falls_with, names) + _list_faults("folds", self.folds)
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
class Models:
    churn: Churn | None = None
    preference: Preference | None = None

    def __post_init__(self) -> None:
        if self.churn is None and self.preference is None:
            raise ValueError("there is nothing to train; describe churn, preference or both")

    @property
    def names(self) -> tuple[str, ...]:
        """The models that are described."""
        described = (("churn", self.churn), ("preference", self.preference))
        return tuple(name for name, settings in described if settings is not None)


def _list_faults(name: str, days: tuple[date, ...]) -> list[str]:
    return [] if days and list(days) == sorted(set(days)) else [f"{name} needs dates, each later than the one before"]


def _order_faults(rises: tuple[str, ...], falls: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    faults = [f"column {name!r} is written twice" for name in sorted({one for one in names if names.count(one) > 1})]
    faults += [f"{name!r} of rises_with or falls_with is no column" for name in (*rises, *falls) if name not in names]
    return faults + [f"{name!r} both rises and falls" for name in rises if name in falls]
