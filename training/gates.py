"""What a model must show before it is promoted: mlflow/registry.yaml as typed values, and the check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.yaml_nodes import decode
from training.errors import TrainingError

_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE.parent / "mlflow" / "registry.yaml", _HERE / "registry.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The pessimistic end of a metric's interval must be at least, or at most, this."""

    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("write at_least or at_most, one of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A model's name in the registry and its gates by metric."""

    registered_as: str
    gates: Mapping[str, Gate] = field(default_factory=dict)
    not_below_champion: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`alias` is the name that the served version carries."""

    experiment: str
    alias: str
    models: Mapping[str, Registered]

    def of(self, model: str) -> Registered:
        if model not in self.models:
            raise TrainingError(f"registry.yaml does not say how {model!r} is registered; add it under models")
        return self.models[model]


def read_rules(file: Path | None = None) -> Rules:
    """The rules of a file; by default those of the checkout, or of the installed package."""
    found = file or next((place for place in _PLACES if place.is_file()), _PLACES[0])
    try:
        return decode(found.read_text(encoding="utf-8"), Rules, file=str(found))
    except FileNotFoundError as error:
        raise TrainingError(f"{found}: the file is missing; it names the models in MLflow and their gates") from error


def shut(
    model: str,
    rules: Registered,
    metrics: Mapping[str, float],
    champion: Mapping[str, float] | None = None,
) -> list[str]:
    """Why a model may not pass, a line each; empty when it may.

    `metrics` holds each metric's value with its ends, `auc`, `auc_low`, `auc_high`; `champion` those of the champion where
    both were measured on the same test.
    """
    reasons = []
    for name, gate in rules.gates.items():
        if name not in metrics:
            reasons.append(f"{model}: {name} was not measured; train it again, or take the gate out of registry.yaml")
        elif gate.at_least is not None and metrics[f"{name}_low"] < gate.at_least:
            reasons.append(
                f"{model}: {name} {_said(metrics, name)} reaches down to {metrics[f'{name}_low']:.3f}, below its gate "
                f"{gate.at_least:g}; mend columns or data and train again, or lower the gate in registry.yaml"
            )
        elif gate.at_most is not None and metrics[f"{name}_high"] > gate.at_most:
            reasons.append(
                f"{model}: {name} {_said(metrics, name)} reaches up to {metrics[f'{name}_high']:.3f}, above its gate "
                f"{gate.at_most:g}; mend columns or data and train again, or raise the gate in registry.yaml"
            )
    for name in rules.not_below_champion if champion else ():
        if champion is not None and name in champion and metrics.get(f"{name}_high", 1.0) < champion[name]:
            reasons.append(
                f"{model}: {name} {_said(metrics, name)} is worse than the champion's {champion[name]:.3f} on the same test; "
                f"keep the champion"
            )
    return reasons


def _said(metrics: Mapping[str, float], name: str) -> str:
    return f"{metrics[name]:.3f} [{metrics[f'{name}_low']:.3f}, {metrics[f'{name}_high']:.3f}]"
