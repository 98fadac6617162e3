"""A workspace: the folder that holds a brand's YAML, and under `.kairos` everything Kairos writes for it."""

import os
from pathlib import Path
from typing import TypeVar

from features.playbook import FILES, Brand, Playbook, compile_playbook
from features.schema import ProfileSpec
from features.yaml_nodes import WorkspaceError, decode

_T = TypeVar("_T")


class Workspace:
    """The brand's folder, read once. Raises WorkspaceError naming file, key and cure for every fault found."""

    def __init__(self, path: Path, playbook: Playbook) -> None:
        self.path = path
        self.data = path / ".kairos"
        self.playbook = playbook

    @classmethod
    def load(cls, path: Path | str) -> "Workspace":
        folder = Path(path)
        if not folder.is_dir():
            raise WorkspaceError([f"{folder}: no such folder; name a workspace with --workspace or KAIROS_WORKSPACE"])
        texts, faults = {}, []
        for name in FILES:
            try:
                texts[name] = _text(folder / name)
            except WorkspaceError as error:
                faults += error.faults
        if faults:
            raise WorkspaceError(faults)
        return cls(folder, compile_playbook(texts, folder=f"{folder}/"))

    def read(self, name: str, kind: type[_T]) -> _T:
        """A further file of the workspace (such as models.yaml) as a value of type `kind`."""
        file = self.path / name
        return decode(_text(file), kind, file=str(file))

    @property
    def brand(self) -> Brand:
        return self.playbook.brand

    @property
    def profile(self) -> ProfileSpec:
        return self.playbook.profile

    @property
    def log_url(self) -> str:
        """Where the log lies: what KAIROS_LOG_URL says (see `features.log.databases`), or a file of the workspace."""
        return os.environ.get("KAIROS_LOG_URL") or f"sqlite:///{self.data / 'log.db'}"

    @property
    def online_url(self) -> str:
        """Where profiles are served from: what KAIROS_ONLINE_URL says (see `features.stores`), or a file of the workspace."""
        return os.environ.get("KAIROS_ONLINE_URL") or f"sqlite:///{self.data / 'online.db'}"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WorkspaceError([f"{file}: the file is missing; copy the form from examples/grocer/{file.name}"]) from None
    except UnicodeDecodeError as error:
        raise WorkspaceError([f"{file}: not UTF-8 text (byte {error.start}); save the file as UTF-8"]) from error
    except OSError as error:
        raise WorkspaceError([f"{file}: cannot be read ({error.strerror}); make it a file you may read"]) from error
