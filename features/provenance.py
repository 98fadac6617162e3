"""Where a value came from: its source, the records that made it, its age, and under which licence and purpose it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl

from features import builds
from features.decay import DAY_US, Floats, Ints, fold
from features.facts import KINDS, Batch, Reader
from features.log import Log, Record
from features.log.records import microseconds, moment
from features.schema import Entry, ProfileSpec
from features.tables import Ratio, Table
from features.terms import terms
from features.workspace import Workspace

_NEWEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """A record that a value was made of. `adds` is what it added to each stored feature when it happened."""

    message_id: str
    name: str
    happened: datetime
    known: datetime
    adds: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """`value` is what serving saw just then, consent apart: a label where it has labels, None where it is missing.

    `made_of` are the stored features it is read from. `records` is how many records made it and `makers` are the newest of
    them, newest first; `files` are those of a third-party view, in the order of the profile. `as_of` is when the newest
    record or row of the view happened, `age` the time since.
    """

    feature: str
    at: datetime
    value: float | str | None
    type: str
    unit: str
    view: str
    source: Literal["first_party", "third_party"]
    owner: str
    purpose: str
    licence: str
    expires: date | None
    made_of: tuple[str, ...]
    records: int
    makers: tuple[Maker, ...]
    files: tuple[str, ...]
    as_of: datetime | None
    age: timedelta | None


def provenance(workspace: Workspace, log: Log, customer_id: str, feature: str, at: datetime) -> Provenance:
    """What is known of one value of one customer, by what was known before `at`.

    First-party values are made anew from the log, which is read through once; third-party ones are those of the build in
    use. Raises FeatureStoreError for a feature that the profile does not have, or where nothing is built.
    """
    spec = workspace.profile
    entry = next((one for one in spec.entries if one.name == feature), None)
    if entry is None:
        raise builds.FeatureStoreError(f"no feature {feature!r} in profile.yaml")
    table = next(table for table in spec.tables if table.name == entry.view)
    made_of = tuple(name for name in table.names if name in _parts(spec, entry))
    makers: list[Maker] = []
    if table.source == "first_party":
        known = (one for one in log.read(kinds=KINDS) if one.customer_id == customer_id and one.known_time < at)
        # what became known at one moment stays in the order of the log
        records = sorted(known, key=lambda record: record.known_time)
        values, as_of_us, makers = _folded(workspace, table, records, made_of)
    else:
        values, as_of_us = _bought(workspace, table, customer_id, at)
    at_us = microseconds(at)
    return Provenance(
        feature=feature,
        at=at,
        value=_value(spec, table, entry, values, as_of_us, at_us),
        type=entry.spec.type,
        unit=entry.unit,
        view=entry.view,
        source=table.source,
        owner=entry.owner,
        purpose=entry.purpose,
        licence=entry.licence,
        expires=spec.expiries.get(feature),
        made_of=made_of,
        records=len(makers),
        makers=tuple(sorted(makers, key=lambda maker: maker.happened, reverse=True)[:_NEWEST]),
        files=tuple(delivery.file for delivery in spec.views[entry.view].deliveries),
        as_of=None if as_of_us is None else moment(as_of_us),
        age=None if as_of_us is None else timedelta(microseconds=max(at_us - as_of_us, 0)),
    )


def _parts(spec: ProfileSpec, entry: Entry) -> frozenset[str]:
    """The stored features that make the value, apart from those that only a default asks for."""
    of = {one.name: (one.of, one.over) if isinstance(one, Ratio) else (one.of,) for one in spec.derived}
    names: set[str] = set()
    open_ = [entry.name]
    while open_:
        name = open_.pop()
        open_ += of.get(name, ())
        names.update(() if name in of else (name,))
    return frozenset(names)


def _folded(
    workspace: Workspace, table: Table, records: Sequence[Record], made_of: Sequence[str]
) -> tuple[Floats, int | None, list[Maker]]:
    """The stored values (C,) after these records of one customer, as of when, and what each added to the features asked for."""
    reader = Reader(workspace.profile)
    batch = reader.read(
        kinds=[record.kind for record in records],
        customers=[record.customer_id for record in records],
        event_us=[microseconds(record.event_time) for record in records],
        known_us=[microseconds(record.known_time) for record in records],
        payloads=[record.payload for record in records],
    )
    brought = terms(table, batch, reader, workspace.brand.time_zone)
    if not len(brought.rows):
        return np.full(len(table.columns), np.nan), None, []
    after = fold(table.aggregates, brought.values, batch.time_us[brought.rows], np.arange(len(brought.rows)) == 0)
    makers = _makers(table, batch, records, brought.rows, brought.values, made_of)
    return after.values[-1], int(after.as_of_us[-1]), makers


def _makers(
    table: Table, batch: Batch, records: Sequence[Record], rows: Ints, values: Floats, made_of: Sequence[str]
) -> list[Maker]:
    made = []
    wanted = [(at, column) for at, column in enumerate(table.aggregates) if column.name in made_of]
    ends = {at: (np.fmax if column.how == "last" else np.fmin).reduce(values[:, at]) for at, column in wanted}
    for row, brought in zip(rows, values, strict=True):
        # of the times of a first or a last record only that one made the value
        adds = {
            column.name: 1.0 if column.how != "sum" else float(brought[at])
            for at, column in wanted
            if (brought[at] != 0 if column.how == "sum" else brought[at] == ends[at])
        }
        if adds:
            record, name = records[row], batch.names[row] or ""
            happened = moment(int(batch.time_us[row]))
            made.append(Maker(message_id=record.message_id, name=name, happened=happened, known=record.known_time, adds=adds))
    return made


def _bought(workspace: Workspace, table: Table, customer_id: str, at: datetime) -> tuple[Floats, int | None]:
    folder = workspace.data / "offline"
    report = builds.current(folder)
    if report is None:
        raise builds.FeatureStoreError(f"{folder}: nothing is built yet; run 'kairos features build'")
    rows = pl.scan_parquet(builds.table_file(folder, report.stamp, table.name))
    mine = rows.filter((pl.col("customer_id") == customer_id) & (pl.col("event_timestamp") < at)).collect().tail(1)
    if not mine.height:
        return np.full(len(table.columns), np.nan), None
    return mine.select(table.names).fill_null(np.nan).to_numpy()[0], int(mine[table.as_of][0])


def _value(
    spec: ProfileSpec, table: Table, entry: Entry, values: Floats, as_of_us: int | None, at_us: int
) -> float | str | None:
    if as_of_us is None:
        return None
    row = np.full(len(spec.index), np.nan)
    row[[spec.index.positions[name] for name in table.names]] = values
    aged = spec.ageing.aged(row, np.array((at_us - as_of_us) / DAY_US), at_us)[spec.index.positions[entry.name]]
    if np.isnan(aged):
        return None
    return entry.spec.labels[int(aged)] if entry.spec.labels else float(aged)
