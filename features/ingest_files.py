"""The files that `kairos ingest` reads, row by row: text in lines, CSV by its header, Parquet by its columns.

No file is ever held whole: a row of text has at most `MAX_ROW_BYTES`, Parquet comes in batches of rows.
"""

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from decisioning.errors import KairosError
from features.quarantine import SHOWN_BYTES, Refused

MAX_ROW_BYTES = 262_144
"""Eight times what the Segment spec allows a message."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class IngestError(KairosError):
    """A file that cannot be taken in, one line a fault: `file: cause; cure`."""


@dataclass(frozen=True, slots=True)
class Row:
    """`line` counts from 1 (the row, in Parquet). `raw` is what stood there; `cells` what was read of it, unless refused.

    `cells` is the line itself in NDJSON, elsewhere the values by column.
    """

    line: int
    raw: bytes | Mapping[str, Any]
    cells: Any = None
    refused: Refused | None = None


class RowFile(Protocol):
    """A file of rows. `unused` are columns that nobody asked for; `delimiter` parts cells of text, where there are any."""

    path: Path
    unused: tuple[str, ...]
    delimiter: str | None

    @property
    def share(self) -> float:
        """How much of the file is read, 0 to 1; to be asked between two rows."""
        ...

    def rows(self) -> Iterator[Row]: ...


class NdjsonFile:
    """A JSON message a line, plain or gzipped. Empty lines say nothing."""

    unused: tuple[str, ...] = ()
    delimiter: str | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: _Lines | None = None
        with _opened(path) as lines:
            if next(lines, None) is None:
                raise IngestError(f"{path}: the file is empty; export it again, or leave it out")

    @property
    def share(self) -> float:
        return self._lines.share if self._lines else 0.0

    def rows(self) -> Iterator[Row]:
        with _opened(self.path) as self._lines:
            for number, (raw, size) in enumerate(self._lines, 1):
                if number == 1:
                    raw = raw.removeprefix(_BYTE_ORDER_MARK)
                if size > MAX_ROW_BYTES:
                    yield Row(number, raw[:SHOWN_BYTES], refused=_oversized(size))
                elif line := raw.strip():
                    yield Row(number, line, line)


class CsvFile:
    """Lines under a header, plain or gzipped. `wanted` are the columns to read.

    Raises IngestError where the header is missing, names a column twice, or lacks one that is wanted.
    """

    def __init__(self, path: Path, wanted: Iterable[str], *, delimiter: str, encoding: str) -> None:
        self.path = path
        self._lines: _Lines | None = None
        self.delimiter: str | None = delimiter
        self._encoding = encoding
        with _opened(path) as lines:
            rows = _Records(lines, encoding)
            try:
                header = next(csv.reader(rows, delimiter=delimiter, strict=True), None)
            except (Refused, csv.Error) as error:
                raise IngestError(f"{path}: the header cannot be read ({error}); save the file as {encoding} CSV") from error
        if not header:
            raise IngestError(f"{path}: the file is empty; export it again with its header")
        self._header = [name.strip() for name in header]
        wanted = tuple(wanted)
        hint = f" (the header reads as {len(header)} column: is {delimiter!r} the delimiter?)" if len(header) == 1 else ""
        check_columns(path, self._header, wanted, hint)
        self._at = {name: self._header.index(name) for name in wanted}
        self.unused = tuple(name for name in self._header if name and name not in self._at)

    @property
    def share(self) -> float:
        return self._lines.share if self._lines else 0.0

    def rows(self) -> Iterator[Row]:
        with _opened(self.path) as self._lines:
            records = _Records(self._lines, self._encoding)
            reader = csv.reader(records, delimiter=self.delimiter or ",", strict=True)
            next(reader)
            while True:
                records.begin()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    too_long = len(records.raw) > csv.field_size_limit()
                    why = _oversized(len(records.raw)) if too_long else Refused("not_csv", f"{error}; check its quotes")
                    yield Row(records.first, records.raw[:SHOWN_BYTES], refused=why)
                    continue
                except Refused as refused:
                    yield Row(records.first, records.raw[:SHOWN_BYTES], refused=refused)
                    continue
                if not cells:
                    continue
                if len(cells) != len(self._header):
                    cause = f"{len(cells)} cells under a header of {len(self._header)}; check delimiters and quotes"
                    yield Row(records.first, records.raw, refused=Refused("not_csv", cause))
                    continue
                yield Row(records.first, records.raw, {name: cells[at].strip() for name, at in self._at.items()})


class _Records:
    """Decoded lines for the csv module; remembers those of the row at hand. An error of a line is the row's, not the file's."""

    def __init__(self, lines: "_Lines", encoding: str) -> None:
        self._lines, self._encoding, self._number = lines, encoding, 0
        self.first, self.raw = 1, b""

    def begin(self) -> None:
        self.first, self.raw = self._number + 1, b""

    def __iter__(self) -> "_Records":
        return self

    def __next__(self) -> str:
        line, size = next(self._lines)
        self._number += 1
        if self._number == 1 and self._encoding == "utf-8":
            line = line.removeprefix(_BYTE_ORDER_MARK)
        self.raw += line
        # a quote that is never closed makes one row of all that follows
        if size > MAX_ROW_BYTES or len(self.raw) > MAX_ROW_BYTES:
            raise _oversized(max(size, len(self.raw)))
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError as error:
            cause = f"byte {error.start} of the line is not {self._encoding}; export it so, or set `encoding` in the mapping"
            raise Refused("not_utf8", cause) from error


class _Lines:
    """(line, its true size) of a stream; an oversized line is cut short. `share` of the stream's file that is read."""

    def __init__(self, stream: Any, raw: BinaryIO, path: Path) -> None:
        self._stream, self._raw, self._path = stream, raw, path
        self._size = max(path.stat().st_size, 1)

    @property
    def share(self) -> float:
        return 1.0 if self._raw.closed else min(self._raw.tell() / self._size, 1.0)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> tuple[bytes, int]:
        line = self._line()
        if not line:
            raise StopIteration
        size, end = len(line), line
        while len(end) > MAX_ROW_BYTES and not end.endswith(b"\n"):
            end = self._line()
            size += len(end)
        return line, size

    def _line(self) -> bytes:
        try:
            return self._stream.readline(MAX_ROW_BYTES + 1)  # type: ignore[no-any-return]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            cause = (
                "its compressed data end too early or are damaged; fetch the file again: what was taken in is not added twice"
            )
            raise IngestError(f"{self._path}: {cause}") from error


@contextmanager
def _opened(path: Path) -> Iterator[_Lines]:
    with path.open("rb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=raw) as unzipped, io.BufferedReader(unzipped) as stream:
                yield _Lines(stream, raw, path)
        else:
            yield _Lines(raw, raw, path)


def _oversized(size: int) -> Refused:
    cause = f"{size:,} bytes; a row has at most {MAX_ROW_BYTES:,}, a cell of CSV half of that: split it, or close its quote"
    return Refused("oversized", cause)


def check_columns(path: Path, header: Iterable[str], wanted: Iterable[str], hint: str = "") -> None:
    header = list(header)
    faults = [
        f"{path}: the column {name!r} is there {count} times; rename or drop all but one"
        for name, count in Counter(header).items()
        if count > 1 and name
    ]
    for name in wanted:
        if name not in header:
            close = get_close_matches(name, header, n=1)
            cure = f"is it {close[0]!r} now?" if close else f"it has {', '.join(map(repr, header))}{hint};"
            faults.append(f"{path}: the column {name!r} of the mapping is missing; {cure} change ingest.yaml or the export")
    if faults:
        raise IngestError("\n".join(faults))
