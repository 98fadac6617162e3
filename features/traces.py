"""Which records made each value of one customer's profile: how many, and the newest of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from features.decay import Floats, Ints
from features.facts import KINDS, Batch, Reader
from features.log import Record
from features.log.records import microseconds, moment
from features.schema import Entry, ProfileSpec
from features.tables import Ratio, Table
from features.terms import terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """`records` made the value. The newest of them `happened` and became `known`, and has this message id."""

    records: int
    message_id: str
    happened: datetime
    known: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """What records brought to one view: `rows` (n,) of the records given, `values` (n, C), and when each happened (n,).

    `made` (n, C) says which of them made the value of a column: those that added to a sum; of the times of a first or a last
    record only that one.
    """

    batch: Batch
    rows: Ints
    values: Floats
    times_us: Ints
    made: NDArray[np.bool_]


def traces(spec: ProfileSpec, time_zone: str, records: Sequence[Record]) -> dict[str, Trace]:
    """By feature, for those of first-party views that any of these records of one customer made. Other kinds say nothing."""
    told = [record for record in records if record.kind in KINDS]
    found: dict[str, Trace] = {}
    for table in spec.tables:
        if table.source != "first_party":
            continue
        brought = brought_by(spec, table, told, time_zone)
        column_of = {name: at for at, name in enumerate(table.names)}
        for entry in spec.entries:
            if entry.view != table.name:
                continue
            made = brought.made[:, [column_of[name] for name in parts(spec, entry)]].any(axis=1)
            rows = np.flatnonzero(made)
            if len(rows):
                newest = rows[np.argmax(brought.times_us[rows])]
                record = told[brought.rows[newest]]
                found[entry.name] = Trace(
                    records=len(rows),
                    message_id=record.message_id,
                    happened=moment(int(brought.times_us[newest])),
                    known=record.known_time,
                )
    return found


def brought_by(spec: ProfileSpec, table: Table, records: Sequence[Record], time_zone: str) -> Terms:
    """What records of one customer (of the kinds in KINDS) brought to a first-party view."""
    reader = Reader(spec)
    batch = reader.read(
        kinds=[record.kind for record in records],
        customers=[record.customer_id for record in records],
        event_us=[microseconds(record.event_time) for record in records],
        known_us=[microseconds(record.known_time) for record in records],
        payloads=[record.payload for record in records],
    )
    brought = terms(table, batch, reader, time_zone)
    made = brought.values != 0
    for at, column in enumerate(table.aggregates):
        if column.how != "sum" and len(made):
            times = brought.values[:, at]
            made[:, at] = times == (np.fmax if column.how == "last" else np.fmin).reduce(times)
    return Terms(batch, brought.rows, brought.values, batch.time_us[brought.rows], made)


def parts(spec: ProfileSpec, entry: Entry) -> frozenset[str]:
    """The stored features that make the value, apart from those that only a default asks for."""
    of = {one.name: (one.of, one.over) if isinstance(one, Ratio) else (one.of,) for one in spec.derived}
    return frozenset(_stored(of, entry.name))


def _stored(of: Mapping[str, tuple[str, ...]], name: str) -> set[str]:
    return {part for inner in of[name] for part in _stored(of, inner)} if name in of else {name}
