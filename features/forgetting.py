"""The point-in-time tables without one customer: a build of its own, that takes the place of those that knew them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import msgspec
import polars as pl

from features import builds
from features.builds import FeatureStoreError


def forget(folder: Path, customer_ids: Sequence[str], *, since: int | None = None) -> int:
    """Write the current build again without a customer's ids, switch to it and remove all others; how many rows went.

    Whole or not at all. Where no table knows the customer the current build stays; older ones go, for they might. So does
    a build of the log from record `since` on, which never knew what was erased with that record.
    """
    report = builds.current(folder)
    if report is None:
        raise FeatureStoreError(f"{folder}: nothing is built yet; run 'kairos features build'")
    if since is not None and report.sequence >= since:
        builds.clear(folder, keep=report.stamp)
        return 0
    is_theirs = pl.col("customer_id").is_in(list(customer_ids))
    # the tables of the views, and what else a build keeps of each customer beside them
    files = {file.stem: file for file in sorted((folder / report.stamp).glob("*.parquet"))}
    counted = {name: pl.scan_parquet(file).filter(is_theirs).select(pl.len()).collect().item() for name, file in files.items()}
    if not any(counted.values()):
        builds.clear(folder, keep=report.stamp)
        return 0
    stamp = token_hex(8)  # not made of the customer's id: a stamp is kept, and could be guessed
    with builds.writing(folder, stamp) as partial:
        kept = {name: pl.read_parquet(file).filter(~is_theirs) for name, file in files.items()}
        for name, frame in kept.items():
            frame.write_parquet(partial / f"{name}.parquet")
        tables = [
            replace(table, rows=kept[table.view].height, customers=kept[table.view]["customer_id"].n_unique())
            for table in report.tables
        ]
        remade = replace(report, stamp=stamp, tables=tuple(tables))
        (partial / builds.REPORT).write_bytes(msgspec.json.encode(remade))
    builds.switch(folder, remade)
    builds.clear(folder, keep=stamp)
    return sum(counted.values())
