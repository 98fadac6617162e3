"""Champion and challenger of each model on the newest test that is over, and what the gates say. Promotes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from decisioning.errors import KairosError
from features.log import Log
from features.workspace import Workspace
from training import gates
from training.errors import TrackingError, TrainingError
from training.evaluate_report import Evaluated, EvaluateReport, Role, Standing
from training.fairness import apart
from training.judge import Judged
from training.names import nearest
from training.paired import compared
from training.registry import CHALLENGER, Registry, Version
from training.settings import FILE, Churn, Models, Settings, Value
from training.versions import Anew, cannot_compare, note_reading, same_test, score_anew

Progress = Callable[[str, float], None]

ALL = "all"
_COSTS = ("microseconds_a_row", "kilobytes")


def evaluate_versions(
    workspace: Workspace,
    log: Log,
    name: str = ALL,
    *,
    now: datetime,
    rules: gates.Rules | None = None,
    progress: Progress | None = None,
) -> EvaluateReport:
    """One model of models.yaml, or all of them, scored on the same rows as the log and the offline tables now are.

    The test is that of models.yaml; of several cut-offs the last whose horizon is over at `now`, the engine's time. Each
    reading is a run in MLflow that says which it was: who reads a test often, and acts on it, has begun to learn from it.

    Raises TrainingError where models.yaml knows no such model, no test is over, or a version learned from what it would be
    tested on; TrackingError where no version was ever trained or MLflow cannot be reached; and what `features.offline` raises.
    """
    described = workspace.read(FILE, Models).described
    if name != ALL and name not in described:
        known = (*described, ALL)
        raise TrainingError(f"models.yaml describes no {name!r}{nearest(name, known)}; name one of {', '.join(known)}")
    rules = rules or gates.rules_of(workspace)
    tell = progress or (lambda text, done: None)
    tell("opening MLflow", 0.0)
    registry = Registry(workspace.data, experiment=rules.experiment)
    asked = {one: settings for one, settings in described.items() if name in (one, ALL)}
    found = []
    for at, (model, settings) in enumerate(asked.items()):
        tell(f"{model}: scoring the test", at / len(asked))
        pointed = _pointed(registry, rules, model)
        test = newest_test(workspace, model, settings, now=now)
        scored = _scored(workspace, log, registry, model, test, pointed, now=now)
        found.append(_evaluated(registry, rules.of(model), model, test, pointed, scored))
    tell("evaluated", 1.0)
    return EvaluateReport(models=tuple(found), tracking_uri=registry.uri)


def newest_test(workspace: Workspace, model: str, settings: Settings, *, now: datetime) -> Settings:
    """The same settings with the last cut-off of `test` alone whose horizon is over. A period of offers stays whole: what is
    open in it is left out, or taken as known so far, as in training.
    """
    if not isinstance(settings, Churn | Value):
        return settings
    horizon = max(settings.horizons) if isinstance(settings, Churn) else settings.horizon

    def is_over(day: date) -> bool:
        return workspace.brand.to_utc(datetime.combine(day, time())) + horizon <= now

    over = [day for day in settings.test if is_over(day)]
    if not over:
        raise TrainingError(
            f"{model}: no test of models.yaml is over at {now:%Y-%m-%d %H:%M} UTC; name an earlier cut-off under test, or wait"
        )
    return replace(settings, test=(max(over),))


def _pointed(registry: Registry, rules: gates.Rules, model: str) -> dict[Role, Version]:
    registered_as = rules.of(model).registered_as
    roles: dict[Role, Version | None] = {
        "champion": registry.pointed(registered_as, rules.alias),
        "challenger": registry.pointed(registered_as, CHALLENGER),
    }
    found = {role: version for role, version in roles.items() if version is not None}
    if found.get("champion") == found.get("challenger"):
        found.pop("challenger", None)
    if not found:
        raise TrackingError(f"{model}: MLflow at {registry.uri} has no version of it; run `kairos train` first")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    """`why_not` says why the champion could not be scored."""

    anew: Anew
    judged: dict[Role, Judged]
    why_not: str | None = None


def _scored(
    workspace: Workspace,
    log: Log,
    registry: Registry,
    model: str,
    settings: Settings,
    pointed: Mapping[Role, Version],
    *,
    now: datetime,
) -> _Scored:
    """All versions on the same rows; the challenger alone where the champion cannot be scored on them."""
    why_not, able = None, dict(pointed)
    try:
        anew = score_anew(workspace, log, registry, model, settings, list(able.values()), now=now)
    except TrackingError:
        raise
    except KairosError as error:
        if len(able) < 2:
            raise
        why_not = str(error)
        del able["champion"]
        anew = score_anew(workspace, log, registry, model, settings, list(able.values()), now=now)
    judged = {role: anew.judged[version.version] for role, version in able.items()}
    return _Scored(anew=anew, judged=judged, why_not=why_not)


def _evaluated(
    registry: Registry,
    rules: gates.Registered,
    model: str,
    settings: Settings,
    pointed: Mapping[Role, Version],
    scored: _Scored,
) -> Evaluated:
    standings = tuple(_standing(registry, role, pointed[role], one) for role, one in scored.judged.items())
    last, judged = standings[-1], scored.judged
    is_pair = len(judged) == 2
    comparison = compared(judged["challenger"].predicted, judged["champion"].predicted) if is_pair else None
    shown = gates.Shown(metrics=last.numbers, features=settings.slices, apart=last.apart, comparison=comparison)
    shut = gates.shut(model, rules, shown)
    # promotion compares what both said of the test that they were trained with, where that was the same
    if scored.why_not is not None and not same_test(registry, pointed["challenger"], pointed["champion"]):
        shut.append(cannot_compare(model, pointed["challenger"], pointed["champion"], scored.why_not))
    evaluation = judged[last.role].evaluation
    return Evaluated(
        model=model,
        starts=scored.anew.starts,
        ends=scored.anew.ends,
        rows=evaluation.rows,
        positives=evaluation.positives,
        customers=evaluation.customers,
        reading=note_reading(registry, model, scored.anew),
        standings=standings,
        comparison=comparison,
        alone=None if is_pair else _alone(pointed, scored.why_not),
        is_open=not shut,
        shut=tuple(shut),
    )


def _standing(registry: Registry, role: Role, version: Version, judged: Judged) -> Standing:
    kept = registry.metrics(version.run_id)
    return Standing(
        role=role,
        version=version,
        metrics=judged.evaluation.metrics,
        chance_error=judged.chance_error,
        costs={name: kept[name] for name in _COSTS if name in kept},
        slices=judged.slices,
        apart=apart(judged.predicted),
    )


def _alone(pointed: Mapping[Role, Version], why_not: str | None) -> str:
    if why_not is not None:
        return f"the champion cannot be scored on this test: {why_not}"
    if "champion" in pointed:
        return "no other version challenges the champion; run `kairos train` to have one"
    return "there is no champion yet; the first promotion goes by the gates that need none"
