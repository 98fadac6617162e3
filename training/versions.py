"""Registered versions of a model, put to a test: what their runs keep of it, or all of them scored anew on the same rows."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from features import bundle
from features.bundle import BundledModel
from features.log import Log
from features.workspace import Workspace
from training import dataset
from training.asked import labels_of
from training.errors import TrainingError
from training.judge import Judged, judge
from training.learn import Fitted
from training.predicted import Predicted
from training.registry import Registry, Version
from training.report import BUNDLE, PREDICTED
from training.settings import Settings

READING = "kairos.test_reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anew:
    """Versions on the rows of one test: `judged` by version. `starts` and `ends` are the moments of its first and last row."""

    test_fingerprint: str
    starts: datetime
    ends: datetime
    judged: Mapping[str, Judged]


def same_test(registry: Registry, one: Version, other: Version) -> bool:
    """Whether both were tested on the same rows when they were trained, and their runs keep what they said of them."""
    both = (one, other)
    first, second = (registry.tags(version.run_id).get("kairos.test") for version in both)
    return first is not None and first == second and all(registry.has(version.run_id, PREDICTED) for version in both)


def kept_test(registry: Registry, name: str, version: Version) -> Predicted:
    """What a version said of its test. Raises TrainingError where its run does not keep that."""
    if not registry.has(version.run_id, PREDICTED):
        raise TrainingError(f"{name}: the run of version {version.version} does not keep what it said of its test; train again")
    with tempfile.TemporaryDirectory() as folder:
        return Predicted.decoded(registry.fetch(version.run_id, PREDICTED, Path(folder)).read_bytes())


def fetched(registry: Registry, workspace: Workspace, name: str, version: Version) -> BundledModel:
    """A version in the server's form, intact and trained with the profile as it now is. Raises BundleError or TrainingError."""
    with tempfile.TemporaryDirectory() as folder:
        home = registry.fetch(version.run_id, BUNDLE, Path(folder))
        kept = bundle.read(home, next(place.name for place in home.iterdir() if place.is_dir()))
    kept.require(workspace.profile.index)
    if kept.topics != tuple(workspace.profile.topics):
        raise TrainingError(
            f"{name}: the topics of profile.yaml changed since version {version.version} was trained; train again"
        )
    return kept.models[name]


def score_anew(
    workspace: Workspace,
    log: Log,
    registry: Registry,
    name: str,
    settings: Settings,
    versions: Sequence[Version],
    *,
    now: datetime,
) -> Anew:
    """Each version on the rows of the test in `settings`, as the log and the offline tables now are.

    Raises TrainingError where a version learned from labels that were not known before the test began: it may have seen the
    answers; what `features.offline` and `training.labels` raise, and what `fetched` does.
    """
    labels = labels_of(log, workspace, settings, now=now)
    judged: dict[str, Judged] = {}
    for version in versions:
        model = fetched(registry, workspace, name, version)
        data = dataset.of_test(workspace, labels, model.row, model=name, slices=settings.slices)
        _refuse_seen(registry, name, version, int(data.at_us.min()))
        fitted = Fitted(forests=model.forests, answer=model.answer, folds={}, parameters=settings.parameters)
        judged[version.version] = judge(name, data, fitted, settings)
    return Anew(
        test_fingerprint=data.test_fingerprint,
        starts=_moment(int(data.at_us.min())),
        ends=_moment(int(data.at_us.max())),
        judged=judged,
    )


def note_reading(registry: Registry, name: str, anew: Anew) -> int:
    """Keep in MLflow that a test was read, as a run of its own with what was measured. Which reading of this test it was."""
    test = {"kairos.model": name, "kairos.test": anew.test_fingerprint}
    reading = registry.count(test) + 1
    registry.note(
        f"{name}: versions {', '.join(anew.judged)} on a test",
        tags={**test, READING: str(reading), "kairos.versions": ", ".join(anew.judged)},
        metrics={
            f"version_{version}_{metric}": value
            for version, judged in anew.judged.items()
            for metric, value in judged.evaluation.numbers.items()
        },
    )
    return reading


def cannot_compare(name: str, challenger: Version, champion: Version, why: str) -> str:
    """The reason of a refusal: who cannot be shown to be no worse is not promoted."""
    return (
        f"{name}: version {challenger.version} cannot be compared with the champion, version {champion.version}, which was "
        f"tested on other rows: {why}; or take the alias from the champion in MLflow, and the gates alone decide"
    )


def _refuse_seen(registry: Registry, name: str, version: Version, starts_us: int) -> None:
    until = registry.tags(version.run_id).get("kairos.learned_until", "")
    if not until.isdigit():
        raise TrainingError(f"{name}: the run of version {version.version} does not say until when it learned; train it again")
    if int(until) > starts_us:
        raise TrainingError(
            f"{name}: version {version.version} learned from what was known until {_moment(int(until)):%Y-%m-%d}, and this "
            f"test begins on {_moment(starts_us):%Y-%m-%d}: it may have seen the answers; test on later dates (models.yaml)"
        )


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)
