"""What an evaluation of registered versions tells: frozen values, for the command line to print."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from training.fairness import Apart
from training.measured import Metric
from training.paired import Comparison
from training.registry import Version
from training.slices import Slice

Role = Literal["champion", "challenger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A version on the test. `chance_error` is the calibration error that chance alone explains, `costs` what its run says of
    time and size, `apart` how far its groups are from all others (see `training.fairness`).
    """

    role: Role
    version: Version
    metrics: tuple[Metric, ...]
    chance_error: float | None
    costs: dict[str, float]
    slices: tuple[Slice, ...]
    apart: tuple[Apart, ...]

    @property
    def numbers(self) -> dict[str, float]:
        """As the gates read them."""
        ends = {
            f"{one.name}{end}": value
            for one in self.metrics
            for end, value in (("", one.value), ("_low", one.low), ("_high", one.high))
        }
        chance = {} if self.chance_error is None else {"calibration_error_by_chance": self.chance_error}
        return {**ends, **chance, **self.costs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """A model on one test, whose first and last row are of `starts` and `ends`. `reading` counts how often it was read.

    `standings` holds each version once. `comparison` is None where there is nothing to compare; `alone` says why. `is_open`
    says whether promotion would pass, `shut` why not.
    """

    model: str
    starts: datetime
    ends: datetime
    rows: int
    positives: int
    customers: int
    reading: int
    standings: tuple[Standing, ...]
    comparison: Comparison | None
    alone: str | None
    is_open: bool
    shut: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """For a person."""
        when = f"{self.starts:%Y-%m-%d}" + ("" if self.starts == self.ends else f" to {self.ends:%Y-%m-%d}")
        yield (
            f"test       {self.model}: {when}, {self.rows:,} rows of {self.customers:,} customers, {self.positives:,} "
            f"positive; reading {self.reading}"
        )
        for one in self.standings:
            yield from _standing(self.model, one)
        if self.comparison is not None:
            yield from _comparison(self.model, self.comparison)
        if self.alone is not None:
            yield f"alone      {self.model}: {self.alone}"
        if self.is_open:
            yield f"gates      {self.model}: open"
        yield from (f"shut       {reason}" for reason in self.shut)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateReport:
    """`tracking_uri` is MLflow's store."""

    models: tuple[Evaluated, ...]
    tracking_uri: str

    def lines(self) -> list[str]:
        return [line for model in self.models for line in model.lines()]


def _standing(model: str, one: Standing) -> Iterator[str]:
    who = f"{one.role:<11}{model} version {one.version.version}"
    for metric in one.metrics:
        yield f"{who}: {metric.name} {_ends(metric)}"
    if one.chance_error is not None:
        yield f"{who}: chance alone explains a calibration_error up to {one.chance_error:.3f}"
    for name, cost in one.costs.items():
        yield f"{who}: {name} {cost:.1f}"
    for part in one.slices:
        told = [
            f"{apart.measure} {_signed(apart)}"
            for apart in one.apart
            if (apart.feature, apart.label) == (part.feature, part.label)
        ]
        said = f"{', '.join(told)} from all others" if told else "too few to tell"
        yield f"{who}: {part.feature} = {part.label} ({part.rows:,} rows, {part.positives:,} positive): {said}"


def _comparison(model: str, found: Comparison) -> Iterator[str]:
    lost = found.lost
    yield f"compared   {model}: {lost.loss} {lost.told()} beside the champion's on the same {lost.rows:,} rows"
    for metric in found.gained:
        yield f"compared   {model}: {metric.name} {_signed(metric)}"
    for part in found.slices:
        told = "too few to tell" if part.lost is None else f"{part.lost.loss} {part.lost.told()}"
        yield f"compared   {model}: {part.feature} = {part.label}, {part.rows:,} rows: {told}"


def _ends(one: Metric) -> str:
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"


def _signed(one: Metric | Apart) -> str:
    return f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
