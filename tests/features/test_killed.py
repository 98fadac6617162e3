"""Whatever step is killed wherever, to run it again gives what one undisturbed run gives."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.features.killing import POINTS, STEPS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What `killing` told of every point of every step."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.features.killing", str(tmp_path_factory.mktemp("killed")), *STEPS]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_killed_and_run_again_leaves_the_same_log_tables_profiles_and_files(
    step: str, points: list[dict[str, Any]]
) -> None:
    mine = [point for point in points if point["step"] == step]
    assert len({point["point"] for point in mine}) == POINTS
    assert {point["ended_by"] for point in mine} == {signal.SIGKILL}
    assert {point["point"]: point["different"] for point in mine if point["different"]} == {}
