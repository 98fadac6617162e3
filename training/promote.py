"""Handing models to the server: gates, then one bundle of all challengers, then the pointer."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from decisioning.errors import KairosError
from features import bundle
from features.workspace import Workspace, open_log
from training import emotion, gates, promotions
from training.errors import PromotionRefused, TrackingError
from training.fairness import apart
from training.paired import compared
from training.registry import CHALLENGER, Registry, Version
from training.report import EMOTION, Promoted, PromoteReport
from training.settings import FILE, Models, Settings
from training.versions import cannot_compare, fetched, kept_test, note_reading, same_test, score_anew

Progress = Callable[[str, float], None]

# the challenger was trained on this test: it was over by then
_CLOSED = datetime.max.replace(tzinfo=UTC)


def models_folder(workspace: Workspace) -> Path:
    """Where the server looks for bundles and the pointer to the current one."""
    return workspace.data / "models"


def promote(workspace: Workspace, *, rules: gates.Rules | None = None, progress: Progress | None = None) -> PromoteReport:
    """Make the challengers of every model in models.yaml the champions, all of them or none.

    Beside each champion the challenger is compared on the same rows (see `training.gates`): those of its own test, where the
    champion was tested on them too; else both score them anew, from the log and the offline tables, and the reading of the
    test is a run in MLflow. A first promotion goes by the gates that need no champion. The pointer that servers watch is
    switched last, so that promoting again after an interruption completes it; whatever fails before leaves the champion.

    Raises PromotionRefused with the reasons where a gate is shut, TrackingError where a model was never trained or MLflow
    cannot be reached, BundleError or TrainingError where the profile changed since training.
    """
    models = workspace.read(FILE, Models)
    described = models.described
    rules = rules or gates.rules_of(workspace)
    tell = progress or (lambda text, done: None)
    tell("opening MLflow", 0.0)
    registry, folder = Registry(workspace.data, experiment=rules.experiment), models_folder(workspace)
    with promotions.changing(folder):
        promotions.settle(folder, registry, alias=rules.alias)
    challengers = {name: _challenger(registry, rules, name) for name in described}
    champions = {name: registry.pointed(rules.of(name).registered_as, rules.alias) for name in described}

    reasons: list[str] = []
    for at, (name, settings) in enumerate(described.items()):
        tell(f"{name}: checking the gates", 0.1 + 0.5 * at / len(described))
        shown, missing = _shown(workspace, registry, name, settings, challengers[name], champions[name])
        reasons += [*missing, *gates.shut(name, rules.of(name), shown)]
    words = emotion.offered(registry, rules) if models.emotion is not None else None
    if words is not None:
        reasons += words.reasons
        challengers, champions = {**challengers, EMOTION: words.version}, {**champions, EMOTION: words.before}
    if reasons:
        raise PromotionRefused(reasons)

    tell("writing the bundle", 0.6)
    topics = tuple(workspace.profile.topics)
    parts = [fetched(registry, workspace, name, challengers[name]) for name in described]
    made = bundle.bundled(parts, workspace.profile.index, topics, emotion=words.model if words is not None else None)
    bundle.write(made, folder)
    with promotions.changing(folder):
        changed = promotions.put_in_force(folder, registry, alias=rules.alias, made=made.hash, versions=challengers)
    tell("promoted", 1.0)
    return PromoteReport(
        bundle=made.hash,
        models=tuple(Promoted(model=name, version=version, before=champions[name]) for name, version in challengers.items()),
        changed=changed,
    )


def _challenger(registry: Registry, rules: gates.Rules, name: str) -> Version:
    found = registry.pointed(rules.of(name).registered_as, CHALLENGER)
    if found is None:
        raise TrackingError(f"{name}: MLflow at {registry.uri} has no trained version of it; run `kairos train` first")
    return found


def _shown(
    workspace: Workspace,
    registry: Registry,
    name: str,
    settings: Settings,
    challenger: Version,
    champion: Version | None,
) -> tuple[gates.Shown, list[str]]:
    """What the gates look at, and why the challenger cannot be compared with the champion, where it cannot."""
    metrics, tested = registry.metrics(challenger.run_id), kept_test(registry, name, challenger)
    shown = gates.Shown(metrics=metrics, features=tuple(tested.slices), apart=apart(tested))
    if champion is None or champion.version == challenger.version:
        return shown, []
    if same_test(registry, challenger, champion):
        return replace(shown, comparison=compared(tested, kept_test(registry, name, champion))), []
    try:
        with closing(open_log(workspace)) as log:
            anew = score_anew(workspace, log, registry, name, settings, (challenger, champion), now=_CLOSED)
    except TrackingError:
        raise
    except KairosError as error:
        return shown, [cannot_compare(name, challenger, champion, str(error))]
    note_reading(registry, name, anew)
    ours, theirs = (anew.judged[version.version].predicted for version in (challenger, champion))
    return replace(shown, comparison=compared(ours, theirs)), []
