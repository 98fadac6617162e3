"""Going back: servers answer again with the bundle that was promoted before, and the champions follow."""

from collections.abc import Sequence
from pathlib import Path

from features import bundle
from features.bundle import Bundle
from features.workspace import Workspace
from training import gates, promotions
from training.errors import RollbackRefused, TrainingError
from training.promote import Progress, models_folder
from training.promotions import Promotion
from training.registry import Registry
from training.report import RolledBack


def rollback(
    workspace: Workspace, *, to: str | None = None, rules: gates.Rules | None = None, progress: Progress | None = None
) -> RolledBack:
    """Put the bundle in force that was promoted before the one that answers, or the promoted bundle whose hash is `to`.

    Aliases, record and pointer change together or not at all, and wait for a promotion that is under way. Going back twice goes
    further back.

    Raises RollbackRefused where there is nothing to go back to, BundleError where the bundle is gone, damaged or no longer fits
    the profile, TrainingError where the topics changed, TrackingError where MLflow cannot be used or lost its versions.
    """
    rules = rules or gates.rules_of(workspace)
    tell = progress or (lambda text, done: None)
    folder = models_folder(workspace)
    with promotions.changing(folder):
        tell("reading what was promoted", 0.0)
        history, current = promotions.recorded(folder), bundle.current(folder)
        chosen = _before(history, current, folder) if to is None else _named(history, to, folder)
        _require_fit(bundle.read(folder, chosen.bundle), workspace)
        tell("opening MLflow", 0.2)
        registry = Registry(workspace.data, experiment=rules.experiment)
        tell("switching", 0.8)
        changed = promotions.put_in_force(
            folder, registry, alias=rules.alias, made=chosen.bundle, versions=chosen.versions, back=True
        )
    tell("rolled back", 1.0)
    return RolledBack(
        bundle=chosen.bundle, promoted_at=chosen.at, before=current, versions=dict(chosen.versions), changed=changed
    )


def _before(history: Sequence[Promotion], current: str | None, folder: Path) -> Promotion:
    found = promotions.earlier(history, current)
    if found is not None:
        return found
    if not history:
        raise RollbackRefused(f"{folder}: nothing to go back to, for no promotion is recorded; train and promote first")
    raise RollbackRefused(
        f"{folder}: no bundle was promoted before {current or 'any answered'}; {_listed(history)}: name one with --to, or "
        f"train and promote another"
    )


def _named(history: Sequence[Promotion], to: str, folder: Path) -> Promotion:
    found = [one for one in history if one.bundle == to]
    if not found:
        raise RollbackRefused(f"{folder}: no bundle {to} was ever promoted; {_listed(history)}")
    return found[-1]


def _listed(history: Sequence[Promotion]) -> str:
    """Each promoted bundle with the time of the last promotion, the newest last."""
    when = {one.bundle: f"{one.at:%Y-%m-%d %H:%M}" for one in history if not one.back}
    return f"promoted were {', '.join(f'{hash} ({at})' for hash, at in when.items()) or 'none'}"


def _require_fit(kept: Bundle, workspace: Workspace) -> None:
    kept.require(workspace.profile.index)
    if kept.topics != tuple(workspace.profile.topics):
        raise TrainingError(
            f"bundle {kept.hash}: the topics of profile.yaml changed since it was trained; put them back, or train again"
        )
