"""The newest rows of a table's file, as an online store takes them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from features.packed_rows import StoredRows
from features.tables import Table


def in_force(file: Path, until_us: int) -> pl.DataFrame:
    """The newest row of each customer in a table that was known and in effect by then; none where it says nothing."""
    # rows stand customer by customer, oldest first
    known = pl.read_parquet(file).filter(pl.col("event_timestamp").cast(pl.Int64) <= until_us)
    return _telling(known.unique("customer_id", keep="last", maintain_order=True))


def to_load(file: Path, until_us: int) -> pl.DataFrame:
    """The newest row in force of each customer, or the next to come: it waits in the store for its moment."""
    now = in_force(file, until_us)
    coming = pl.read_parquet(file).filter(pl.col("event_timestamp").cast(pl.Int64) > until_us)
    coming = _telling(coming).join(now, on="customer_id", how="anti", maintain_order="left")
    return pl.concat([now, coming.unique("customer_id", keep="first", maintain_order=True)])


def all_to_load(build: Path, tables: Sequence[Table], until_us: int) -> dict[str, StoredRows]:
    """The same of each view of a build, packed."""
    return {table.name: stored_rows(to_load(build / f"{table.name}.parquet", until_us), table.as_of) for table in tables}


def _telling(rows: pl.DataFrame) -> pl.DataFrame:
    # customer_id, event_timestamp, as of, and the values
    return rows.filter(~pl.all_horizontal(pl.col(rows.columns[3:]).is_null()))


def stored_rows(frame: pl.DataFrame, as_of: str) -> StoredRows:
    values = frame.drop("customer_id", "event_timestamp", as_of).fill_null(np.nan).to_numpy()
    known_us = frame["event_timestamp"].dt.epoch("us").to_numpy()
    return StoredRows(frame["customer_id"].to_list(), values, frame[as_of].to_numpy(), known_us)
