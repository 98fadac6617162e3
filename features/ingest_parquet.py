"""Parquet files that `kairos ingest` reads, in batches of rows."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from features.ingest_files import IngestError, Row, check_columns
from features.quarantine import Refused

BATCH_ROWS = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class ParquetFile:
    """`wanted` are the columns to read; a time with a zone comes as aware UTC, one without as naive.

    Raises IngestError where the file is half-written or no Parquet, names a column twice, or lacks one that is wanted.
    """

    delimiter: str | None = None

    def __init__(self, path: Path, wanted: Iterable[str]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self.path, self._rows, self._done = path, 0, 0
        self._wanted = list(wanted)
        if path.stat().st_size == 0:
            raise IngestError(f"{path}: the file is empty; export it again, or leave it out")
        try:
            with parquet.ParquetFile(path) as file:
                names, self._rows = file.schema_arrow.names, file.metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise IngestError(f"{path}: half-written, or no Parquet ({error}); write or fetch the whole file again") from error
        check_columns(path, names, self._wanted)
        self.unused = tuple(name for name in names if name not in self._wanted)

    @property
    def share(self) -> float:
        return self._done / max(self._rows, 1)

    def rows(self) -> Iterator[Row]:
        import pyarrow as pa
        from pyarrow import parquet

        self._done = 0
        try:
            with parquet.ParquetFile(self.path, pre_buffer=False) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=self._wanted, use_threads=False):
                    columns = {name: list(_cells(batch.column(name))) for name in self._wanted}
                    for at in range(batch.num_rows):
                        self._done += 1
                        yield _row(self._done, {name: cells[at] for name, cells in columns.items()})
        except (pa.ArrowException, OSError) as error:
            cause = f"damaged after row {self._done:,} ({error}); fetch it again: what was taken in is not added twice"
            raise IngestError(f"{self.path}: {cause}") from error


class _Unreadable(str):
    """What stands in a cell that has no value in Python, in words."""

    __slots__ = ()


def _row(line: int, cells: dict[str, Any]) -> Row:
    for name, cell in cells.items():
        if isinstance(cell, _Unreadable):
            return Row(line, cells, refused=Refused("wrong_type", f"{name}: {cell}"))
    return Row(line, cells, cells)


def _cells(column: Any) -> Iterator[Any]:
    """The values of an Arrow array, one by one: a value that Python cannot hold spoils its own row only."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        unit, zoned = _PER_SECOND[kind.unit], kind.tz is not None
        for count in column.cast(pa.int64()).to_pylist():
            yield None if count is None else _moment(count * 1_000_000 // unit, zoned)
    elif pa.types.is_date32(kind):
        for count in column.cast(pa.int32()).to_pylist():
            yield None if count is None else _day(count)
    else:
        for cell in column:
            try:
                yield cell.as_py()
            except (ValueError, OverflowError) as error:
                yield _Unreadable(error)


def _moment(microseconds: int, zoned: bool) -> datetime | _Unreadable:
    try:
        moment = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return _Unreadable(f"{microseconds} microseconds since 1970 is no time")
    return moment if zoned else moment.replace(tzinfo=None)


def _day(days: int) -> date | _Unreadable:
    try:
        return _EPOCH.date() + timedelta(days=days)
    except OverflowError:
        return _Unreadable(f"{days} days since 1970 is no date")
