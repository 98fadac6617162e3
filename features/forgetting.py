"""The point-in-time tables without one customer: a build of its own, that takes the place of those that knew them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import msgspec
import polars as pl

from features import builds, identities, under_way
from features.builds import BuildReport, FeatureStoreError


def forget(folder: Path, customer_ids: Sequence[str], *, since: int | None = None) -> int:
    """Write the current build again without a customer's ids, switch to it and remove all others; how many rows went.

    Whole or not at all. Where no table knows the customer the current build stays; older ones go, for they might. So does
    a build of the log from record `since` on, which never knew what was erased with that record.

    Somebody else whom one of the ids once meant has no values for as long as it did: what it brought is in all of them. Where
    the build still takes the id for theirs, they are known again with the next one.
    """
    report = builds.current(folder)
    if report is None:
        raise FeatureStoreError(f"{folder}: nothing is built yet; run 'kairos features build'")
    if since is not None and report.sequence >= since:
        builds.clear(folder, keep=report.stamp)
        return 0
    is_theirs = pl.col("customer_id").is_in(list(customer_ids))
    files = _files(folder / report.stamp)
    counted = {name: pl.scan_parquet(file).filter(is_theirs).select(pl.len()).collect().item() for name, file in files.items()}
    if not any(counted.values()):
        builds.clear(folder, keep=report.stamp)
        return 0
    stamp = token_hex(8)  # not made of the customer's id: a stamp is kept, and could be guessed
    with builds.writing(folder, stamp) as partial:
        remade = _written(_kept(files, customer_ids), partial, replace(report, stamp=stamp))
    builds.switch(folder, remade)
    builds.clear(folder, keep=stamp)
    return sum(counted.values())


def caught_up(partial: Path, report: BuildReport) -> BuildReport:
    """Write the tables of a build under way again without whoever was erased since it began; its report after that.

    Only inside `under_way.alone`, which the switch to this build is inside of too.
    """
    erased = under_way.told(partial, after=report.sequence)
    return _written(_kept(_files(partial), erased), partial, report) if erased else report


def _files(build: Path) -> dict[str, Path]:
    """The tables of the views, and what else a build keeps of each customer beside them."""
    return {file.stem: file for file in sorted(build.glob("*.parquet"))}


def _kept(files: Mapping[str, Path], customer_ids: Collection[str]) -> dict[str, pl.DataFrame]:
    ids = list(customer_ids)
    is_theirs = pl.col("customer_id").is_in(ids)
    kept = {name: pl.read_parquet(file).filter(~is_theirs) for name, file in files.items()}
    if (meant := Path(identities.FILE).stem) in kept:
        mixed = identities.mixed(pl.read_parquet(files[meant]), ids)
        # of other people's ids, too, that once meant them
        kept[meant] = kept[meant].filter(~pl.col("name").is_in(ids))
        kept = {name: identities.without(frame, mixed, f"{name}_as_of") for name, frame in kept.items()}
    return kept


def _written(kept: Mapping[str, pl.DataFrame], partial: Path, report: BuildReport) -> BuildReport:
    for name, frame in kept.items():
        frame.write_parquet(partial / f"{name}.parquet")
    tables = [
        replace(table, rows=kept[table.view].height, customers=kept[table.view]["customer_id"].n_unique())
        for table in report.tables
    ]
    remade = replace(report, tables=tuple(tables))
    (partial / builds.REPORT).write_bytes(msgspec.json.encode(remade))
    return remade
