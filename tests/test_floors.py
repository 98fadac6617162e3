"""The house keeps its floors: imports go down, and each vendor comes in by its own door."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("decisioning", "features", "measure", "training", "serving")

DOORS: dict[str, tuple[str, ...]] = {
    "feast": ("features/",),
    "duckdb": ("features/",),
    "sqlalchemy": ("features/",),
    "alembic": ("features/log/",),
    "psycopg": ("features/log/",),
    "cryptography": ("features/log/",),
    "yaml": ("features/yaml_nodes.py",),
    "polars": ("features/", "training/"),
    "pandas": ("features/", "training/registry.py"),
    "pyarrow": ("features/",),
    "redis": ("features/packed_redis",),
    "fastapi": ("serving/",),
    "fastapi_offline": ("serving/app.py",),
    "starlette": ("serving/",),
    "pydantic": ("serving/",),
    "mlflow": ("training/registry.py",),
    "lightgbm": ("training/models.py", "serving/scoring/fallback.py"),
    "sklearn": ("training/",),
    "altair": ("measure/charts.py",),
    "optuna": ("training/search.py",),
    "vowpalwabbit": ("training/simulation/squarecb.py",),
}
"""Which files of the five packages may import a vendor."""

PURE = frozenset({"numpy", "numba"})
FORBIDDEN_IN_THE_CORE = frozenset(
    {"random", "secrets", "time", "os", "io", "pathlib", "logging", "socket", "subprocess", "sys"}
)


def imports_of(source: str) -> Iterator[str]:
    """The top-level names that a source imports, wherever in the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def faults_of(file: str, source: str) -> list[str]:
    """What one file of the five packages imports and may not."""
    faults = []
    for name in sorted(set(imports_of(source))):
        doors = DOORS.get(name)
        if doors is not None and not file.startswith(doors):
            faults.append(f"{file} imports {name}; its doors are {', '.join(doors)}")
        if file.startswith("decisioning/"):
            if name in FORBIDDEN_IN_THE_CORE:
                faults.append(f"{file} imports {name}: time, chance and the world are arguments in the core")
            elif name not in sys.stdlib_module_names and name not in PURE and name != "decisioning":
                faults.append(f"{file} imports {name}: the core has the standard library and NumPy only")
    return faults


def sources() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def test_every_vendor_comes_in_by_its_own_door() -> None:
    assert [fault for file, source in sources() for fault in faults_of(file, source)] == []


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("decisioning/decide.py", "import random"),
        ("decisioning/decide.py", "from datetime import datetime\nimport polars"),
        ("features/packed.py", "import mlflow.lightgbm"),
        ("serving/app.py", "def late():\n    import feast"),
        ("training/train.py", "from lightgbm import Booster"),
        ("measure/lift.py", "import altair"),
        ("training/learn.py", "import optuna"),
    ],
)
def test_a_planted_vendor_is_found(file: str, planted: str) -> None:
    assert faults_of(file, planted)


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, env={"PYTHONPATH": str(root)}, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the five packages and of what declares their floors."""
    for file, source in sources():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(source, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_imports_only_go_down(house: Path) -> None:
    found = lint_imports(house)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("decisioning/decide.py", "import features.rows"),
        ("features/rows.py", "import serving.app"),
        ("features/rows.py", "import measure"),
        ("serving/app.py", "import training"),
        ("training/labels.py", "import serving.schemas"),
    ],
)
def test_a_planted_import_that_goes_up_fails(house: Path, file: str, planted: str) -> None:
    target = house / file
    target.write_text(target.read_text(encoding="utf-8") + f"\n{planted}\n", encoding="utf-8")
    found = lint_imports(house)
    assert found.returncode == 1
    assert "BROKEN" in found.stdout


def test_mlflow_is_the_vendor_and_its_folder_holds_no_python() -> None:
    import mlflow

    assert mlflow.__file__ is not None
    assert list((ROOT / "mlflow").rglob("*.py")) == []


def test_a_server_needs_nothing_that_only_training_needs() -> None:
    # LightGBM imports pandas and scikit-learn where they are installed: what counts is that all works where they are not
    script = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("feast", "mlflow", "sklearn", "pandas", "polars", "duckdb", "altair", "pyarrow"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import kairos, serving.app, serving.profiles, serving.scoring.current
"""
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
