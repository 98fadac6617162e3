"""Training and promotion in one go, for a cron or an orchestrator: it always ends with a report and an exit code."""

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

from decisioning.errors import KairosError
from features import bundle
from features.log import Log
from features.workspace import Workspace
from training import gates, promotions
from training.alone import TRAINING, alone
from training.errors import AnotherIsRunning, PromotionRefused
from training.promote import Progress, models_folder, promote
from training.report import EMOTION, Outcome, RetrainReport, TrainReport
from training.train import train

Opened = Callable[[Workspace], tuple[Log, datetime]]
"""Opens a workspace's log, and tells the engine's time."""


def retrain(
    folder: Path, opened: Opened, *, rules: gates.Rules | None = None, progress: Progress | None = None
) -> RetrainReport:
    """Train every model of the workspace `folder`, check the gates, promote: never beside another training there.

    Whatever goes wrong, the champions stay and the report says why; nothing but an interruption is raised. Models that a
    rollback has undone are not promoted again by this: `promote` does that.
    """
    try:
        workspace = Workspace.load(folder)
        with alone(workspace.data / TRAINING, "kairos retrain"):
            log, now = opened(workspace)
            with closing(log):
                return _retrained(
                    workspace, log, now, rules or gates.rules_of(workspace), progress or (lambda text, done: None)
                )
    except AnotherIsRunning as error:
        return RetrainReport.of("running", reasons=[str(error)])
    except KairosError as error:
        return RetrainReport.of("failed", reasons=str(error).splitlines())
    except Exception as error:
        # neither data nor MLflow: whoever mends it needs to know where, and whoever waits needs the exit code all the same
        logging.getLogger(__name__).exception("retraining failed")
        return RetrainReport.of("failed", reasons=[f"{type(error).__name__}: {error}"])


def _retrained(workspace: Workspace, log: Log, now: datetime, rules: gates.Rules, tell: Progress) -> RetrainReport:
    trained = train(workspace, log, now=now, rules=rules, progress=partial(_part, tell, 0.0, 0.8))
    if reason := _taken_back(workspace, trained):
        return RetrainReport.of("nothing new", trained=trained, reasons=[reason])
    try:
        promoted = promote(workspace, rules=rules, progress=partial(_part, tell, 0.8, 1.0))
    except PromotionRefused as refused:
        return RetrainReport.of("refused", trained=trained, reasons=refused.reasons)
    outcome: Outcome = "promoted" if promoted.changed else "nothing new"
    return RetrainReport.of(outcome, trained=trained, promoted=promoted)


def _taken_back(workspace: Workspace, trained: TrainReport) -> str | None:
    folder = models_folder(workspace)
    versions = {one.learned.model: one.version for one in trained.models}
    if trained.emotion is not None:
        versions[EMOTION] = trained.emotion.version
    undone = promotions.taken_back(promotions.recorded(folder), bundle.current(folder), versions)
    if undone is None:
        return None
    return (
        f"the same models were promoted as bundle {undone.bundle} at {undone.at:%Y-%m-%d %H:%M} UTC and rolled back since; "
        f"`kairos promote` puts them in force again"
    )


def _part(tell: Progress, start: float, end: float, text: str, done: float) -> None:
    tell(text, start + (end - start) * done)
