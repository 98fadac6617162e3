"""First-party tables: for each customer and each moment at which a record became known, what was known from then on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.decay import Folded, Ints, fold
from features.facts import Batch, Reader
from features.identities import ended
from features.known import Known
from features.schema import ProfileSpec
from features.tables import Table
from features.terms import Said, brought, said

NOBODY = Known()
"""Where no id means another one."""

_CHUNK = 50_000
_AT_ONCE = 1 << 14
"""Rows folded together, or more where a customer has more."""


@dataclass(frozen=True, slots=True)
class History:
    """`frames` by view: customer_id, event_timestamp, as of (Int64, microseconds) and a Float64 column a stored number.

    Rows stand customer by customer, oldest first; at most one a customer and moment. `records` counts those in each view.
    `customers` names all whom the records are about, by everything that is known.
    """

    frames: Mapping[str, pl.DataFrame]
    records: Mapping[str, int]
    customers: frozenset[str]
    unreadable: int
    anonymous: int
    ahead: int


def history(
    columns: Mapping[str, Sequence[Any]],
    spec: ProfileSpec,
    time_zone: str,
    progress: Callable[[float], None],
    known: Known = NOBODY,
) -> History:
    """`columns` are those of `Log.columns`, of kinds in `facts.KINDS`. `progress` is told the share done, 0 to 1.

    From the moment at which ids became known as one customer, that customer's rows are made of the records of all of them.
    """
    tables = [table for table in spec.tables if table.source == "first_party"]
    reader = Reader(spec)
    parts: dict[str, list[Part]] = {table.name: [] for table in tables}
    unreadable = anonymous = ahead = 0
    total = len(columns["sequence"])
    for start in range(0, total, _CHUNK):
        batch = _batch(reader, columns, slice(start, start + _CHUNK))
        unreadable, anonymous, ahead = unreadable + batch.unreadable, anonymous + batch.anonymous, ahead + batch.ahead
        for table in tables:
            parts[table.name].append(part_of(table, batch, reader, time_zone))
        progress(0.7 * min(start + _CHUNK, total) / total)
    frames, records = {}, {}
    for at, table in enumerate(tables):
        records[table.name] = sum(len(part.customers) for part in parts[table.name])
        frames[table.name] = ended(frame_of(table, parts.pop(table.name), known), table.as_of, known)
        progress(0.7 + 0.3 * (at + 1) / len(tables))
    names = known.last()
    return History(
        frames=frames,
        records=records,
        customers=frozenset(names.get(who, who) for who in columns["customer_id"] if who is not None),
        unreadable=unreadable,
        anonymous=anonymous,
        ahead=ahead,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """What some of the records say to one table."""

    customers: Sequence[str]
    moment_us: Ints
    said: Said


def _batch(reader: Reader, columns: Mapping[str, Sequence[Any]], part: slice) -> Batch:
    return reader.read(
        kinds=columns["kind"][part],
        customers=columns["customer_id"][part],
        event_us=columns["event_us"][part],
        known_us=columns["known_us"][part],
        payloads=columns["payload"][part],
    )


def part_of(table: Table, batch: Batch, reader: Reader, time_zone: str) -> Part:
    rows, told = said(table, batch, reader, time_zone)
    customers = np.array(batch.customers, dtype=np.object_)[rows].tolist()
    return Part(customers, batch.moment_us[rows], told)


def frame_of(table: Table, parts: Sequence[Part], known: Known = NOBODY) -> pl.DataFrame:
    """A table's frame (see `History`), of all the records that concern it in the order of the log."""
    customers = [who for part in parts for who in part.customers]
    moment = np.concatenate([part.moment_us for part in parts] or [np.empty(0, dtype=np.int64)])
    spread = known.spread(customers, moment)
    named = pl.Series(spread.names, dtype=pl.String)
    names = named.unique().sort()
    who = named.cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int64)
    order = _by_customer(who, spread.moment_us)
    who, moment, epoch = who[order], spread.moment_us[order], spread.epochs[order]
    starts = (np.diff(who, prepend=-1) != 0) | (np.diff(epoch, prepend=0) != 0)
    last = np.append((np.diff(who) != 0) | (np.diff(moment) != 0), np.ones(min(len(who), 1), dtype=np.bool_))
    folded = _folded(table, parts, spread.rows[order], starts, last)
    ends = [column.name for column in table.aggregates if column.how != "sum"]
    return pl.DataFrame(
        {
            "customer_id": names.gather(who[last]),
            "event_timestamp": pl.Series(moment[last]).cast(pl.Datetime("us", "UTC")),
            table.as_of: folded.as_of_us,
            **{name: folded.values[:, at] for at, name in enumerate(table.names)},
        }
    ).with_columns(pl.col(ends).fill_nan(None))


def _by_customer(who: Ints, moment: Ints) -> Ints:
    """The order by customer and moment; what became known at one moment stays in the order of the log."""
    ascending = bool((np.diff(moment) >= 0).all())
    order = np.arange(len(who)) if ascending else np.argsort(moment, kind="stable")
    # sixteen bits at a time, for which NumPy's stable sort needs no comparisons
    for shift in range(0, int(who.max(initial=0)).bit_length(), 16):
        order = order[np.argsort((who[order] >> shift).astype(np.uint16), kind="stable")]
    return order


def _folded(table: Table, parts: Sequence[Part], order: Ints, starts: NDArray[np.bool_], kept: NDArray[np.bool_]) -> Folded:
    """The running values of the parts' rows in this order, of those that are kept; some customers at a time."""
    begins, after = np.flatnonzero(starts), np.concatenate([[0], np.cumsum(kept)])
    made = Folded(np.empty((len(table.columns), int(after[-1]))).T, np.empty(int(after[-1]), dtype=np.int64))
    if not len(order):
        return made
    told = Said.together([part.said for part in parts])
    cuts = np.unique(np.append(begins[np.searchsorted(begins, np.arange(0, begins[-1] + 1, _AT_ONCE))], len(order)))
    for start, end in pairwise(cuts.tolist()):
        some = told.take(order[start:end])
        folded = fold(table.aggregates, brought(table, some), some.times_us, starts[start:end])
        rows = kept[start:end]
        made.as_of_us[after[start] : after[end]] = folded.as_of_us[rows]
        for into, column in zip(made.values.T, folded.values.T, strict=True):
            into[after[start] : after[end]] = column[rows]
    return made
