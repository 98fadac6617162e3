"""What a run leaves behind in MLflow: parameters, metrics with intervals, plots, and the model as the server will read it."""

import hashlib
import tempfile
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features import bundle
from features.bundle import BundledModel
from features.schema import ProfileSpec
from measure import charts
from training import evaluate, models
from training.dataset import Dataset
from training.learn import Fitted
from training.registry import Evidence
from training.report import BUNDLE, LEARNED, Learned
from training.settings import Churn, Preference

_UNITS = {"churn": "customers", "preference": "offers"}


def identity(name: str, data: Dataset, settings: Churn | Preference, profile: ProfileSpec) -> dict[str, str]:
    """Tags that two runs share when data, settings, profile and code are the same: then they make the same model."""
    topics = tuple(profile.topics)
    read = [profile.index[feature] for feature in data.row.needs(topics)]
    # what promotion will compare: a run is reused only where it can also be promoted
    meaning = [(one.name, one.ages, one.half_life_days, one.unit, one.labels, one.made) for one in read]
    return {
        "kairos.model": name,
        "kairos.data": data.fingerprint,
        "kairos.settings": _digest(repr(settings).encode()),
        "kairos.profile": _digest(repr((topics, meaning)).encode()),
        "kairos.code": _code(),
        "kairos.lightgbm": models.VERSION,
    }


def evidence(
    name: str, data: Dataset, fitted: Fitted, settings: Churn | Preference, profile: ProfileSpec
) -> tuple[Learned, Evidence]:
    """Reads the test: once, after everything is fitted."""
    test = np.flatnonzero(data.test)
    probabilities = fitted.predict(data.matrix[test], threads=settings.parameters.num_threads)
    evaluation = evaluate.evaluate(
        data.labels[test],
        probabilities,
        customers=[data.customers[int(row)] for row in test],
        groups=None if data.groups is None else [data.groups[int(row)] for row in test],
        references=settings.references,
        seed=settings.parameters.seed,
    )
    learned = Learned(
        model=name,
        fingerprint=data.fingerprint,
        train_rows=int((~data.test).sum()),
        train_positives=int(data.labels[~data.test].sum()),
        evaluation=evaluation,
        folds=fitted.folds,
        gains=models.gains(fitted.text),
        calibration=(fitted.calibration.a, fitted.calibration.b),
        counted=data.counted,
    )
    metrics = evaluation.numbers
    model = BundledModel(
        name=name,
        text=fitted.text,
        row=data.row,
        calibration=fitted.calibration,
        metrics=metrics,
        fingerprint=data.fingerprint,
    )
    left_behind = Evidence(
        params=_params(settings, data),
        metrics={
            **metrics,
            **{f"fold_{key}": value for key, value in fitted.folds.items()},
            "train_rows": float(learned.train_rows),
            "train_positives": float(learned.train_positives),
            "test_rows": float(evaluation.rows),
            "test_positives": float(evaluation.positives),
        },
        files={
            LEARNED: learned.encoded(),
            **_plots(name, data.labels[test], probabilities),
            **_bundle(model, profile),
        },
        columns=data.row.names,
        model=models.booster(fitted.text),
        requirements=(f"lightgbm=={models.VERSION}",),
        tags={"kairos.version": _version(), **{f"kairos.count.{_slug(text)}": str(n) for text, n in data.counted.items()}},
    )
    return learned, left_behind


def _params(settings: Churn | Preference, data: Dataset) -> dict[str, str]:
    """Everything that models.yaml says of the model, a line each."""
    said = {key: value for key, value in asdict(settings).items() if key not in ("parameters", "references")}
    flat = {**asdict(settings.parameters), **said, "columns": ", ".join(data.row.names)}
    return {key: str(value) for key, value in flat.items()}


def _plots(name: str, labels: NDArray[np.uint8], probabilities: NDArray[np.float64]) -> dict[str, bytes]:
    gain = charts.gain_curve(labels, probabilities, title=f"{name.capitalize()}, held out: who comes first", unit=_UNITS[name])
    calibration = charts.calibration_plot(labels, probabilities, title=f"{name.capitalize()}, held out: promised and kept")
    files = {}
    for file, plot in (("gain", gain), ("calibration", calibration)):
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
    files = [root / "features" / "bundle.py", root / "features" / "rows.py"]
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
