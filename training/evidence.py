"""What a run leaves behind in MLflow: parameters, metrics with intervals, plots, and the model as the server will read it."""

import hashlib
import math
import tempfile
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from features import bundle
from features.bundle import BundledModel, meaning_of
from features.schema import ProfileSpec
from measure import charts
from training import models
from training.card import card
from training.dataset import Dataset
from training.judge import Judged, judge
from training.learn import Fitted
from training.registry import Evidence
from training.report import BUNDLE, CARD, LEARNED, PREDICTED, Learned
from training.settings import Settings
from training.speed import kilobytes, microseconds_a_row
from training.suspects import refuse_too_good

_SHOWN = 2_000
"""Rows of the test, at most, whose scores are taken apart: each costs as much as hundreds of predictions."""


def identity(name: str, data: Dataset, settings: Settings, profile: ProfileSpec) -> dict[str, str]:
    """Tags that two runs share when data, settings, profile and code are the same: then they make the same model."""
    topics = tuple(profile.topics)
    read = [profile.index[feature] for feature in data.row.needs(topics)]
    # what promotion will compare: a run is reused only where it can also be promoted
    meaning = [(one.name, meaning_of(one)) for one in read]
    return {
        "kairos.model": name,
        "kairos.data": data.fingerprint,
        "kairos.settings": _digest(repr(settings).encode()),
        "kairos.profile": _digest(repr((topics, meaning)).encode()),
        "kairos.code": _code(),
        "kairos.lightgbm": models.VERSION,
    }


def evidence(name: str, data: Dataset, fitted: Fitted, settings: Settings, profile: ProfileSpec) -> tuple[Learned, Evidence]:
    """Reads the test: once, after everything is fitted. Raises TrainingError where the model is too good to be true."""
    judged = judge(name, data, fitted, settings)
    evaluation = judged.evaluation
    if "auc" in evaluation.numbers:
        refuse_too_good(name, data, evaluation["auc"].value, where="on the test", trusted=settings.trusted)
    learned = Learned(
        model=name,
        fingerprint=data.fingerprint,
        train_rows=int((~data.test).sum()),
        train_positives=int(data.labels[~data.test].sum()),
        evaluation=evaluation,
        folds=fitted.folds,
        gains=_gains(fitted),
        answer=fitted.answer,
        counted=data.counted,
        parameters=asdict(fitted.parameters),
        searched=fitted.searched,
        fallback=fitted.fallback,
        unjudged=fitted.unjudged,
        chance_error=judged.chance_error,
        slices=judged.slices,
        together=fitted.together,
    )
    model = BundledModel(
        name=name,
        forests=fitted.forests,
        row=data.row,
        answer=fitted.answer,
        metrics=evaluation.numbers,
        fingerprint=data.fingerprint,
    )
    costs = {"microseconds_a_row": microseconds_a_row(fitted, data.matrix), "kilobytes": kilobytes(fitted)}
    left_behind = Evidence(
        params=_params(settings, fitted, data),
        metrics={**_metrics(learned), **costs},
        files={
            LEARNED: learned.encoded(),
            PREDICTED: judged.predicted.encoded(),
            CARD: card(learned, data, settings, profile).encode(),
            **_plots(name, data, fitted, judged),
            **_bundle(model, profile),
        },
        columns=data.row.names,
        model=models.booster(fitted.forests[fitted.answer.forests[0]]) if fitted.forests else None,
        requirements=(f"lightgbm=={models.VERSION}",),
        source="" if fitted.forests else BUNDLE,
        tags={
            "kairos.version": _version(),
            "kairos.learned_until": str(learned_until(data)),
            **{f"kairos.count.{_slug(text)}": str(n) for text, n in data.counted.items()},
        },
    )
    return learned, left_behind


def learned_until(data: Dataset) -> int:
    """When the last label that taught was known, in microseconds: rows from then on can test it."""
    return int(data.closes_us[~data.test].max())


def _metrics(learned: Learned) -> dict[str, float]:
    """Numbers for MLflow; those of groups as slice_FEATURE_LABEL_gap and so on."""
    found = {
        **learned.evaluation.numbers,
        **{f"fold_{key}": value for key, value in learned.folds.items()},
        **{f"search_{key}": value for key, value in learned.searched.items()},
        "train_rows": float(learned.train_rows),
        "train_positives": float(learned.train_positives),
        "test_rows": float(learned.evaluation.rows),
        "test_positives": float(learned.evaluation.positives),
    }
    if learned.chance_error is not None:
        found["calibration_error_by_chance"] = learned.chance_error
    for one in learned.slices:
        prefix = f"slice_{_slug(one.feature)}_{_slug(one.label)}"
        found[f"{prefix}_rows"] = float(one.rows)
        if one.gap is not None:
            found |= {f"{prefix}_gap": one.gap.value, f"{prefix}_gap_low": one.gap.low, f"{prefix}_gap_high": one.gap.high}
        if one.auc is not None:
            found[f"{prefix}_auc"] = one.auc
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _gains(fitted: Fitted) -> dict[str, float]:
    """Each column's share of the gain, the mean over the forests, largest first."""
    found: dict[str, float] = {}
    for text in fitted.forests.values():
        for column, share in models.gains(text).items():
            found[column] = found.get(column, 0.0) + share / len(fitted.forests)
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def _params(settings: Settings, fitted: Fitted, data: Dataset) -> dict[str, str]:
    """Everything that models.yaml says of the model, a line each, with the parameters that it learned by."""
    said = {key: value for key, value in asdict(settings).items() if key not in ("parameters", "references")}
    flat = {**asdict(fitted.parameters), **said, "columns": ", ".join(data.row.names)}
    return {key: str(value) for key, value in flat.items()}


def _plots(name: str, data: Dataset, fitted: Fitted, judged: Judged) -> dict[str, bytes]:
    plots = dict(judged.plots)
    shown = data.matrix[np.flatnonzero(data.test)[:: -(-int(data.test.sum()) // _SHOWN)]]
    for forest, text in fitted.forests.items():
        moved = models.contributions(text, shown, threads=fitted.parameters.num_threads)
        title = f"{name.capitalize().replace('_', ' ')}, held out: what moves the forest '{forest}'"
        plots[f"effects_{forest}"] = charts.contributions_plot(data.row.names, moved, shown, title=title)
    files = {}
    for file, plot in plots.items():
        files[f"plots/{file}.png"] = plot.png()
        files[f"plots/{file}.vl.json"] = plot.vega_lite.encode()
    return files


def _bundle(model: BundledModel, profile: ProfileSpec) -> dict[str, bytes]:
    """The model in the server's form, alone in a bundle: promotion reads it from here and checks its hash."""
    alone = bundle.bundled([model], profile.index, tuple(profile.topics))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, bundle.write(alone, Path(folder)))
        return {f"{BUNDLE}/{home.name}/{file.name}": file.read_bytes() for file in sorted(home.iterdir())}


@cache
def _code() -> str:
    """A hash of the sources that make and judge a model. What features compute is in the fingerprint of the data."""
    root = Path(__file__).resolve().parent.parent
    files = [root / "features" / f"{name}.py" for name in ("answers", "bundle", "calibration", "line", "receptive", "rows")]
    files += sorted(file for room in ("measure", "training") for file in (root / room).glob("*.py"))
    return _digest(*(part for file in files for part in (file.name.encode(), file.read_bytes())))


def _version() -> str:
    try:
        return version("kairos-nba")
    except PackageNotFoundError:
        return "not installed"


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def _slug(text: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())
