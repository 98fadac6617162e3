"""`kairos ingest`: files of messages, or of a brand's own exports, into the log. Good rows are kept, bad rows told.

Every row has a message id, and is appended in the order of its file: whatever is interrupted, a second run appends what
the first did not, and nothing twice.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from features.hearing import CurrentReading, Hearing
from features.ingest_files import CsvFile, IngestError, NdjsonFile, Row, RowFile
from features.ingest_mapping import FileMapping, MappedReader
from features.ingest_parquet import ParquetFile
from features.ingest_segment import SegmentReader
from features.log import Log, Record
from features.quarantine import Quarantine, Refused, quarantine
from features.workspace import Workspace, in_force
from features.yaml_nodes import WorkspaceError

BATCH_RECORDS = 2_000
BATCH_BYTES = 4_000_000
"""A batch is appended in one commit when it has either."""

_FILE = "ingest.yaml"
_MESSAGES = (".ndjson", ".jsonl")
_TABLES = (".csv", ".tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of the rows of one file. A row can be several records; `refused` counts rows by reason.

    `known` says when its records count as known, `unused` the columns that the mapping does not name, `quarantine` where
    the refused rows are.
    """

    file: str
    rows: int
    new: int
    already_there: int
    known: str
    refused: Mapping[str, int] = field(default_factory=dict)
    quarantine: str | None = None
    unused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    files: tuple[FileReport, ...]

    def lines(self) -> list[str]:
        """For a person."""
        told = []
        for one in self.files:
            told.append(f"ingest  {one.file}: {one.rows:,} rows, {one.new:,} records new, {one.already_there:,} already there")
            told.append(f"ingest  {one.file}: known {one.known}")
            if one.unused:
                told.append(f"ingest  {one.file}: columns that the mapping does not name: {', '.join(one.unused)}")
            if one.refused:
                reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(one.refused.items()))
                told.append(f"ingest  {one.file}: {sum(one.refused.values()):,} rows refused ({reasons}), see {one.quarantine}")
        return told


class _Reader(Protocol):
    @property
    def known(self) -> str: ...

    def records(self, row: Any, /) -> tuple[Record, ...]: ...


def ingest(
    workspace: Workspace,
    log: Log,
    files: Sequence[Path],
    *,
    now: datetime,
    mapping: str | None = None,
    progress: Callable[[str, float], None] = lambda doing, share: None,
) -> IngestReport:
    """Append what the files hold, file by file; refused rows go to `<data>/quarantine/<file>-<hash>.ndjson`.

    NDJSON (.ndjson, .jsonl) holds Segment messages. CSV (.csv, .tsv) and Parquet are read by the `mapping` of that name in
    the workspace's ingest.yaml. Text may be gzipped (.gz). `now` is the engine's time. `progress` gets a file's name and
    the share of its bytes.

    Raises IngestError or WorkspaceError with every fault of every file and of ingest.yaml before anything is appended;
    IngestError also for a file that proves damaged on the way: its rows up to there are appended.
    """
    mapped = None if mapping is None else _mapping(workspace, mapping)
    opened, faults = [], []
    for file in files:
        try:
            opened.append(_opened(workspace, file, mapping, mapped, now))
        except IngestError as error:
            faults.append(str(error))
    if faults:
        raise IngestError("\n".join(faults))
    scope = mapping or "messages"
    hear = Hearing(in_force(workspace, log).brand.words, CurrentReading(workspace.data / "models"))

    def append(records: Sequence[Record]) -> int:
        return sum(log.append(hear(records)))

    return IngestReport(files=tuple(_take_in(workspace, append, rows, reader, scope, progress) for rows, reader in opened))


def _mapping(workspace: Workspace, name: str) -> FileMapping:
    file = workspace.path / _FILE
    if not file.is_file():
        raise WorkspaceError([f"{file}: the file is missing; copy the form from examples/crm/{_FILE}"])
    kind: Any = Mapping[str, FileMapping]
    mappings: Mapping[str, FileMapping] = workspace.read(_FILE, kind)
    if name not in mappings:
        raise WorkspaceError([f"{file}: no mapping is named {name!r}; it has {', '.join(mappings) or 'none'}"])
    unknown = sorted(set(mappings[name].consents) - set(workspace.brand.purposes))
    if unknown:
        cure = f"brand.yaml has {', '.join(workspace.brand.purposes)}"
        raise WorkspaceError([f"{file}: {name}.consents: unknown purpose {', '.join(unknown)}; {cure}"])
    return mappings[name]


def _opened(
    workspace: Workspace, file: Path, name: str | None, mapping: FileMapping | None, now: datetime
) -> tuple[RowFile, _Reader]:
    if not file.is_file():
        raise IngestError(f"{file}: no such file; name files, not folders")
    kind = Path(file.stem).suffix if file.suffix == ".gz" else file.suffix
    try:
        if kind in _MESSAGES:
            return NdjsonFile(file), SegmentReader(now)
        if kind not in (*_TABLES, ".parquet"):
            known = ", ".join((*_MESSAGES, *_TABLES, ".parquet"))
            raise IngestError(f"{file}: the kind of file is not told by its name; it ends in {known}, text also in .gz")
        if mapping is None or name is None:
            raise IngestError(f"{file}: columns need a mapping; name one of {_FILE} with --mapping")
        reader = MappedReader(name, mapping, zone=workspace.brand.time_zone, now=now)
        if kind == ".parquet":
            return ParquetFile(file, mapping.columns), reader
        delimiter = "\t" if kind == ".tsv" else mapping.delimiter
        return CsvFile(file, mapping.columns, delimiter=delimiter, encoding=mapping.encoding), reader
    except OSError as error:
        raise IngestError(f"{file}: cannot be read ({error.strerror}); make it a file you may read") from error


def _take_in(
    workspace: Workspace,
    append: Callable[[Sequence[Record]], int],
    file: RowFile,
    reader: _Reader,
    scope: str,
    progress: Callable[[str, float], None],
) -> FileReport:
    """`append` tells how many of the records are new."""
    name = file.path.name
    progress(name, 0.0)
    target = workspace.data / "quarantine" / f"{name}-{_stamp(file.path, scope)}.ndjson"
    seen = new = total = 0
    with quarantine(target, file=name, delimiter=file.delimiter) as refused:
        for rows, records in _batches(file, reader, refused):
            seen += rows
            total += len(records)
            new += append(records) if records else 0
            progress(name, file.share)
    progress(name, 1.0)
    return FileReport(
        file=name,
        rows=seen,
        new=new,
        already_there=total - new,
        known=reader.known,
        refused={str(reason): count for reason, count in refused.counts.items()},
        quarantine=str(target) if refused.counts else None,
        unused=file.unused,
    )


def _batches(file: RowFile, reader: _Reader, refused: Quarantine) -> Iterator[tuple[int, list[Record]]]:
    """(rows seen, their records); rows at fault go to `refused`."""
    rows, size, batch = 0, 0, list[Record]()
    for row in file.rows():
        rows += 1
        records = _records(row, reader, refused)
        batch += records
        size += sum(len(record.payload) for record in records)
        if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES or rows >= BATCH_RECORDS:
            yield rows, batch
            rows, size, batch = 0, 0, []
    if rows:
        yield rows, batch


def _records(row: Row, reader: _Reader, refused: Quarantine) -> tuple[Record, ...]:
    try:
        if row.refused is not None:
            raise row.refused
        return reader.records(row.cells)
    except Refused as why:
        refused.add(row.line, row.raw, why)
        return ()


def _stamp(file: Path, scope: str) -> str:
    """The hash of a file's content and of what it was read as, 16 hex digits."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256")
    digest.update(scope.encode())
    return digest.hexdigest()[:16]
