import os
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import features
from features import builds, feast_door, offline
from tests.features.worlds import DAY, START, labels, log_of, workspace, year

FOLDER = Path(features.__file__).parent


def test_feast_imports_the_definitions_and_nothing_else_of_the_folder(tmp_path: Path) -> None:
    with feast_door._contained(workspace(tmp_path)):
        from feast.repo_operations import get_repo_files

    assert get_repo_files(FOLDER) == [FOLDER / "definitions.py"]


def test_feasts_own_command_line_finds_the_objects_of_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = workspace(tmp_path)
    with log_of(where, year(1, records=20)) as log:
        stamp = offline.build(where, log).stamp
    monkeypatch.setenv("KAIROS_WORKSPACE", str(tmp_path))
    found = runpy.run_path(str(FOLDER / "definitions.py"), run_name="definitions")
    from features.definitions import objects

    for made in objects(where.profile, where.data / "offline", stamp):
        assert found[made.name] == made
    assert {found[view].tags["purpose"] for view in ("orders", "offers")} == {"personalisation"}


def test_a_workspace_without_a_build_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace(tmp_path)
    monkeypatch.setenv("KAIROS_WORKSPACE", str(tmp_path))
    with pytest.raises(builds.FeatureStoreError, match="features build"):
        runpy.run_path(str(FOLDER / "definitions.py"), run_name="definitions")


def test_the_registry_holds_the_views_of_the_current_build_only(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    with log_of(where, year(1, records=20)) as log:
        offline.build(where, log)
    shorter = workspace(tmp_path, profile=(tmp_path / "profile.yaml").read_text().split("  households:")[0])
    with log_of(shorter) as log:
        offline.build(shorter, log)
    with feast_door._contained(shorter):
        assert {view.name for view in feast_door._store(shorter).list_feature_views()} == {"orders", "offers"}


def test_what_feast_does_to_the_process_is_undone(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    before, filters = dict(os.environ), list(warnings.filters)
    with log_of(where, year(1, records=20)) as log:
        offline.build(where, log)
    offline.training_frame(where, labels(["c0"], START))
    assert dict(os.environ) == before
    assert list(warnings.filters) == filters


def test_feasts_own_plan_and_apply_work_inside_the_folder(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    with log_of(where, year(1, records=20)) as log:
        offline.build(where, log)
    asked = labels(["c0", "c1"], START + 200 * DAY)
    expected, registry = offline.training_frame(where, asked), where.data / "registry.db"
    script = (
        "from feast.cli.cli import cli\n"
        "import pathlib, sys\n"
        "cli(['plan'], standalone_mode=False)\n"
        f"pathlib.Path({str(registry)!r}).unlink()\n"
        "cli(['plan'], standalone_mode=False)\n"
        "cli(['apply'], standalone_mode=False)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=FOLDER,
        env={**os.environ, "KAIROS_WORKSPACE": str(tmp_path), "KAIROS_ONLINE_STORE": "null", "PYTHONPATH": str(FOLDER.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = ended.stdout
    assert told.index("No changes to registry") < told.index("Created") < told.index("Applying changes for project kairos")
    assert all(f"feature view {view}" in told for view in ("orders", "offers", "households"))
    assert offline.training_frame(where, asked).equals(expected)
