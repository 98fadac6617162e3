"""Handing models to the server: gates, then one bundle of all challengers, then the pointer."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from features import bundle
from features.bundle import Bundle, BundledModel
from features.workspace import Workspace
from training import gates, promotions
from training.errors import PromotionRefused, TrackingError, TrainingError
from training.registry import CHALLENGER, Registry, Version
from training.report import BUNDLE, Promoted, PromoteReport
from training.settings import FILE, Models

Progress = Callable[[str, float], None]


def models_folder(workspace: Workspace) -> Path:
    """Where the server looks for bundles and the pointer to the current one."""
    return workspace.data / "models"


def promote(workspace: Workspace, *, rules: gates.Rules | None = None, progress: Progress | None = None) -> PromoteReport:
    """Make the challengers of every model in models.yaml the champions, all of them or none.

    The pointer that servers watch is switched last, so that promoting again after an interruption completes it.

    Raises PromotionRefused with the reasons where a gate is shut, TrackingError where a model was never trained,
    BundleError or TrainingError where the profile changed since training.
    """
    wanted = workspace.read(FILE, Models).names
    rules = rules or gates.read_rules()
    tell = progress or (lambda text, done: None)
    tell("opening MLflow", 0.0)
    registry, folder = Registry(workspace.data, experiment=rules.experiment), models_folder(workspace)
    with promotions.changing(folder):
        promotions.settle(folder, registry, alias=rules.alias)
    challengers = {name: _challenger(registry, rules, name) for name in wanted}
    champions = {name: registry.pointed(rules.of(name).registered_as, rules.alias) for name in wanted}

    tell("checking the gates", 0.2)
    reasons = [
        reason
        for name, challenger in challengers.items()
        for reason in _reasons(registry, rules.of(name), name, challenger, champions[name])
    ]
    if reasons:
        raise PromotionRefused(reasons)

    tell("writing the bundle", 0.5)
    topics = tuple(workspace.profile.topics)
    parts = [_fetched(registry, workspace, name, version) for name, version in challengers.items()]
    made = bundle.bundled(parts, workspace.profile.index, topics)
    bundle.write(made, folder)
    with promotions.changing(folder):
        changed = promotions.put_in_force(folder, registry, alias=rules.alias, made=made.hash, versions=challengers)
    tell("promoted", 1.0)
    return PromoteReport(
        bundle=made.hash,
        models=tuple(Promoted(model=name, version=challengers[name], before=champions[name]) for name in wanted),
        changed=changed,
    )


def _challenger(registry: Registry, rules: gates.Rules, name: str) -> Version:
    found = registry.pointed(rules.of(name).registered_as, CHALLENGER)
    if found is None:
        raise TrackingError(f"{name}: MLflow at {registry.uri} has no trained version of it; run `kairos train` first")
    return found


def _reasons(
    registry: Registry, rules: gates.Registered, name: str, challenger: Version, champion: Version | None
) -> list[str]:
    comparable = None
    if champion is not None and champion.version != challenger.version:
        tested = [registry.tags(version.run_id).get("kairos.test") for version in (challenger, champion)]
        # measured on another test, the two numbers say nothing about each other
        comparable = registry.metrics(champion.run_id) if tested[0] == tested[1] else None
    return gates.shut(name, rules, registry.metrics(challenger.run_id), comparable)


def _fetched(registry: Registry, workspace: Workspace, name: str, version: Version) -> BundledModel:
    """The challenger in the server's form, intact and trained with the profile as it now is."""
    with tempfile.TemporaryDirectory() as folder:
        home = registry.fetch(version.run_id, BUNDLE, Path(folder))
        kept: Bundle = bundle.read(home, next(place.name for place in home.iterdir() if place.is_dir()))
    kept.require(workspace.profile.index)
    if kept.topics != tuple(workspace.profile.topics):
        raise TrainingError(
            f"{name}: the topics of profile.yaml changed since version {version.version} was trained; train again"
        )
    return kept.models[name]
