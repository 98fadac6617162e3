"""The offline store: build the tables from the log, join them to labels right in time, load the online store from them."""

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from features import (
    aligned,
    builds,
    consents,
    contests,
    feast_door,
    forgetting,
    identities,
    population,
    quality,
    quality_report,
    third_party,
    traits,
    under_way,
)
from features.builds import BuildReport, FeatureStoreError
from features.facts import KINDS
from features.history import History, history
from features.known import Known
from features.log import Log
from features.log.records import EARLIEST, LATEST, moment
from features.packed_rows import StoredRows
from features.projector import Projector
from features.quality import Quality, QualityError
from features.snapshot import snapshot
from features.stores import open_store
from features.table_files import write_tables
from features.table_rows import all_to_load, in_force, stored_rows
from features.withheld import withhold
from features.workspace import Workspace

Progress = Callable[[str, float], None]
"""Told the step under way and the share of the whole that is done, 0 to 1."""

ONLINE = "online.db"
"""The file of the online store, in the workspace's data."""
QUALITY = "quality"
"""The folder of the reports on what is built, in the workspace's data."""

_JUST_BEFORE = pl.duration(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterializeReport:
    """`rows` by view; `projected` records came after the build and were folded in on top, up to record `cursor`.

    `reused`: the store held this build already, only what came after was folded in.
    """

    stamp: str
    rows: Mapping[str, int]
    projected: int
    cursor: int
    seconds: float
    reused: bool = False

    def lines(self) -> list[str]:
        rows = ", ".join(f"{view} {count:,}" for view, count in self.rows.items())
        what = "reused" if self.reused else f"loaded in {self.seconds:.1f} s"
        return [f"online    {what}: {rows} profiles; {self.projected:,} later records folded in"]


def build(workspace: Workspace, log: Log, progress: Progress | None = None, *, accept: bool = False) -> BuildReport:
    """Make the point-in-time tables of all views from the log and the third-party files, and tell Feast of them.

    A row a customer and moment at which a view's values became known and effective. Reused when neither profile.yaml, the
    log, the files nor this code changed. Whole or not at all: until it is done the last build stays in use.

    A build that breaks a bound of profile.yaml is not used, unless the changed world is taken as it is with `accept`; the
    report on its quality is written in either case (see `quality_report`). Who is erased meanwhile is not in it.

    Raises FeatureStoreError where a third-party file is missing or unfit, QualityError where a bound is broken.
    """
    began, told = time.perf_counter(), progress or _untold
    spec, zone, folder = workspace.profile, workspace.brand.time_zone, _folder(workspace)
    files = third_party.files(spec, workspace.path, workspace.data)
    profile, sequence = builds.profile_stamp(spec, zone), log.last_sequence()
    stamp = builds.build_stamp(profile, sequence, files)
    last = builds.current(folder)
    if last is not None and last.stamp == stamp:
        _published(workspace, folder / stamp)
        feast_door.register(workspace, stamp)
        told("features are built", 1.0)
        return replace(last, reused=True, seconds=time.perf_counter() - began)

    with ExitStack() as switching:
        # before the log is read: who is erased from now on is noted here
        with builds.writing(folder, stamp) as partial:
            told("reading the log", 0.0)
            columns = _until(log.columns(kinds=KINDS), sequence)
            known = Known(log.links(until=sequence))
            past = history(columns, spec, zone, lambda share: told("folding the history", 0.15 + 0.6 * share), known)
            until_us = max(chain(columns["known_us"], (link.known_us for link in known.links)), default=0)
            agreed = consents.of(_until(log.columns(kinds=("consent",)), sequence), known)
            contested = contests.of(_until(log.columns(kinds=("contest",)), sequence), known)
            told("writing the tables", 0.75)
            report = BuildReport(
                stamp=stamp,
                profile=profile,
                sequence=sequence,
                records=len(columns["sequence"]),
                unreadable=past.unreadable,
                anonymous=past.anonymous,
                ahead=past.ahead,
                tables=write_tables(
                    workspace, past, traits.told(columns, spec.matches, known), known, files, until_us, partial
                ),
                until_us=until_us,
                refused=consents.refused(agreed, workspace.brand.purposes, sorted(past.customers)),
                seconds=time.perf_counter() - began,
            )
            agreed.write_parquet(partial / consents.FILE)
            contested.write_parquet(partial / contests.FILE)
            identities.of(known).write_parquet(partial / identities.FILE)
            (partial / builds.REPORT).write_bytes(msgspec.json.encode(report))
            told("judging the tables", 0.8)
            found = _judged(workspace, report, past, partial)
            if found.faults and not accept:
                page = quality_report.write(workspace.data / QUALITY, found, quality_report.REFUSED)
                raise QualityError(
                    f"{'; '.join(found.faults)}. The build is not used, the last good one is; see {page}. Mend the data or the "
                    "bound in profile.yaml, or take the world as it is with 'kairos features build --accept'"
                )
            quality_report.keep(partial, found)
            switching.enter_context(under_way.alone(folder))
            report = forgetting.caught_up(partial, report)
        builds.switch(folder, report)
        _published(workspace, folder / stamp)
    told("telling Feast", 0.85)
    feast_door.register(workspace, stamp)
    told("features are built", 1.0)
    return replace(report, seconds=time.perf_counter() - began)


def training_frame(workspace: Workspace, labels: pl.DataFrame, features: Sequence[str] | None = None) -> pl.DataFrame:
    """The labels, same rows in the same order, with a Float32 column a feature: what serving would have seen at `at`.

    `labels` has customer_id (String) and at (Datetime with a time zone) beside whatever else; rows may repeat. `features`
    are names of the profile's index, all of them by default. Values are aged to `at`, null where missing, where a column's
    licence is over, and where the customer had not agreed to their purpose or contested them, as far as was known then. A
    record that became known at the very moment `at` is not in them: what is decided or measured from then on must not see
    itself. Any id of a customer gives the row of that customer, as known then.

    Raises FeatureStoreError where nothing is built, the profile changed since, a feature is unknown or labels are unfit.
    """
    index = workspace.profile.index
    if not isinstance(labels, pl.DataFrame) or isinstance(features, str):
        raise FeatureStoreError("labels are a DataFrame of Polars, and features a list of names")
    names = tuple(feature.name for feature in index.features) if features is None else tuple(features)
    _check(labels, names, index.positions)
    report = _current(workspace)
    moments = labels.select(pl.col("customer_id"), pl.col("at").dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC")))
    folder = _folder(workspace) / report.stamp
    asked = identities.named(moments, pl.read_parquet(folder / identities.FILE)).with_row_index("label")
    stored = workspace.profile.reads(names)
    joined = feast_door.join(
        workspace, report.stamp, asked.select("label", "customer_id", event_timestamp=pl.col("at") - _JUST_BEFORE), stored
    )
    if not joined["label"].equals(asked["label"]):
        raise FeatureStoreError(f"Feast returned {joined.height} rows for {asked.height} labels, or other ones")
    values = aligned.aged(workspace.profile, joined, asked["at"].cast(pl.Int64).to_numpy())
    withhold(values, index=index, purposes=workspace.brand.purposes, names=names, asked=asked, build=folder)
    known = pl.DataFrame({name: values[:, index.positions[name]] for name in names}).with_columns(pl.all().fill_nan(None))
    made = labels.hstack(known.get_columns()) if names else labels
    assert made.height == labels.height
    return made


def materialize(workspace: Workspace, log: Log, progress: Progress | None = None) -> MaterializeReport:
    """Load the online store from the tables of the current build, in one transaction, then fold in what came after it.

    A server that is running sees the old rows until the new ones are there. Who is erased meanwhile is not among them; the
    erasure waits while the store takes the rows, and no longer.

    Raises FeatureStoreError where nothing is built or the profile changed since, StoreError where the store is none or away.
    """
    began, told = time.perf_counter(), progress or _untold
    spec, folder, report = workspace.profile, _folder(workspace), _current(workspace)
    store = open_store(workspace.online_url, spec)
    try:
        # a store that is ahead of the log followed another one
        loaded: Mapping[str, int] | None = None
        reused = not store.stale and store.meta("build") == report.stamp and store.cursor <= log.last_sequence()
        if not reused:
            told("reading the tables", 0.0)
            rows: dict[str, StoredRows] | None = None
            with suppress(FileNotFoundError):  # an erasure took the build's place just now
                read = builds.written(folder, report)
                rows = all_to_load(folder / report.stamp, spec.tables, report.until_us)
            told("loading the online store", 0.3)
            # an erasure takes its customer from the tables under this lock, then from the store
            with under_way.alone(folder):
                now = _current(workspace)
                if rows is None or builds.written(folder, now) != read:
                    report, rows = now, all_to_load(folder / now.stamp, spec.tables, now.until_us)
                meta = {"build": report.stamp, population.META: population.encode(population.habits(rows, spec))}
                store.load(rows, cursor=report.sequence, meta=meta)
            loaded = {view: len(stored.customers) for view, stored in rows.items()}
        told("folding in what came after", 0.7)
        projected = Projector(log, store, spec, workspace.brand.time_zone).run_once()
        told("the online store is loaded", 1.0)
        return MaterializeReport(
            stamp=report.stamp,
            # a store that only holds what was loaded need not be gone through to be counted
            rows=loaded if loaded and not projected else {table.name: store.count(table.name) for table in spec.tables},
            projected=projected,
            cursor=store.cursor,
            seconds=time.perf_counter() - began,
            reused=reused,
        )
    finally:
        store.close()


def _published(workspace: Workspace, build: Path) -> None:
    """Make the report on a build's quality that of the build in use, unless it is."""
    found, told = quality_report.kept(build), quality_report.accepted(workspace.data / QUALITY)
    if found is not None and (told is None or told.stamp != found.stamp):
        quality_report.write(workspace.data / QUALITY, found, quality_report.ACCEPTED)


def _judged(workspace: Workspace, report: BuildReport, past: History, tables: Path) -> Quality:
    spec, until_us = workspace.profile, report.until_us
    rows = {table.name: stored_rows(in_force(tables / f"{table.name}.parquet", until_us), table.as_of) for table in spec.tables}
    return quality.measured(
        spec,
        snapshot(spec, rows, sorted(past.customers), until_us),
        {view: int(stored.as_of_us.max()) if len(stored.as_of_us) else None for view, stored in rows.items()},
        stamp=report.stamp,
        until=moment(until_us).isoformat(),
        until_us=until_us,
        accepted=quality_report.accepted(workspace.data / QUALITY),
    )


def _check(labels: pl.DataFrame, names: Sequence[str], positions: Mapping[str, int]) -> None:
    faults = [f"no feature {name!r} in profile.yaml" for name in names if name not in positions]
    faults += [f"feature {name!r} is asked for twice" for name in sorted({n for n in names if names.count(n) > 1})]
    faults += [f"the labels have a column {name!r} already" for name in names if name in labels.columns]
    at = labels.schema.get("at")
    if labels.schema.get("customer_id") != pl.String:
        faults.append("the labels need a column customer_id of text")
    elif labels["customer_id"].null_count():
        faults.append("a label has no customer_id")
    if not isinstance(at, pl.Datetime) or at.time_zone is None:
        faults.append("the labels need a column at, times with a time zone")
    elif labels["at"].null_count():
        faults.append("a label has no time")
    else:
        moments = labels["at"].dt.convert_time_zone("UTC")
        absurd = moments.filter(~moments.is_between(EARLIEST, LATEST, closed="left"))
        if len(absurd):
            faults.append(f"a label is of {absurd.dt.year()[0]}; its time lies in 1970 to 2099 (is it in another unit?)")
    if faults:
        raise FeatureStoreError("; ".join(faults))


def _current(workspace: Workspace) -> BuildReport:
    report = builds.current(_folder(workspace))
    if report is None:
        raise FeatureStoreError(f"{_folder(workspace)}: nothing is built yet; run 'kairos features build'")
    if report.profile != builds.profile_stamp(workspace.profile, workspace.brand.time_zone):
        raise FeatureStoreError("profile.yaml changed since the features were built; run 'kairos features build'")
    return report


def _folder(workspace: Workspace) -> Path:
    return workspace.data / "offline"


def _until(columns: dict[str, list[Any]], sequence: int) -> dict[str, list[Any]]:
    """Without what was appended after the build began."""
    count = bisect_right(columns["sequence"], sequence)
    return {name: values[:count] for name, values in columns.items()} if count < len(columns["sequence"]) else columns


def _untold(step: str, share: float) -> None:
    pass
