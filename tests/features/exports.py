"""Exports of a brand's sales, and the mapping that takes them in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from features.ingest import FileReport, ingest
from features.log import Log
from features.workspace import Workspace
from tests.features import worlds

NOW = datetime(2018, 1, 1, 14, tzinfo=UTC)

MAPPINGS = """
sales:
  kind: track
  customer: who
  time: {column: at}
  message_id: [id]
  event: Order Completed
  properties: {total: {column: total, type: number}}
"""


def brand(folder: Path) -> Workspace:
    made = worlds.workspace(folder)
    (made.path / "ingest.yaml").write_text(MAPPINGS, encoding="utf-8")
    return made


def sales(place: Workspace, log: Log, file: Path, mapping: str = "sales") -> FileReport:
    return ingest(place, log, [file], now=NOW, mapping=mapping).files[0]


def written(folder: Path, text: str | bytes, name: str = "sales.csv") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def table(folder: Path, **columns: Any) -> Path:
    file = folder / "sales.parquet"
    parquet.write_table(pa.table(columns), file)
    return file
