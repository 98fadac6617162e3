"""A workspace: the folder that holds a brand's YAML, and under `.kairos` everything Kairos writes for it."""

import os
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from decisioning.errors import KairosError
from features.log import Log
from features.playbook import FILES, Brand, Playbook, compile_playbook
from features.published import last_published, state_rules
from features.schema import ProfileSpec
from features.yaml_nodes import WorkspaceError, decode

_T = TypeVar("_T")


class Workspace:
    """The brand's folder. Its files are read once, when they are first asked for; `load` asks at once."""

    def __init__(self, path: Path | str) -> None:
        """Raises WorkspaceError where there is no such folder."""
        self.path = Path(path)
        self.data = self.path / ".kairos"
        if not self.path.is_dir():
            raise WorkspaceError([f"{self.path}: no such folder; name a workspace with --workspace or KAIROS_WORKSPACE"])

    @classmethod
    def load(cls, path: Path | str) -> "Workspace":
        """Raises WorkspaceError naming file, key and cure for every fault found."""
        found = cls(path)
        _ = found.playbook
        return found

    @cached_property
    def playbook(self) -> Playbook:
        """What the files say, published or not. Raises WorkspaceError as `load` does."""
        texts, faults = {}, []
        for name in FILES:
            try:
                texts[name] = _text(self.path / name)
            except WorkspaceError as error:
                faults += error.faults
        if faults:
            raise WorkspaceError(faults)
        return compile_playbook(texts, folder=f"{self.path}/")

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


def open_log(workspace: Workspace) -> Log:
    """The workspace's log. Its states follow what is in force."""
    log = any_log(workspace)
    try:
        log.follow(state_rules(in_force(workspace, log)))
    except KairosError:
        log.close()
        raise
    return log


def any_log(workspace: Workspace) -> Log:
    """The log, whatever is published in it: enough to compare, and to replace what this code cannot read."""
    return Log(workspace.log_url, folder=workspace.data)


def in_force(workspace: Workspace, log: Log) -> Playbook:
    """The last published playbook; the workspace's own while none is published. Raises WorkspaceError where it has faults."""
    return last_published(log) or workspace.playbook


def differing(workspace: Workspace, version: str) -> str | None:
    """The version of what the files say now, or that they are faulty; None where they are this version."""
    try:
        found = Workspace(workspace.path).playbook.version
    except KairosError as error:
        return f"faulty: {error}"
    return None if found == version else found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WorkspaceError([f"{file}: the file is missing; copy the form from examples/grocer/{file.name}"]) from None
    except UnicodeDecodeError as error:
        raise WorkspaceError([f"{file}: not UTF-8 text (byte {error.start}); save the file as UTF-8"]) from error
    except OSError as error:
        raise WorkspaceError([f"{file}: cannot be read ({error.strerror}); make it a file you may read"]) from error
