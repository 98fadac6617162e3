"""The command line: clear errors with their cure, exit code 2, and a server that serves."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests import corner

ROOT = Path(__file__).parents[1]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "kairos", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_missing_workspace_is_named_with_its_cure(tmp_path: Path) -> None:
    told = run("features", "build", "-w", str(tmp_path / "nowhere"))
    assert told.returncode == 2
    assert "no such folder" in told.stderr
    assert "--workspace" in told.stderr
    assert "Traceback" not in told.stderr


def test_every_fault_of_a_workspace_is_told_at_once_with_file_line_and_key(tmp_path: Path) -> None:
    folder = corner.write_workspace(tmp_path / "brand")
    for name, wrong, right in (("touchpoints", "attention", "attenton"), ("policy", "cool_down: 14d", "cool_down: soon")):
        file = folder / f"{name}.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace(wrong, right), encoding="utf-8")
    told = run("train", "-w", str(folder))
    assert told.returncode == 2
    assert "touchpoints.yaml:2:" in told.stderr
    assert "did you mean 'attention'" in told.stderr
    assert "contact.cool_down: expected a duration such as 30d or 12h" in told.stderr


def test_training_before_features_are_built_names_the_command(tmp_path: Path) -> None:
    told = run("features", "materialize", "-w", str(corner.write_workspace(tmp_path / "brand", models=corner.MODELS)))
    assert (told.returncode, "kairos features build" in told.stderr) == (2, True)


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    folder = corner.write_workspace(tmp_path / "brand")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = run("serve", "-w", str(folder), "--port", str(taken.getsockname()[1]))
    assert told.returncode == 2
    assert "is in use" in told.stderr
    assert not (folder / ".kairos").exists()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_first_start_publishes_the_catalog_and_a_later_difference_is_reported_not_loaded(
    tmp_path: Path, free_port: int
) -> None:
    folder = corner.write_workspace(tmp_path / "brand")
    ready = f"http://127.0.0.1:{free_port}/health/ready"

    def catalog() -> dict[str, str]:
        command = [sys.executable, "-m", "kairos", "serve", "-w", str(folder), "--port", str(free_port)]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as server:
            try:
                for _ in range(600):
                    try:
                        with urllib.request.urlopen(ready, timeout=5) as answer:
                            return json.load(answer)["parts"]["catalog"]  # type: ignore[no-any-return]
                    except OSError:
                        assert server.poll() is None
                        time.sleep(0.1)
                raise AssertionError("the server never became ready")
            finally:
                server.terminate()

    first = catalog()
    assert first["status"] == "ok"
    file = folder / "catalog.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("value: 10.0", "value: 11.0"), encoding="utf-8")
    second = catalog()
    assert (second["status"], second["published"]) == ("differs", first["published"])
    assert second["workspace"] != first["published"]
