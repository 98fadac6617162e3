"""Where a value came from: its source, the records that made it, its age, and under which licence and purpose it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from features import builds, third_party
from features.decay import DAY_US, Floats, fold
from features.facts import KINDS
from features.join import Customer, Joined
from features.log import Log, Record
from features.log.records import microseconds, moment
from features.schema import Entry, ProfileSpec
from features.tables import Table
from features.traces import Terms, brought_by, parts
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
    them, newest first. `files` are those of a third-party view, in the order of the profile, and `file` is the one that the
    value came from. `as_of` is when the newest record of the view happened, or the file's row came into force, `age` the
    time since.
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
    file: str | None
    as_of: datetime | None
    age: timedelta | None


def provenance(workspace: Workspace, log: Log, customer_id: str, feature: str, at: datetime) -> Provenance:
    """What is known of one value of one customer, by what was known before `at`.

    First-party values are made anew from the records of this customer, under all ids that were known to be theirs; no other
    record is read. Third-party ones are those of the build in use. Raises FeatureStoreError for a feature that the profile
    does not have, or where nothing is built.
    """
    spec = workspace.profile
    entry = next((one for one in spec.entries if one.name == feature), None)
    if entry is None:
        raise builds.FeatureStoreError(f"no feature {feature!r} in profile.yaml")
    table = next(table for table in spec.tables if table.name == entry.view)
    made_of = tuple(name for name in table.names if name in parts(spec, entry))
    who = _known_as(log, customer_id, at)
    makers: list[Maker] = []
    file = None
    if table.source == "first_party":
        known = (one for one in log.read_of(who.members, kinds=KINDS) if one.known_time < at)
        # what became known at one moment stays in the order of the log
        records = sorted(known, key=lambda record: record.known_time)
        values, as_of_us, makers = _folded(workspace, table, records, made_of)
        told_us = as_of_us
    else:
        values, as_of_us, file, told_us = _bought(workspace, table, who.name, feature, at)
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
        file=file,
        as_of=None if told_us is None else moment(told_us),
        age=None if told_us is None else timedelta(microseconds=max(at_us - told_us, 0)),
    )


def _known_as(log: Log, customer_id: str, at: datetime) -> Customer:
    """Whom the id meant just before `at`: by every link known then, also one that what came later sets aside."""
    at_us = microseconds(at)
    return Joined(link for link in log.links() if link.known_us < at_us).customer(customer_id)


def _folded(
    workspace: Workspace, table: Table, records: Sequence[Record], made_of: Sequence[str]
) -> tuple[Floats, int | None, list[Maker]]:
    """The stored values (C,) after these records of one customer, as of when, and what each added to the features asked for."""
    brought = brought_by(workspace.profile, table, records, workspace.brand.time_zone)
    if not len(brought.rows):
        return np.full(len(table.columns), np.nan), None, []
    after = fold(table.aggregates, brought.values, brought.times_us, np.arange(len(brought.rows)) == 0)
    return after.values[-1], int(after.as_of_us[-1]), _makers(table, brought, records, made_of)


def _makers(table: Table, brought: Terms, records: Sequence[Record], made_of: Sequence[str]) -> list[Maker]:
    made = []
    wanted = [(at, column) for at, column in enumerate(table.aggregates) if column.name in made_of]
    for at, row in enumerate(brought.rows):
        adds = {
            column.name: 1.0 if column.how != "sum" else float(brought.values[at, number])
            for number, column in wanted
            if brought.made[at, number]
        }
        if adds:
            record, name = records[row], brought.batch.names[row] or ""
            happened = moment(int(brought.times_us[at]))
            made.append(Maker(message_id=record.message_id, name=name, happened=happened, known=record.known_time, adds=adds))
    return made


def _bought(
    workspace: Workspace, table: Table, customer_id: str, feature: str, at: datetime
) -> tuple[Floats, int | None, str | None, int | None]:
    """The stored values (C,) of the row in force, as of when; the file that said the one asked for, and since when."""
    folder = workspace.data / "offline"
    report = builds.current(folder)
    if report is None:
        raise builds.FeatureStoreError(f"{folder}: nothing is built yet; run 'kairos features build'")
    mine = _in_force(builds.table_file(folder, report.stamp, table.name), customer_id, at)
    if mine is None:
        return np.full(len(table.columns), np.nan), None, None, None
    values, as_of_us = mine.select(table.names).fill_null(np.nan).to_numpy()[0], int(mine[table.as_of][0])
    if np.isnan(values[table.names.index(feature)]):
        return values, as_of_us, None, as_of_us
    deliveries = workspace.profile.views[table.name].deliveries
    if len(deliveries) == 1:
        return values, as_of_us, deliveries[0].file, as_of_us
    origin = _in_force(third_party.origins_file(folder / report.stamp, table.name), customer_id, at)
    assert origin is not None, "a row has its origins"
    number, since_us = third_party.origin_of(origin, feature)
    return values, as_of_us, deliveries[number].file, since_us


def _in_force(file: Path, customer_id: str, at: datetime) -> pl.DataFrame | None:
    """The row of a customer that was in force just before `at`."""
    mine = (pl.col("customer_id") == customer_id) & (pl.col("event_timestamp") < at)
    found = pl.scan_parquet(file).filter(mine).collect().tail(1)
    return found if found.height else None


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
