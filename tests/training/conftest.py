"""The small brand of `tests.training.worlds`, trained once for all tests, and copies of it that have promoted."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from features import bundle, offline
from features.log import Log
from features.workspace import Workspace
from tests.training.worlds import FILES, NOW, RULES, history, open_log, workspace
from training import promotions
from training.gates import Rules, read_rules
from training.promote import models_folder, promote
from training.registry import Registry, Version
from training.report import TrainReport
from training.train import train


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace(tmp_path_factory.mktemp("brand"))


@pytest.fixture(scope="session")
def log(brand: Workspace) -> Iterator[Log]:
    made = open_log(brand.data, history())
    offline.build(brand, made)
    yield made
    made.close()


@pytest.fixture(scope="session")
def rules(brand: Workspace) -> Rules:
    (brand.path / "registry.yaml").write_text(RULES)
    return read_rules(brand.path / "registry.yaml")


@pytest.fixture(scope="session")
def trained(brand: Workspace, log: Log, rules: Rules) -> TrainReport:
    return train(brand, log, now=NOW, rules=rules)


@dataclass(frozen=True)
class Life:
    """A copy of the brand that has promoted two bundles, one after the other; the second is a churn of its own."""

    workspace: Workspace
    rules: Rules
    log: Log
    first: str
    second: str

    @property
    def folder(self) -> Path:
        return models_folder(self.workspace)

    @property
    def current(self) -> str | None:
        return bundle.current(self.folder)

    def champions(self) -> dict[str, Version | None]:
        store = Registry(self.workspace.data, experiment=self.rules.experiment)
        return {name: store.pointed(self.rules.of(name).registered_as, "champion") for name in ("churn", "preference")}

    def told(self) -> tuple[object, ...]:
        """All that a refusal must leave as it is."""
        return self.current, self.champions(), promotions.recorded(self.folder)

    def another(self) -> str:
        """Put a third bundle in force: the second's models, with another number written beside one."""
        kept = bundle.read(self.folder, self.second)
        models = [replace(one, metrics={**one.metrics, "again": 1.0}) for one in kept.models.values()]
        made = bundle.bundled(models, self.workspace.profile.index, kept.topics)
        bundle.write(made, self.folder)
        versions = promotions.recorded(self.folder)[-1].versions
        store = Registry(self.workspace.data, experiment=self.rules.experiment)
        with promotions.changing(self.folder):
            promotions.put_in_force(self.folder, store, alias=self.rules.alias, made=made.hash, versions=versions)
        return made.hash


@pytest.fixture(scope="session")
def lived(
    brand: Workspace, log: Log, rules: Rules, trained: TrainReport, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, str]:
    """The folder of the copy that the others are copied from, and the two bundles."""
    folder = tmp_path_factory.mktemp("lived") / "brand"
    shutil.copytree(brand.path, folder, ignore=shutil.ignore_patterns("models"))
    first = promote(Workspace.load(folder), rules=rules)
    (folder / "models.yaml").write_text(FILES["models.yaml"].replace("num_iterations: 30", "num_iterations: 20", 1))
    train(Workspace.load(folder), log, now=NOW, names=["churn"], rules=rules)
    second = promote(Workspace.load(folder), rules=rules)
    return folder, first.bundle, second.bundle


@pytest.fixture
def life(lived: tuple[Path, str, str], log: Log, rules: Rules, tmp_path: Path) -> Life:
    folder, first, second = lived
    shutil.copytree(folder, tmp_path / "brand")
    return Life(Workspace.load(tmp_path / "brand"), rules, log, first, second)
