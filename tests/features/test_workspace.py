"""A workspace: the folder of a brand, read once, with every file that cannot be read named."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from features.workspace import Workspace
from features.yaml_nodes import WorkspaceError
from tests import corner


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    street: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return corner.write_workspace(tmp_path / "corner", shop="street: Main Street\n")


def refused(folder: Path) -> list[str]:
    with pytest.raises(WorkspaceError) as error:
        Workspace.load(folder)
    return error.value.faults


def test_a_folder_with_the_files_is_a_workspace(folder: Path) -> None:
    workspace = Workspace.load(folder)
    assert workspace.playbook == corner.playbook()
    assert (workspace.brand.name, workspace.data) == ("Corner", folder / ".kairos")
    assert workspace.profile is workspace.playbook.profile
    assert workspace.log_url == f"sqlite:///{folder / '.kairos' / 'log.db'}"
    assert not workspace.data.exists()  # reading writes nothing


def test_the_environment_says_where_the_log_lies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIROS_LOG_URL", "postgresql://db.example.org/kairos")
    assert Workspace.load(folder).log_url == "postgresql://db.example.org/kairos"


def test_a_further_file_is_read_with_its_own_type_and_place(folder: Path) -> None:
    workspace = Workspace.load(folder)
    assert workspace.read("shop.yaml", Shop) == Shop(street="Main Street")
    (folder / "shop.yaml").write_text("stret: Main Street\n")
    with pytest.raises(WorkspaceError, match=r"shop\.yaml:1:8: stret: unknown key; did you mean 'street'"):
        workspace.read("shop.yaml", Shop)
    with pytest.raises(WorkspaceError, match=r"more\.yaml: the file is missing"):
        workspace.read("more.yaml", Shop)


def test_a_folder_that_is_not_there_is_named_with_the_cure(tmp_path: Path) -> None:
    (fault,) = refused(tmp_path / "nowhere")
    assert fault == f"{tmp_path / 'nowhere'}: no such folder; name a workspace with --workspace or KAIROS_WORKSPACE"


def test_files_that_cannot_be_read_are_all_named_with_the_cure(folder: Path) -> None:
    (folder / "brand.yaml").unlink()
    (folder / "policy.yaml").write_bytes(b"caf\xe9: 1\n")
    (folder / "catalog.yaml").unlink()
    (folder / "catalog.yaml").mkdir()
    told = refused(folder)
    assert [Path(fault.split(":")[0]).name for fault in told] == ["brand.yaml", "catalog.yaml", "policy.yaml"]
    assert "the file is missing; copy the form from examples/grocer/brand.yaml" in told[0]
    assert "cannot be read (Is a directory)" in told[1]
    assert "not UTF-8 text (byte 3); save the file as UTF-8" in told[2]


def test_a_fault_in_a_folder_names_the_file_with_its_path(folder: Path) -> None:
    (folder / "brand.yaml").write_text("name: 3\n")
    assert refused(folder)[0].startswith(f"{folder}/brand.yaml:1:7: name: expected text")


def test_one_variable_says_where_profiles_are_served_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Workspace.load(folder)
    monkeypatch.delenv("KAIROS_ONLINE_URL", raising=False)
    assert where.online_url == f"sqlite:///{folder / '.kairos' / 'online.db'}"
    monkeypatch.setenv("KAIROS_ONLINE_URL", "redis://localhost:6379/0")
    assert where.online_url == "redis://localhost:6379/0"
