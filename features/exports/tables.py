"""Tables written row by row: CSV, NDJSON or Parquet, as the name of the file ends."""

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from decisioning.errors import KairosError
from features.exports.whole import whole_file

Row = Mapping[str, str | float | int | None]
Append = Callable[[Row], None]
Columns = Mapping[str, type[str] | type[float] | type[int]]

_BATCH = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@contextmanager
def table(out: Path, columns: Columns) -> Iterator[Append]:
    """Takes rows with exactly these columns; the file is there once all are in. Raises KairosError for another ending."""
    writers = {".csv": _csv, ".ndjson": _ndjson, ".parquet": _parquet}
    if out.suffix not in writers:
        raise KairosError(f"{out}: name a file that ends in {', '.join(writers)}")
    with whole_file(out) as place, writers[out.suffix](place, columns) as append:
        yield append


def harmless(cell: object) -> object:
    """A cell of CSV that no spreadsheet takes for a formula: text that begins like one gets an apostrophe before it (OWASP)."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


@contextmanager
def _csv(place: Path, columns: Columns) -> Iterator[Append]:
    with place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        yield lambda row: writer.writerow([harmless(row[name]) for name in columns])


@contextmanager
def _ndjson(place: Path, columns: Columns) -> Iterator[Append]:
    encoder = msgspec.json.Encoder()
    with place.open("wb") as file:

        def append(row: Row) -> None:
            file.write(encoder.encode({name: row[name] for name in columns}) + b"\n")

        yield append


@contextmanager
def _parquet(place: Path, columns: Columns) -> Iterator[Append]:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {str: pa.string(), float: pa.float64(), int: pa.int64()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    held: list[Row] = []
    with parquet.ParquetWriter(place, schema) as file:

        def flush() -> None:
            file.write_table(pa.table({name: [row[name] for row in held] for name in columns}, schema=schema))
            held.clear()

        def append(row: Row) -> None:
            held.append(row)
            if len(held) == _BATCH:
                flush()

        yield append
        flush()


def beside(out: Path, what: str) -> Path:
    """Where a second table of an export lies: extract.csv -> extract-what.csv."""
    return out.with_name(f"{out.stem}-{what}{out.suffix}")
