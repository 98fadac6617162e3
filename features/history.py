"""First-party tables: for each customer and each moment at which a record became known, what was known from then on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.decay import Floats, Ints, fold
from features.facts import Batch, Reader
from features.identities import ended
from features.known import Known
from features.schema import ProfileSpec
from features.tables import Table
from features.terms import terms

NOBODY = Known()
"""Where no id means another one."""

_CHUNK = 50_000


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
        frames[table.name] = ended(_frame(table, parts.pop(table.name), known), table.as_of, known)
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


def _frame(table: Table, parts: Sequence[_Part], known: Known) -> pl.DataFrame:
    part, epoch = _spread(_whole(table, parts), known)
    code = {who: at for at, who in enumerate(sorted(set(part.customers)))}
    who = np.array([code[one] for one in part.customers], dtype=np.int64)
    # by customer and moment; what became known at one moment stays in the order of the log
    order = np.lexsort((part.moment_us, who))
    who, moment, epoch = who[order], part.moment_us[order], epoch[order]
    starts = (np.diff(who, prepend=-1) != 0) | (np.diff(epoch, prepend=0) != 0)
    folded = fold(table.aggregates, part.values[order], part.time_us[order], starts)
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


def _whole(table: Table, parts: Sequence[_Part]) -> _Part:
    return _Part(
        [who for part in parts for who in part.customers],
        np.concatenate([part.moment_us for part in parts] or [np.empty(0, dtype=np.int64)]),
        np.concatenate([part.time_us for part in parts] or [np.empty(0, dtype=np.int64)]),
        np.concatenate([part.values for part in parts] or [np.empty((0, len(table.columns)))]),
    )


def _spread(part: _Part, known: Known) -> tuple[_Part, Ints]:
    """What the records say to each customer as known at each moment, and the numbers of what must be folded apart."""
    if not known:
        return part, np.zeros(len(part.customers), dtype=np.int64)
    spread = known.spread(part.customers, part.moment_us)
    rows = spread.rows
    return _Part(spread.names, spread.moment_us, part.time_us[rows], part.values[rows]), spread.epochs
