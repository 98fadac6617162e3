"""What each record adds to each stored number of a table: the meaning of profile.yaml, the same offline and online."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from features.decay import DAY_US, Floats, Ints
from features.facts import Batch, Reader
from features.tables import Aggregate, By, Table

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
    said = _Said(
        [batch.bodies[at] for at in rows],
        [batch.topics[at] for at in rows],
        batch.time_us[rows],
        batch.touchpoints[rows],
        batch.groups[rows],
    )
    values = np.empty((len(rows), len(table.aggregates)))
    amounts: dict[tuple[str, bool, bool], Floats] = {}
    parts: dict[By, Ints] = {}
    for at, column in enumerate(table.aggregates):
        counts = np.isin(code, [codes[name] for name in column.on])
        if column.how != "sum":
            values[:, at] = np.where(counts, said.times_us.astype(np.float64), np.nan)
            continue
        family = (column.of, column.counted, "topic" in column.by)
        if family not in amounts:
            amounts[family] = _amounts(column, said, reader)
        topic = 0
        for by, part in zip(column.by, column.part, strict=True):
            if by == "topic":
                topic = part
                continue
            if by not in parts:
                parts[by] = _parts(by, said, reader, time_zone)
            counts &= parts[by] == part
        values[:, at] = np.where(counts, amounts[family][:, topic], 0.0)
    return Terms(rows, values)


def local_hours(times_us: Ints, time_zone: str) -> Ints:
    """Whole local hours since 1970-01-01 00:00 local."""
    # offsets from UTC change at quarters of an hour at the finest
    quarters, back = np.unique(times_us // _QUARTER_US, return_inverse=True)
    offsets = np.array([_offset_us(int(quarter), time_zone) for quarter in quarters], dtype=np.int64)
    return (times_us + offsets[back]) // _HOUR_US


@dataclass(frozen=True, slots=True)
class _Said:
    """The records of one table: their bodies, the topics of each, when they happened, where, and in which group."""

    bodies: Sequence[Any]
    topics: Sequence[Sequence[int]]
    times_us: Ints
    touchpoints: Ints
    groups: Ints


def _parts(by: By, said: _Said, reader: Reader, time_zone: str) -> Ints:
    """(n,): the part that each record falls to; -1 for none."""
    match by:
        case "touchpoint":
            return said.touchpoints
        case "channel":
            return reader.channel_of[said.touchpoints]
        case "group":
            return said.groups
        case "hour":
            return local_hours(said.times_us, time_zone) % 24
        case _:
            return (local_hours(said.times_us, time_zone) // 24 + _MONDAY) % 7


def _amounts(column: Aggregate, said: _Said, reader: Reader) -> Floats:
    """(n, topics): what each record adds to each topic; (n, 1) for a column that is not split by topic."""
    count = len(said.bodies)
    if "topic" in column.by:
        row, topic = _lines(said.topics)
        numbers = np.ones(len(row)) if not column.of else _product_numbers(said.bodies, reader.number_of[column.of])
        size, known = reader.topics, topic >= 0
        sums = np.bincount(row[known] * size + topic[known], numbers[known], count * size)
        return sums.astype(np.float64).reshape(count, size)
    if not column.of:
        return np.ones((count, 1))
    number = reader.number_of[column.of]
    if column.of.startswith("products."):
        row, _ = _lines(said.topics)
        return np.bincount(row, _product_numbers(said.bodies, number), count).astype(np.float64)[:, None]
    found = [getattr(body, number) for body in said.bodies]
    return (_says(found).astype(np.float64) if column.counted else _sound(found))[:, None]


def _lines(topics: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """Row and topic of every product (of every topic, where a record has no products)."""
    rows = np.repeat(np.arange(len(topics)), np.fromiter(map(len, topics), dtype=np.int64, count=len(topics)))
    return rows, np.fromiter(chain.from_iterable(topics), dtype=np.int64, count=len(rows))


def _product_numbers(bodies: Sequence[Any], number: str) -> Floats:
    return _sound([getattr(product, number) for body in bodies for product in body.products])


def _sound(numbers: Sequence[float | None]) -> Floats:
    return np.where(_says(numbers), np.array(numbers, dtype=np.float64), 0.0)


def _says(numbers: Sequence[float | None]) -> NDArray[np.bool_]:
    """Whether it is a number of a size that means something."""
    return np.abs(np.array(numbers, dtype=np.float64)) <= _LARGEST


@lru_cache(maxsize=100_000)
def _offset_us(quarter: int, time_zone: str) -> int:
    moment = datetime.fromtimestamp(quarter * _QUARTER_US // 1_000_000, tz=UTC)
    offset = moment.astimezone(ZoneInfo(time_zone)).utcoffset()
    assert offset is not None, "a zone always has an offset"
    return (offset.days * DAY_US) + offset.seconds * 1_000_000 + offset.microseconds
