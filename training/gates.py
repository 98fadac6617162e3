"""What a model must show before it is promoted: registry.yaml as typed values, and the check.

Beside a champion the question is whether the challenger is not worse, and it must be answered: of the challenger's loss
less the champion's, on the same rows, the whole 95% interval must lie at or below `may_lose` (a non-inferiority test, as of
ICH E9, section 3.3.2). A worse model passes in about 2.5 of 100 tests at most, however little worse and however small the
test; a test that is too small to tell keeps the champion. Metrics of `not_below_champion`, slices and fairness only guard:
there a model is refused where an interval shows harm beyond its tolerance, since the same proof for a dozen small groups
would refuse every model.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.workspace import Workspace
from features.yaml_nodes import decode
from training.errors import TrainingError
from training.fairness import Apart, Measure
from training.measured import Metric
from training.names import nearest
from training.paired import RANKINGS, Comparison, LostBySlice

FILE = "registry.yaml"
ANY = "any"
"""Stands for every feature under `slices` in models.yaml that is not named itself."""

_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE.parent / "mlflow" / FILE, _HERE / FILE)
_CALIBRATION = "calibration_error"
_BY_CHANCE = "calibration_error_by_chance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The pessimistic end of a metric's interval must be at least, or at most, this; where it has no interval, its value.

    calibration_error is a distance that chance alone keeps above 0, and its interval errs upwards: its value must be at most
    this, or at most what a perfectly calibrated model stays below on the same rows in 95 of 100 worlds, whichever is larger.
    """

    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("write at_least or at_most, one of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """How far a group may be from all others; what is not written is measured and refuses nothing. See `training.fairness`.

    `calibration` in the unit of what is predicted, `auc` and `selection` as shares. A model is refused where the whole interval
    of the difference lies beyond: for calibration and selection on either side, for the AUC below.
    """

    calibration: float | None = None
    auc: float | None = None
    selection: float | None = None

    def __post_init__(self) -> None:
        for name in ("calibration", "auc", "selection"):
            if (bound := getattr(self, name)) is not None and bound < 0:
                raise ValueError(f"{name} is a distance: 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A model's name in the registry and its gates by metric.

    `may_lose` is the share of the champion's loss that a challenger may lose more: 0.01 is 1%. With each promotion it may be
    lost anew, so keep it small. `slices` says the same by feature, for each of its groups, `fairness` how far its groups may
    lie apart; `any` stands for every other feature that models.yaml names under slices.
    """

    registered_as: str
    gates: Mapping[str, Gate] = field(default_factory=dict)
    may_lose: float = 0.0
    not_below_champion: tuple[str, ...] = ()
    slices: Mapping[str, float] = field(default_factory=dict)
    fairness: Mapping[str, Fairness] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = [
            f"not_below_champion: {name!r}{nearest(name, RANKINGS)} is not compared; name one of {', '.join(RANKINGS)}"
            for name in self.not_below_champion
            if name not in RANKINGS
        ]
        faults += ["may_lose is a share: 0 or more"] if self.may_lose < 0 else []
        faults += [f"slices: {name} is a share: 0 or more" for name, bound in self.slices.items() if bound < 0]
        if faults:
            raise ValueError("; ".join(faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`alias` is the name that the served version carries."""

    experiment: str
    alias: str
    models: Mapping[str, Registered]

    def of(self, model: str) -> Registered:
        if model not in self.models:
            close = nearest(model, self.models)
            raise TrainingError(f"registry.yaml does not say how {model!r}{close} is registered; add it under models")
        return self.models[model]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is known of a challenger: `metrics`, each with its ends as `auc`, `auc_low`, `auc_high` or alone; how groups lie
    apart; and the comparison with the champion, None where there is no other champion.
    """

    metrics: Mapping[str, float]
    features: tuple[str, ...] = ()
    apart: tuple[Apart, ...] = ()
    comparison: Comparison | None = None


def read_rules(file: Path | None = None) -> Rules:
    """The rules of a file; by default those of the checkout, or of the installed package."""
    found = file or next((place for place in _PLACES if place.is_file()), _PLACES[0])
    try:
        return decode(found.read_text(encoding="utf-8"), Rules, file=str(found))
    except FileNotFoundError as error:
        raise TrainingError(f"{found}: the file is missing; it names the models in MLflow and their gates") from error


def rules_of(workspace: Workspace) -> Rules:
    """The whole registry.yaml of the workspace where it has one, else the checkout's."""
    own = workspace.path / FILE
    return read_rules(own if own.is_file() else None)


def shut(model: str, rules: Registered, shown: Shown) -> list[str]:
    """Why a model may not pass, a line each; empty when it may."""
    found = [*_absolute(model, rules, shown.metrics), *_undeclared(model, rules, shown.features)]
    if shown.comparison is not None:
        found += _beside_champion(model, rules, shown.comparison)
    return [*found, *_unfair(model, rules, shown.apart)]


def _absolute(model: str, rules: Registered, metrics: Mapping[str, float]) -> Iterator[str]:
    for name, gate in rules.gates.items():
        if name not in metrics:
            known = [one for one in metrics if not one.endswith(("_low", "_high"))]
            yield (
                f"{model}: {name}{nearest(name, known)} was not measured; train it again, or take the gate out of registry.yaml"
            )
        elif name == _CALIBRATION and gate.at_most is not None:
            yield from _uncalibrated(model, gate.at_most, metrics)
        elif gate.at_least is not None and (end := metrics.get(f"{name}_low", metrics[name])) < gate.at_least:
            yield (
                f"{model}: {name} {_said(metrics, name)} reaches down to {end:.3f}, below its gate {gate.at_least:g}; mend "
                f"columns or data and train again, or lower the gate in registry.yaml"
            )
        elif gate.at_most is not None and (end := metrics.get(f"{name}_high", metrics[name])) > gate.at_most:
            cure = _CURES.get(name, "mend columns or data")
            yield (
                f"{model}: {name} {_said(metrics, name)} reaches up to {end:.3f}, above its gate {gate.at_most:g}; {cure} and "
                f"train again, or raise the gate in registry.yaml"
            )


_CURES = {
    "microseconds_a_row": "ask for fewer trees or leaves (num_iterations, num_leaves in models.yaml)",
    "kilobytes": "ask for fewer trees or leaves (num_iterations, num_leaves in models.yaml)",
}


def _uncalibrated(model: str, at_most: float, metrics: Mapping[str, float]) -> Iterator[str]:
    bound = max(at_most, metrics.get(_BY_CHANCE, at_most))
    if metrics[_CALIBRATION] > bound:
        alone = f"; chance alone explains {metrics[_BY_CHANCE]:.3f}" if _BY_CHANCE in metrics else ""
        yield (
            f"{model}: {_CALIBRATION} {_said(metrics, _CALIBRATION)} is above its gate {at_most:g}{alone}; train on "
            f"later dates or more of them, so that calibration learns what holds now, or raise the gate in registry.yaml"
        )


def _undeclared(model: str, rules: Registered, features: tuple[str, ...]) -> Iterator[str]:
    for place, named in (("slices", rules.slices), ("fairness", rules.fairness)):
        for name in named:
            if name not in (ANY, *features):
                yield (
                    f"{model}: {place}: the groups of {name!r}{nearest(name, features)} were not measured; name it under "
                    f"slices in models.yaml and train again, or take it out of registry.yaml"
                )


def _beside_champion(model: str, rules: Registered, beside: Comparison) -> Iterator[str]:
    lost = beside.lost
    if lost.high is None or lost.high > rules.may_lose:
        shows = "worse" if lost.low is not None and lost.low > rules.may_lose else "not shown to be no worse"
        yield (
            f"{model}: {lost.loss} is {lost.told()} beside the champion's on the same {lost.rows:,} rows, where at most "
            f"{rules.may_lose:+.1%} may be lost: {shows}; keep the champion, train on more or newer data or test on more rows, "
            f"or raise may_lose in registry.yaml"
        )
    known = {one.name: one for one in beside.gained}
    for name in rules.not_below_champion:
        if name not in known:
            yield f"{model}: {name} cannot be compared on this test; take it out of not_below_champion in registry.yaml"
        elif known[name].high < 0:
            yield (
                f"{model}: {name} is {_difference(known[name])} beside the champion's on the same rows: worse; keep the "
                f"champion, or take {name} out of not_below_champion in registry.yaml"
            )
    for one in beside.slices:
        bound = rules.slices.get(one.feature, rules.slices.get(ANY))
        if bound is not None and one.lost is not None and one.lost.low is not None and one.lost.low > bound:
            yield _slice_lost(model, one, bound)


def _slice_lost(model: str, one: LostBySlice, bound: float) -> str:
    assert one.lost is not None
    return (
        f"{model}: for {one.feature} = {one.label} ({one.rows:,} rows) {one.lost.loss} is {one.lost.told()} beside the "
        f"champion's, where at most {bound:+.1%} may be lost; keep the champion, give the model columns that tell this group "
        f"apart and train again, or raise slices in registry.yaml"
    )


def _unfair(model: str, rules: Registered, apart: tuple[Apart, ...]) -> Iterator[str]:
    for one in apart:
        fairness = rules.fairness.get(one.feature, rules.fairness.get(ANY))
        bound = None if fairness is None else _bound(fairness, one.measure)
        if bound is not None and (one.high < -bound or (one.low > bound and one.measure != "auc")):
            yield (
                f"{model}: {one.measure} for {one.feature} = {one.label} ({one.rows:,} rows) is {one.value:+.3f} "
                f"[{one.low:+.3f}, {one.high:+.3f}] from that of all others, beyond {bound:g}; give the model columns that "
                f"tell this group apart, or more of its history, and train again, or widen fairness in registry.yaml"
            )


def _bound(fairness: Fairness, measure: Measure) -> float | None:
    return {"calibration": fairness.calibration, "auc": fairness.auc, "selection": fairness.selection}[measure]


def _difference(one: Metric) -> str:
    return f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"


def _said(metrics: Mapping[str, float], name: str) -> str:
    if f"{name}_low" not in metrics:
        return f"{metrics[name]:.3f}"
    return f"{metrics[name]:.3f} [{metrics[f'{name}_low']:.3f}, {metrics[f'{name}_high']:.3f}]"
