"""First-party tables: for each customer and each moment at which a record became known, what was known from then on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.decay import Floats, Ints, fold
from features.facts import Batch, Reader
from features.schema import ProfileSpec
from features.tables import Table
from features.terms import terms

_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class History:
    """`frames` by view: customer_id, event_timestamp, as of (Int64, microseconds) and a Float64 column a stored number.

    Rows stand customer by customer, oldest first; at most one a customer and moment. `records` counts those in each view.
    """

    frames: Mapping[str, pl.DataFrame]
    records: Mapping[str, int]
    customers: frozenset[str]
    unreadable: int
    anonymous: int
    ahead: int


def history(
    columns: Mapping[str, Sequence[Any]], spec: ProfileSpec, time_zone: str, progress: Callable[[float], None]
) -> History:
    """`columns` are those of `Log.columns`, of kinds in `facts.KINDS`. `progress` is told the share done, 0 to 1."""
    tables = [table for table in spec.tables if table.source == "first_party"]
    reader = Reader(spec)
    parts: dict[str, list[_Part]] = {table.name: [] for table in tables}
    unreadable = anonymous = ahead = 0
    total = len(columns["sequence"])
    for start in range(0, total, _CHUNK):
        batch = _batch(reader, columns, slice(start, start + _CHUNK))
        unreadable, anonymous, ahead = unreadable + batch.unreadable, anonymous + batch.anonymous, ahead + batch.ahead
        for table in tables:
            parts[table.name].append(_part(table, batch, reader, time_zone))
        progress(0.7 * min(start + _CHUNK, total) / total)
    frames, records = {}, {}
    for at, table in enumerate(tables):
        records[table.name] = sum(len(part.customers) for part in parts[table.name])
        frames[table.name] = _frame(table, parts.pop(table.name))
        progress(0.7 + 0.3 * (at + 1) / len(tables))
    return History(
        frames=frames,
        records=records,
        customers=frozenset(who for who in columns["customer_id"] if who is not None),
        unreadable=unreadable,
        anonymous=anonymous,
        ahead=ahead,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """What some of the records say to one table."""

    customers: Sequence[str]
    moment_us: Ints
    time_us: Ints
    values: Floats


def _batch(reader: Reader, columns: Mapping[str, Sequence[Any]], part: slice) -> Batch:
    return reader.read(
        kinds=columns["kind"][part],
        customers=columns["customer_id"][part],
        event_us=columns["event_us"][part],
        known_us=columns["known_us"][part],
        payloads=columns["payload"][part],
    )


def _part(table: Table, batch: Batch, reader: Reader, time_zone: str) -> _Part:
    brought = terms(table, batch, reader, time_zone)
    rows = brought.rows
    return _Part([str(batch.customers[row]) for row in rows], batch.moment_us[rows], batch.time_us[rows], brought.values)


def _frame(table: Table, parts: Sequence[_Part]) -> pl.DataFrame:
    customers = [who for part in parts for who in part.customers]
    code = {who: at for at, who in enumerate(sorted(set(customers)))}
    who = np.array([code[one] for one in customers], dtype=np.int64)
    moment = np.concatenate([part.moment_us for part in parts] or [np.empty(0, dtype=np.int64)])
    # by customer and moment; what became known at one moment stays in the order of the log
    order = np.lexsort((moment, who))
    who, moment = who[order], moment[order]
    starts = np.diff(who, prepend=-1) != 0
    folded = fold(
        table.aggregates,
        np.concatenate([part.values for part in parts] or [np.empty((0, len(table.columns)))])[order],
        np.concatenate([part.time_us for part in parts] or [np.empty(0, dtype=np.int64)])[order],
        starts,
    )
    last = np.append((np.diff(who) != 0) | (np.diff(moment) != 0), np.ones(min(len(who), 1), dtype=np.bool_))
    names = pl.Series(list(code), dtype=pl.String)
    return pl.DataFrame(
        {
            "customer_id": names.gather(who[last]),
            "event_timestamp": pl.Series(moment[last]).cast(pl.Datetime("us", "UTC")),
            table.as_of: folded.as_of_us[last],
            **{name: folded.values[last, at] for at, name in enumerate(table.names)},
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
