"""The notebooks, executed from top to bottom as a reader would, one after the other in a kernel that forgets in between."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = (
    "explore_a_profile",
    "retrain_and_promote",
    "evaluate_a_policy_before_launch",
    "read_the_lift",
    "run_the_simulator",
)


def notebook(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelManager]:
    """One for all of them: what they import takes longer than what they do."""
    file = tmp_path_factory.mktemp("kernel") / "kernel.json"
    manager = KernelManager(transport="ipc", connection_file=str(file))
    yield manager
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)
    manager.context.destroy(linger=0)


def test_there_are_these_and_no_others() -> None:
    assert {file.stem for file in FOLDER.glob("*.ipynb")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_shows_drawings_without_complaints(name: str, kernel: KernelManager) -> None:
    book = notebook(name)
    book.cells.insert(0, nbformat.v4.new_code_cell("%reset_selective -f ."))
    client = NotebookClient(book, km=kernel, timeout=600, resources={"metadata": {"path": str(FOLDER)}})
    try:
        client.execute()
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/svg+xml" in output.get("data", {}) for output in outputs)
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_is_kept_without_outputs(name: str) -> None:
    code = [cell for cell in notebook(name).cells if cell.cell_type == "code"]
    assert all(cell.execution_count is None and not cell.outputs for cell in code)


@pytest.mark.parametrize("name", NAMES)
def test_it_begins_with_what_it_is_about(name: str) -> None:
    first = notebook(name).cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")
