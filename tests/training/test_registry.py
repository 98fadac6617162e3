import os
import subprocess
import sys

import numpy as np
import pytest

from training import models
from training.errors import TrackingError
from training.parameters import Parameters
from training.registry import Evidence, Registry, tracking_uri


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def registry(home, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Registry(home, experiment="kairos")


def _evidence() -> Evidence:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(100, 2)).astype(np.float32)
    labels = (matrix[:, 0] > 0).astype(np.uint8)
    text = models.fit(matrix, labels, columns=["a", "b"], parameters=Parameters(num_iterations=3))
    return Evidence(
        params={"num_leaves": "8"},
        metrics={"auc": 0.8, "auc_low": 0.7},
        files={"plots/gain.png": b"png", "kairos/learned.json": b"{}"},
        columns=["a", "b"],
        model=models.booster(text),
        requirements=[f"lightgbm=={models.VERSION}"],
    )


def _kept(registry: Registry, tags: dict[str, str]) -> str:
    with registry.run("churn", tags) as run_id:
        registry.keep(run_id, _evidence())
    return run_id


def test_a_finished_run_is_found_by_its_tags_with_everything_in_it(registry, tmp_path):
    run_id = _kept(registry, {"kairos.identity": "one"})

    assert registry.finished({"kairos.identity": "one"}) == run_id
    assert registry.finished({"kairos.identity": "another"}) is None
    assert registry.metrics(run_id) == {"auc": 0.8, "auc_low": 0.7}
    assert registry.fetch(run_id, "kairos/learned.json", tmp_path).read_bytes() == b"{}"
    assert registry.has(run_id, "kairos/learned.json") and not registry.has(run_id, "kairos/predicted.npz")


def test_a_note_is_a_finished_run_that_counts(registry):
    before = registry.count({"kairos.test": "noted"})

    run_id = registry.note("a reading", tags={"kairos.test": "noted"}, metrics={"auc": 0.8, "total_ratio": float("nan")})

    assert registry.count({"kairos.test": "noted"}) == before + 1
    assert registry.finished({"kairos.test": "noted"}) == run_id
    assert registry.metrics(run_id) == {"auc": 0.8}


def test_registering_a_run_twice_makes_one_version(registry):
    run_id = _kept(registry, {})

    first, second = registry.register("kairos-once", run_id), registry.register("kairos-once", run_id)

    assert first == second
    assert first.version == "1"
    assert registry.pointed("kairos-once", "challenger") == first


def test_an_alias_names_one_version_and_can_move(registry):
    first = registry.register("kairos-moving", _kept(registry, {}))
    second = registry.register("kairos-moving", _kept(registry, {}))
    registry.point("champion", first)
    registry.point("champion", second)

    assert registry.pointed("kairos-moving", "champion") == second
    assert second.version == "2"


def test_a_name_or_alias_that_nothing_has_points_nowhere(registry):
    registry.register("kairos-lonely", _kept(registry, {}))

    assert registry.pointed("kairos-unheard-of", "champion") is None
    assert registry.pointed("kairos-lonely", "champion") is None


def test_the_logged_model_is_the_trained_one(registry):
    import mlflow.lightgbm

    version = registry.register("kairos-loaded", _kept(registry, {}))
    before = os.environ.get("MLFLOW_TRACKING_URI")

    source = registry.tags(version.run_id)["kairos.source"]
    mlflow.set_tracking_uri(registry.uri)
    try:
        loaded = mlflow.lightgbm.load_model(source)
    finally:
        mlflow.set_tracking_uri(None)

    assert loaded.model_to_string() == _evidence().model.model_to_string()
    assert os.environ.get("MLFLOW_TRACKING_URI") == before


def test_an_error_inside_a_run_leaves_it_failed_and_unregistered(registry):
    with pytest.raises(ZeroDivisionError), registry.run("churn", {"kairos.identity": "broken"}):
        _ = 1 / 0

    assert registry.finished({"kairos.identity": "broken"}) is None
    assert registry.count({"kairos.identity": "broken"}) == 1
    assert registry.end_interrupted() == 0


_KILLED = """
import os, signal, sys
from pathlib import Path
from training.registry import Registry
with Registry(Path(sys.argv[1]), experiment="kairos").run("churn", {"kairos.identity": "killed"}):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_whose_process_was_killed_is_marked_by_the_next(registry, home):
    subprocess.run([sys.executable, "-c", _KILLED, str(home)], check=False, capture_output=True)

    assert registry.finished({"kairos.identity": "killed"}) is None
    assert registry.end_interrupted() == 1
    assert registry.end_interrupted() == 0


def test_a_run_of_a_living_process_is_left_alone(registry, monkeypatch):
    with registry.run("churn", {}):
        monkeypatch.setattr("os.getpid", lambda: os.getppid())  # as if another process looked

        assert registry.end_interrupted() == 0


def test_the_environment_may_name_another_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")

    assert tracking_uri(tmp_path) == "http://127.0.0.1:9"


def test_a_store_that_cannot_be_reached_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")

    with pytest.raises(TrackingError) as refused:
        Registry(tmp_path, experiment="kairos")

    text = str(refused.value)
    assert "\n" not in text
    assert text.startswith("MLflow at http://127.0.0.1:9 cannot be used: ")
    assert text.endswith("start it, or unset MLFLOW_TRACKING_URI")
