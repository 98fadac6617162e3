"""What each record adds to each stored number of a table: the meaning of profile.yaml, the same offline and online."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from features.decay import DAY_US, Floats, Ints
from features.facts import Batch, Reader
from features.tables import Aggregate, Table

_HOUR_US = 3_600_000_000
_QUARTER_US = 900_000_000
_MONDAY = 3  # the first day of 1970 was a Thursday
_LARGEST = 1e15


@dataclass(frozen=True, slots=True)
class Terms:
    """`rows` (n,) are the records of a batch that concern a table, `values` (n, C) what they bring (see `decay.fold`)."""

    rows: Ints
    values: Floats


def terms(table: Table, batch: Batch, reader: Reader, time_zone: str) -> Terms:
    """The terms of one table. Hours and days are local in `time_zone` (IANA). Records of nobody in particular are left out.

    A number beyond 1e15 in size says nothing, like one that is missing.
    """
    codes = {name: at for at, name in enumerate(table.on)}
    named = enumerate(zip(batch.names, batch.customers, strict=True))
    rows = np.array([at for at, (name, who) in named if name in codes and who is not None], dtype=np.int64)
    code = np.array([codes[batch.names[at] or ""] for at in rows], dtype=np.int64)
    said = _Said([batch.bodies[at] for at in rows], [batch.topics[at] for at in rows], batch.time_us[rows])
    values = np.empty((len(rows), len(table.aggregates)))
    split: dict[tuple[str, str | None], Floats] = {}
    for at, column in enumerate(table.aggregates):
        counts = np.isin(code, [codes[name] for name in column.on])
        if column.how != "sum":
            values[:, at] = np.where(counts, said.times_us.astype(np.float64), np.nan)
            continue
        family = (column.of, column.by)
        if family not in split:
            split[family] = _split(column, said, reader, time_zone)
        values[:, at] = np.where(counts, split[family][:, column.part], 0.0)
    return Terms(rows, values)


def local_hours(times_us: Ints, time_zone: str) -> Ints:
    """Whole local hours since 1970-01-01 00:00 local."""
    # offsets from UTC change at quarters of an hour at the finest
    quarters, back = np.unique(times_us // _QUARTER_US, return_inverse=True)
    offsets = np.array([_offset_us(int(quarter), time_zone) for quarter in quarters], dtype=np.int64)
    return (times_us + offsets[back]) // _HOUR_US


@dataclass(frozen=True, slots=True)
class _Said:
    """The records of one table: their bodies, the topics of each, and when they happened."""

    bodies: Sequence[Any]
    topics: Sequence[Sequence[int]]
    times_us: Ints


def _split(column: Aggregate, said: _Said, reader: Reader, time_zone: str) -> Floats:
    """(n, parts): what each record adds to each topic, hour or day; (n, 1) for a column of no family."""
    if column.by == "topic":
        row, topic = _lines(said.topics)
        amounts = np.ones(len(row)) if not column.of else _product_numbers(said.bodies, reader.number_of[column.of])
        size, known = reader.topics, topic >= 0
        sums = np.bincount(row[known] * size + topic[known], amounts[known], len(said.bodies) * size)
        return sums.astype(np.float64).reshape(len(said.bodies), size)
    amounts = _amounts(column.of, said, reader)
    if column.by is None:
        return amounts[:, None]
    hours = local_hours(said.times_us, time_zone)
    part, parts = (hours % 24, 24) if column.by == "hour" else ((hours // 24 + _MONDAY) % 7, 7)
    return np.where(part[:, None] == np.arange(parts), amounts[:, None], 0.0)


def _amounts(of: str, said: _Said, reader: Reader) -> Floats:
    """(n,): the number `of` of each record, the sum over its products, or 1."""
    if not of:
        return np.ones(len(said.bodies))
    number = reader.number_of[of]
    if of.startswith("products."):
        row, _ = _lines(said.topics)
        return np.bincount(row, _product_numbers(said.bodies, number), len(said.bodies)).astype(np.float64)
    return _sound([getattr(body, number) for body in said.bodies])


def _lines(topics: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """Row and topic of every product (of every topic, where a record has no products)."""
    rows = np.repeat(np.arange(len(topics)), np.fromiter(map(len, topics), dtype=np.int64, count=len(topics)))
    return rows, np.fromiter(chain.from_iterable(topics), dtype=np.int64, count=len(rows))


def _product_numbers(bodies: Sequence[Any], number: str) -> Floats:
    return _sound([getattr(product, number) for body in bodies for product in body.products])


def _sound(numbers: Sequence[float | None]) -> Floats:
    found = np.array(numbers, dtype=np.float64)
    return np.where(np.abs(found) <= _LARGEST, found, 0.0)


@lru_cache(maxsize=100_000)
def _offset_us(quarter: int, time_zone: str) -> int:
    moment = datetime.fromtimestamp(quarter * _QUARTER_US // 1_000_000, tz=UTC)
    offset = moment.astimezone(ZoneInfo(time_zone)).utcoffset()
    assert offset is not None, "a zone always has an offset"
    return (offset.days * DAY_US) + offset.seconds * 1_000_000 + offset.microseconds
