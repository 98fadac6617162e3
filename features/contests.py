"""Which data were contested, and since when that was known: training may read only what a decision of then might have read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.join import NEVER
from features.known import Known
from features.log.forms import ContestForm

FILE = "contests.parquet"
"""Beside the tables of a build."""

_SCHEMA = {"customer_id": pl.String, "feature": pl.String, "contested": pl.Boolean, "known": pl.Int64}
_WHOSE = ["customer_id", "feature"]


def of(columns: Mapping[str, Sequence[Any]], known: Known) -> pl.DataFrame:
    """customer_id, feature, contested, known (microseconds): what held for each customer from a moment on.

    `columns` are those of `Log.columns`, of contests. Of words the one said last holds, of two said at once the one that is
    not settled. When ids become known as one customer what any of them said counts; when they part each has its own again.
    """
    said = [msgspec.json.decode(payload, type=ContestForm) for payload in columns["payload"]]
    spread = known.spread(columns["customer_id"], np.array(columns["known_us"], dtype=np.int64))
    words = pl.DataFrame(
        {
            "customer_id": pl.Series(spread.names, dtype=pl.String),
            "feature": pl.Series([said[at].feature for at in spread.rows], dtype=pl.String),
            # of all that is known by then the greatest is the last word; an odd one contests
            "word": pl.Series([columns["event_us"][at] * 2 + (not said[at].settled) for at in spread.rows], dtype=pl.Int64),
            "known": spread.moment_us,
            "epoch": spread.epochs,
            "end": spread.end_us,
        }
    ).sort("known", maintain_order=True)
    held = words.with_columns(contested=(pl.col("word").cum_max().over(*_WHOSE, "epoch") % 2) == 1)
    ended = words.filter(pl.col("end") != NEVER).select(*_WHOSE, contested=False, known="end").unique(maintain_order=True)
    made = pl.concat([ended.select(*_SCHEMA), held.select(*_SCHEMA)]).sort("known", maintain_order=True)
    return made.unique([*_WHOSE, "known"], keep="last", maintain_order=True)


def contested(file: Path, asked: pl.DataFrame, features: Sequence[str]) -> NDArray[np.bool_]:
    """(n, F): which of these features each row of `asked` (customer_id, at) contested, by what was known before `at`."""
    words = pl.read_parquet(file).sort("known")
    rows = asked.select("customer_id", known=pl.col("at").cast(pl.Int64) - 1).with_row_index("row").sort("known")
    found = np.zeros((asked.height, len(features)), dtype=np.bool_)
    for at, feature in enumerate(features):
        said = words.filter(pl.col("feature") == feature).select("customer_id", "contested", "known")
        if not said.is_empty():
            holds = rows.join_asof(said, on="known", by="customer_id", check_sortedness=False).sort("row")
            found[:, at] = holds["contested"].fill_null(False).to_numpy()
    return found
