"""The demo brand to play with: a fifth of its households, built once, and a fresh copy of it for everybody who opens one."""

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

import kairos
from decisioning.errors import KairosError
from examples.grocer.calling import Server
from examples.grocer.complete_journey import Tables, installed
from examples.grocer.importer import import_history
from examples.grocer.story import SALT
from features import offline
from features.log import Log
from features.workspace import Workspace
from serving.clock import HeldClock
from training import promote, train

EVERY, REST = 5, 4
"""The households whose number leaves this rest, 494 of 2,469; among them 1029, of whom the demo tells."""

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_SOURCES = ("decisioning", "features", "measure", "training", "examples/grocer", "mlflow")
_NOT_COPIED = ("mlflow", "registry.db", "registry.stamp")
"""What names its place, and so would lead a copy back to where it was copied from; both are made anew when missing."""


@dataclass(frozen=True, slots=True)
class Playground:
    """An open workspace with its real server, on 127.0.0.1, and the server's clock, which stands where the demo starts."""

    workspace: Workspace
    log: Log
    clock: HeldClock
    server: Server
    _open: ExitStack

    def close(self) -> None:
        """Stop the server; a copy that was made for it goes too."""
        self._open.close()


def opened(folder: Path | None = None) -> Playground:
    """The workspace of a folder, or of a fresh copy, with its server up. Raises KairosError where the data are missing."""
    with ExitStack() as stack:
        if folder is None:
            folder = fresh_copy()
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        workspace = Workspace.load(folder)
        starts_at = workspace.brand.starts_at
        if starts_at is None:
            raise KairosError(f"{folder / 'brand.yaml'}: clock: the sample needs starts_at, or each opening would differ")
        clock, log = HeldClock(starts_at), stack.enter_context(closing(_log(workspace)))
        bound = stack.enter_context(kairos.listen(0))
        server = stack.enter_context(Server(kairos.application(workspace, log, clock, salt=SALT), bound))
        return Playground(workspace, log, clock, server, stack.pop_all())


def fresh_copy() -> Path:
    """A workspace of one's own in a temporary folder: a year of history, features, and a promoted model of preferences.

    The first call builds what is copied, in some half a minute; it is kept until the code or the brand's files change. Raises
    KairosError where the data are missing.
    """
    folder = Path(tempfile.mkdtemp(prefix="kairos-"))
    with _alone() as kept:
        shutil.copytree(_built(kept), folder, ignore=shutil.ignore_patterns(*_NOT_COPIED), dirs_exist_ok=True)
    return folder


@contextmanager
def _alone() -> Iterator[Path]:
    """The folder that holds what was built; others who want it wait."""
    kept = _HERE / ".kairos" / "sample"
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield kept


def _built(kept: Path) -> Path:
    """The built workspace, whole; builds by other code or files are deleted."""
    place = kept / _key()
    if not place.exists():
        for old in kept.iterdir():
            if old.is_dir():
                shutil.rmtree(old)
        # first elsewhere: an interrupted build is never taken for a whole one
        partial = kept / "partial"
        partial.mkdir()
        with warnings.catch_warnings():
            # of MLflow's progress bars, which in a notebook would be widgets; none is drawn
            warnings.filterwarnings("ignore", message="IProgress not found")
            _build(partial)
        os.replace(partial, place)
    return place


def _build(folder: Path) -> None:
    for file in _HERE.glob("*.yaml"):
        shutil.copy(file, folder)
    # of the models one alone, that all may be quick
    models = folder / "models.yaml"
    preference = re.search(r"^preference:\n(?:(?: .*)?\n)*", models.read_text(encoding="utf-8"), re.MULTILINE)
    assert preference is not None, "the demo's brand has a model of preferences"
    models.write_text(preference.group().rstrip() + "\n", encoding="utf-8")
    workspace = Workspace.load(folder)
    starts_at = workspace.brand.starts_at
    assert starts_at is not None, "the demo's brand has a clock of its own"
    with closing(_log(workspace)) as log, tempfile.TemporaryDirectory() as source:
        _some_households(Path(source))
        import_history(workspace, log, source=Path(source))
        offline.build(workspace, log)
        train.train(workspace, log, now=starts_at)
        promote.promote(workspace)
        offline.materialize(workspace, log)


def _some_households(folder: Path) -> None:
    """The source's tables with the rows of every so-manieth household."""
    for field in fields(Tables):
        table = pl.scan_parquet(installed() / f"{field.name}.parquet")
        if "household_id" in table.collect_schema().names():
            table = table.filter(pl.col("household_id").cast(pl.Int64) % EVERY == REST)
        table.collect().write_parquet(folder / f"{field.name}.parquet")


def _log(workspace: Workspace) -> Log:
    """Its own log, in its own folder, whatever the environment says of others."""
    for name in ("KAIROS_LOG_URL", "KAIROS_ONLINE_URL"):
        os.environ.pop(name, None)
    return kairos.open_log(workspace)


def _key() -> str:
    """A hash of all that a build depends on."""
    digest = hashlib.sha256((installed() / "transactions.parquet").stat().st_size.to_bytes(8, "big"))
    for room in _SOURCES:
        for file in sorted(file for kind in ("*.py", "*.yaml") for file in (_ROOT / room).rglob(kind)):
            if ".kairos" not in file.parts:
                digest.update(str(file.relative_to(_ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]
