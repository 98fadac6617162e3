"""The story of training: labels, matrix, model, calibration, test, run, registered version. Once for each model."""

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from features.log import Log
from features.workspace import Workspace
from training import dataset, emotion, gates
from training.asked import labels_of
from training.errors import TrainingError
from training.evidence import evidence, identity
from training.labels import Labels
from training.learn import learn
from training.rated import rated
from training.registry import Registry
from training.report import EMOTION, LEARNED, Learned, ModelReport, TrainReport
from training.settings import FILE, Models, Settings, Timing
from training.suspects import refuse_too_good

EVERY = "all"
"""Names every model."""

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of the whole that is done, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    name: str
    settings: Settings
    labels: Callable[[], Labels]


def train(
    workspace: Workspace,
    log: Log,
    *,
    now: datetime,
    names: Sequence[str] = (),
    rules: gates.Rules | None = None,
    progress: Progress | None = None,
) -> TrainReport:
    """Train models of models.yaml on the log and the workspace's offline tables, and register each as the challenger.

    `names` are those to train, and what stands under one of them: churn is churn_60 too. None, or `all`, is every model; the
    challengers of the others stay.

    `now` is the engine's time: labels whose time is not over by then are refused or left open. Training the same data again
    with the same settings and code adds nothing: the run that stands is reported as reused. Columns, parameters and
    calibration come from training rows alone; each run that reads the test says so in a tag, with the number of the reading.

    Raises WorkspaceError, TrainingError, TrackingError, and what `features.offline` raises.
    """
    settings = workspace.read(FILE, Models)
    chosen = _chosen((*settings.names, *([EMOTION] if settings.emotion is not None else [])), names)
    rules = rules or gates.rules_of(workspace)
    tell = progress or _silent
    tell("opening MLflow", 0.0)
    registry = Registry(workspace.data, experiment=rules.experiment)
    interrupted = registry.end_interrupted()
    reports, tasks = [], [task for task in _tasks(log, workspace, settings, now) if task.name in chosen]
    parts = len(tasks) + (EMOTION in chosen)
    for number, task in enumerate(tasks):
        reports.append(_train(workspace, registry, task, rules, partial(_part, tell, number, parts)))
    words = None
    if settings.emotion is not None and EMOTION in chosen:
        read = partial(rated, log, workspace, settings.emotion, now=now)
        words = emotion.train(registry, settings.emotion, rules, read, partial(_part, tell, parts - 1, parts))
    tell("trained", 1.0)
    return TrainReport(models=tuple(reports), emotion=words, interrupted=interrupted, tracking_uri=registry.uri)


def _chosen(known: Sequence[str], asked: Sequence[str]) -> frozenset[str]:
    if not asked or EVERY in asked:
        return frozenset(known)
    found = {name: {one for one in known if one == name or re.fullmatch(rf"{re.escape(name)}_\d+", one)} for name in asked}
    if unknown := [name for name, ones in found.items() if not ones]:
        raise TrainingError(f"{FILE} describes no {', '.join(unknown)}; it has {', '.join(known)}: name these, or {EVERY}")
    return frozenset().union(*found.values())


def _train(workspace: Workspace, registry: Registry, task: _Task, rules: gates.Rules, tell: Progress) -> ModelReport:
    name, registered_as = task.name, rules.of(task.name).registered_as
    tell(f"{name}: reading what happened from the log", 0.0)
    found = task.labels()
    tell(f"{name}: joining the profile as it was known then", 0.1)
    row = found.row if isinstance(task.settings, Timing) else dataset.row_of(task.settings)
    assert row is not None  # the labels of a model of timing name its columns
    data = dataset.build(workspace, found, row, model=name, slices=task.settings.slices)
    tags = identity(name, data, task.settings, workspace.profile)
    run_id = registry.finished(tags)
    if run_id is not None:
        kept = _kept(registry, run_id)
        return ModelReport(learned=kept, version=registry.register(registered_as, run_id), reused=True)

    test = {"kairos.model": name, "kairos.test": data.test_fingerprint}
    reading = {**test, "kairos.test_reading": str(registry.count(test) + 1)}
    with registry.run(name, {**tags, **reading}) as run_id:
        tell(f"{name}: learning", 0.5)
        fitted = learn(data, task.settings)
        where, trusted = "on training rows held out in time", task.settings.trusted
        refuse_too_good(name, data, fitted.folds.get("auc", 0.0), where=where, trusted=trusted)
        tell(f"{name}: testing", 0.7)
        learned, left_behind = evidence(name, data, fitted, task.settings, workspace.profile)
        tell(f"{name}: keeping the run in MLflow", 0.85)
        registry.keep(run_id, left_behind)
    return ModelReport(learned=learned, version=registry.register(registered_as, run_id), reused=False)


def _tasks(log: Log, workspace: Workspace, settings: Models, now: datetime) -> list[_Task]:
    return [
        _Task(name=name, settings=one, labels=partial(labels_of, log, workspace, one, now=now))
        for name, one in settings.described.items()
    ]


def _kept(registry: Registry, run_id: str) -> Learned:
    with tempfile.TemporaryDirectory() as folder:
        return Learned.decoded(registry.fetch(run_id, LEARNED, Path(folder)).read_bytes())


def _part(tell: Progress, number: int, parts: int, text: str, done: float) -> None:
    tell(text, (number + done) / parts)


def _silent(text: str, done: float) -> None:
    """For callers who do not ask."""
