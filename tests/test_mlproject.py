"""`mlflow run mlflow -e train --env-manager local`: the entry points are verbs, run from the checkout by its own Kairos."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.projects.utils import load_project

ROOT = Path(__file__).parents[1]
ENTRY_POINTS = ("train", "retrain", "evaluate")

# In place of the verb: tells what it was asked and where.
_TELLS = """#!{python}
import json, os, sys
told = {{name: os.environ.get(name) for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID")}}
print(json.dumps({{"asked": sys.argv[1:], "at": os.getcwd(), **told}}))
"""


def command(entry_point: str, workspace: Path, folder: Path, **more: str) -> str:
    """What MLflow hands to the shell."""
    found = load_project(str(ROOT / "mlflow")).get_entry_point(entry_point)
    return str(found.compute_command({"workspace": str(workspace), **more}, str(folder)))


def run(line: str, at: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", line], cwd=at, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout, as far as the entry points know it, whose environment has a `kairos` that tells."""
    root = tmp_path / "a checkout"
    shutil.copytree(ROOT / "mlflow", root / "mlflow")
    kairos = root / ".venv" / "bin" / "kairos"
    kairos.parent.mkdir(parents=True)
    kairos.write_text(_TELLS.format(python=sys.executable))
    kairos.chmod(0o755)
    return root


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_an_entry_point_runs_its_verb_from_the_root_with_the_workspace(
    checkout: Path, tmp_path: Path, entry_point: str
) -> None:
    workspace = tmp_path / "my brand"
    workspace.mkdir()
    told = run(command(entry_point, workspace, tmp_path), checkout / "mlflow")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    models = ["all"] if entry_point == "train" else []
    assert found["asked"] == [entry_point, *models, "--workspace", str(workspace)]
    assert found["at"] == str(checkout)


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ("http://mlflow.example:5000", True),
        ("databricks", True),
        ("postgresql://mlflow@example/runs", True),
        ("sqlite:////home/ada/mlflow.db", False),
        ("file:///home/ada/mlruns", False),
    ],
)
def test_a_server_keeps_the_runs_and_without_one_the_workspace_does(
    checkout: Path, tmp_path: Path, named: str, kept: bool
) -> None:
    handed_down = {"MLFLOW_TRACKING_URI": named, "MLFLOW_RUN_ID": "1", "MLFLOW_EXPERIMENT_ID": "0"}
    found = json.loads(run(command("retrain", tmp_path, tmp_path), checkout / "mlflow", **handed_down).stdout)
    assert found["MLFLOW_TRACKING_URI"] == (named if kept else None)
    assert (found["MLFLOW_RUN_ID"], found["MLFLOW_EXPERIMENT_ID"]) == (None, None)


def test_the_verb_itself_is_reached_and_its_exit_code_comes_back(tmp_path: Path) -> None:
    told = run(command("train", tmp_path, tmp_path, model="churn"), ROOT / "mlflow")
    assert told.returncode == 2
    assert "brand.yaml: the file is missing" in told.stderr
