"""Who had agreed to what, and when it was known: training may read only what a decision of that moment might have read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from decisioning.policy import Purpose

FILE = "consents.parquet"
"""Beside the tables of a build."""

_SCHEMA = {"customer_id": pl.String, "purpose": pl.String, "granted": pl.Boolean, "known": pl.Int64}


def of(columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """customer_id, purpose, granted, known (microseconds): the consent records of a log, the last of equal times kept."""
    rows = []
    for who, known, payload in zip(columns["customer_id"], columns["known_us"], columns["payload"], strict=True):
        body = msgspec.json.decode(payload)
        rows.append((who, body["purpose"], bool(body["granted"]), known))
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("known", maintain_order=True)
    return frame.unique(["customer_id", "purpose", "known"], keep="last", maintain_order=True)


def refused(consents: pl.DataFrame, purposes: Mapping[str, Purpose], customers: Sequence[str]) -> dict[str, int]:
    """How many of these customers do not agree, after everything that is known; purposes that all agree to are left out."""
    last = consents.filter(pl.col("customer_id").is_in(list(customers))).unique(
        ["customer_id", "purpose"], keep="last", maintain_order=True
    )
    counts = {}
    for name, purpose in purposes.items():
        said = last.filter(pl.col("purpose") == name)
        silent = 0 if purpose.default else len(customers) - said.height
        counts[name] = silent + said.filter(~pl.col("granted")).height
    return {name: count for name, count in counts.items() if count}


def granted(file: Path, asked: pl.DataFrame, purpose: str, purposes: Mapping[str, Purpose]) -> NDArray[np.bool_]:
    """(n,): whether each row of `asked` (customer_id, at) agreed, by what was known before `at`.

    The brand's default holds for those who said nothing; a purpose that the brand does not ask for nobody agreed to.
    """
    if purpose not in purposes:
        return np.zeros(asked.height, dtype=np.bool_)
    said = pl.read_parquet(file).filter(pl.col("purpose") == purpose).select("customer_id", "granted", "known").sort("known")
    rows = asked.select("customer_id", known=pl.col("at").cast(pl.Int64) - 1).with_row_index("row").sort("known")
    found = rows.join_asof(said, on="known", by="customer_id", check_sortedness=False).sort("row")
    return found["granted"].fill_null(purposes[purpose].default).to_numpy()
