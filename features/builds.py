"""Builds of the offline tables: each in a folder of its own, named by what it was made from, switched to when it is whole.

`<data>/offline/<stamp>/` holds a parquet file a view and build.json, `<data>/offline/current` names the build in use. An
interrupted build leaves a `.partial-` folder, which the next one clears away.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import msgspec

from decisioning.errors import KairosError
from features.schema import ProfileSpec

REPORT = "build.json"

_PARTIAL = ".partial-"
_mine: set[Path] = set()  # what this process is writing
_LAST_BYTES = b"PAR1"
# what decides about the content of a table
_CODE = (
    "entries.py",
    "schema.py",
    "tables.py",
    "decay.py",
    "ageing.py",
    "facts.py",
    "terms.py",
    "join.py",
    "known.py",
    "identities.py",
    "history.py",
    "traits.py",
    "third_party.py",
    "consents.py",
    "contests.py",
    "withheld.py",
    "agreed.py",
    "table_files.py",
    "definitions.py",
    "builds.py",
)


class FeatureStoreError(KairosError):
    """The offline tables are missing or do not fit the workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReport:
    """What became of one view. `match_rate` is the share of the log's customers that its third-party files know.

    `matched` is that of each file and each column. By column, `unknown` counts the values that are none of its labels, or no
    number (they are missing), and `conflicts` the customers of whom two files say different things. `expired` columns are
    left out. `repeated` rows of a key were replaced by a later one, `undated` rows have no date and were left out.
    """

    view: str
    source: str
    records: int
    rows: int
    customers: int
    match_rate: float | None = None
    unknown: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    matched: Mapping[str, float] = field(default_factory=dict)
    conflicts: Mapping[str, int] = field(default_factory=dict)
    expired: tuple[str, ...] = ()
    undated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """`sequence` is the last record of the log in it. `ahead` counts records whose own clock ran ahead of their arrival.

    `unreadable` and `anonymous` records (no customer) are in no table. `reused` builds took nothing but the look.
    `until_us` is when the last record became known. `refused` counts the customers that do not agree to a purpose: what
    serves it is in no frame and no decision of theirs.
    """

    stamp: str
    profile: str
    sequence: int
    records: int
    unreadable: int
    anonymous: int
    ahead: int
    tables: tuple[TableReport, ...]
    seconds: float
    reused: bool = False
    until_us: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """For a person: what each view holds, and what was left out."""
        told = [f"features  {'reused' if self.reused else 'built'} {self.stamp}, up to record {self.sequence:,}"]
        for table in self.tables:
            match = "" if table.match_rate is None else f", {table.match_rate:.0%} of the customers matched"
            told.append(f"features  {table.view} ({table.source}): {table.rows:,} rows of {table.customers:,} customers{match}")
            told += [
                f"features  {table.view}.{name}: {count:,} values unknown" for name, count in table.unknown.items() if count
            ]
            told += [
                f"features  {table.view}.{name}: of {count:,} customers two files say different things"
                for name, count in table.conflicts.items()
            ]
            told += [f"features  {table.view}.{name}: left out, its licence is over" for name in table.expired]
            if table.undated:
                told.append(f"features  {table.view}: left out {table.undated:,} rows without a date")
        told += [f"features  {name}: withheld of {count:,} customers who do not agree" for name, count in self.refused.items()]
        if self.unreadable or self.anonymous:
            told.append(f"features  left out: {self.unreadable:,} unreadable records, {self.anonymous:,} of no customer")
        return told


def profile_stamp(spec: ProfileSpec, time_zone: str) -> str:
    """The hash of what a stored number means: the profile, the brand's time zone and the code that computes it."""
    here = Path(__file__).parent
    digest = hashlib.sha256(repr((spec, time_zone)).encode())
    for name in _CODE:
        digest.update((here / name).read_bytes())
    return digest.hexdigest()[:16]


def build_stamp(profile: str, sequence: int, files: Mapping[str, Path]) -> str:
    """The hash of everything a build is made from. `files` are the third-party files by name."""
    digest = hashlib.sha256(f"{profile} {sequence}".encode())
    for name, file in sorted(files.items()):
        digest.update(name.encode())
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:16]


def current(folder: Path) -> BuildReport | None:
    """The build in use; None where there is none, or none that is whole."""
    try:
        stamp = (folder / "current").read_text(encoding="utf-8").strip()
        report = msgspec.json.decode((folder / stamp / REPORT).read_bytes(), type=BuildReport)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None
    return report if all(_is_whole(table_file(folder, stamp, table.view)) for table in report.tables) else None


def table_file(folder: Path, stamp: str, view: str) -> Path:
    return folder / stamp / f"{view}.parquet"


def _is_whole(table: Path) -> bool:
    """Whether a parquet file is there to its last bytes, which are written last."""
    try:
        with table.open("rb") as opened:
            opened.seek(-len(_LAST_BYTES), os.SEEK_END)
            return opened.read() == _LAST_BYTES
    except OSError:
        return False


@contextmanager
def writing(folder: Path, stamp: str) -> Iterator[Path]:
    """A folder to write a build's files in. It becomes the build `stamp` when the block ends well, else it goes away."""
    folder.mkdir(parents=True, exist_ok=True)
    clear_left(folder, _PARTIAL)
    # an erasure in a process that builds writes a build of its own meanwhile
    partial = folder / f"{_PARTIAL}{token_hex(4)}-{os.getpid()}"
    _mine.add(partial)
    partial.mkdir()
    try:
        yield partial
        target = folder / stamp
        if target.exists():
            shutil.rmtree(target)  # it is not current, or it would have been reused
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        _mine.discard(partial)


def written(folder: Path, report: BuildReport) -> tuple[str, int]:
    """Tells a build from every other, also from one that was written again under the same stamp."""
    return report.stamp, (folder / report.stamp).stat().st_ino


def partials(folder: Path) -> list[Path]:
    """The folders that builds are being written in, or were when their process died."""
    return [partial for partial in folder.glob(f"{_PARTIAL}*") if partial.is_dir()]


def switch(folder: Path, report: BuildReport) -> None:
    """Make a build the current one, atomically; of the others keep the one before it."""
    before = current(folder)
    pointer = folder / f"{_PARTIAL}current-{os.getpid()}"
    pointer.write_text(f"{report.stamp}\n", encoding="utf-8")
    os.replace(pointer, folder / "current")
    keep = {report.stamp, before.stamp if before else ""}
    for other in folder.iterdir():
        if other.is_dir() and other.name not in keep and not other.name.startswith(_PARTIAL):
            shutil.rmtree(other, ignore_errors=True)


def clear(folder: Path, *, keep: str | None = None) -> None:
    """Remove all builds but one, whole ones and what interrupted ones left."""
    if not folder.is_dir():
        return
    clear_left(folder, _PARTIAL)
    for other in folder.iterdir():
        if other.is_dir() and other.name != keep and not other.name.startswith(_PARTIAL):
            shutil.rmtree(other)


def clear_left(folder: Path, prefix: str) -> None:
    """Remove what this process, or one that is gone, left behind: files and folders named `prefix` and a process id."""
    for partial in folder.glob(f"{prefix}*"):
        process = partial.name.rsplit("-", 1)[-1]
        if partial not in _mine and process.isdigit() and (int(process) == os.getpid() or not _alive(int(process))):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
