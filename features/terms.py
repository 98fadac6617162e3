"""What each record adds to each stored number of a table: the meaning of profile.yaml, the same offline and online."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
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
_ALL_QUARTERS = 5_000_000  # since 1970 there have been two million

_Family = tuple[str, bool, bool]
"""What a column adds up: the number, whether it is counted, whether it is split by topic."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`rows` (n,) are the records of a batch that concern a table, `values` (n, C) what they bring (see `decay.fold`)."""

    rows: Ints
    values: Floats


@dataclass(frozen=True, slots=True)
class Said:
    """What n records say to one table, in fewer numbers than they bring: most records touch few of its columns.

    `codes` (n,) are positions in the table's `on`, `times_us` (n,) when they happened, `amounts` (n,) or (n, topics) what
    they add, by what is added up, and `parts` (n,) where they fall, by what columns are split by.
    """

    codes: Ints
    times_us: Ints
    amounts: Mapping[_Family, Floats]
    parts: Mapping[By, Ints]

    def take(self, rows: Ints) -> "Said":
        """These records, in this order."""
        return Said(
            self.codes[rows],
            self.times_us[rows],
            {family: amounts[rows] for family, amounts in self.amounts.items()},
            {by: parts[rows] for by, parts in self.parts.items()},
        )

    @classmethod
    def together(cls, some: Sequence["Said"]) -> "Said":
        """The records of one part after those of the other. At least one part."""
        first = some[0]
        return cls(
            np.concatenate([one.codes for one in some]),
            np.concatenate([one.times_us for one in some]),
            {family: np.concatenate([one.amounts[family] for one in some]) for family in first.amounts},
            {by: np.concatenate([one.parts[by] for one in some]) for by in first.parts},
        )


def terms(table: Table, batch: Batch, reader: Reader, time_zone: str) -> Terms:
    """The terms of one table. Hours and days are local in `time_zone` (IANA). Records of nobody in particular are left out.

    A number beyond 1e15 in size says nothing, like one that is missing.
    """
    rows, told = said(table, batch, reader, time_zone)
    return Terms(rows, brought(table, told))


def said(table: Table, batch: Batch, reader: Reader, time_zone: str) -> tuple[Ints, Said]:
    """The records of a batch that concern a table (see `terms`), and what they say to it."""
    mine = np.full(len(reader.names) + 1, -1, dtype=np.int64)
    mine[[reader.names.index(name) for name in table.on]] = np.arange(len(table.on))
    codes = mine[batch.codes]  # -1 finds the last one, which is nobody's
    rows = np.flatnonzero(codes >= 0)
    times_us = batch.time_us[rows]
    sums = [column for column in table.aggregates if column.how == "sum"]
    families = dict.fromkeys(_family(column) for column in sums)
    splits = dict.fromkeys(by for column in sums for by in column.by if by != "topic")
    hours = local_hours(times_us, time_zone) if {"hour", "day"} & splits.keys() else times_us
    return rows, Said(
        codes[rows],
        times_us,
        {family: _amounts(family, batch, rows, reader.topics) for family in families},
        {by: _parts(by, batch, rows, reader, hours) for by in splits},
    )


def brought(table: Table, told: Said) -> Floats:
    """(n, C), column by column in memory: what each record adds to each column, or its time for last and first."""
    values = np.zeros((len(table.aggregates), len(told.codes))).T
    counted: dict[tuple[str, ...], NDArray[np.bool_] | None] = {}
    for at, column in enumerate(table.aggregates):
        if column.on not in counted:
            everyone = set(column.on) == set(table.on)
            of = np.array([name in column.on for name in table.on])
            counted[column.on] = None if everyone else of[told.codes]
        counts = counted[column.on]
        if column.how != "sum":
            values[:, at] = told.times_us if counts is None else np.where(counts, told.times_us, np.nan)
            continue
        amounts = told.amounts[_family(column)]
        for by, part in zip(column.by, column.part, strict=True):
            if by == "topic":
                amounts = amounts[:, part]
            else:
                falls = told.parts[by] == part
                counts = falls if counts is None else counts & falls
        if counts is None:
            values[:, at] = amounts
        else:
            np.copyto(values[:, at], amounts, where=counts)
    return values


def local_hours(times_us: Ints, time_zone: str) -> Ints:
    """Whole local hours since 1970-01-01 00:00 local."""
    # offsets from UTC change at quarters of an hour at the finest
    quarters = times_us // _QUARTER_US
    first, last = int(quarters.min(initial=0)), int(quarters.max(initial=0))
    if last - first >= _ALL_QUARTERS:
        some, at = np.unique(quarters, return_inverse=True)
        offsets = np.array([_offset_us(int(quarter), time_zone) for quarter in some], dtype=np.int64)
        return (times_us + offsets[at]) // _HOUR_US
    # without sorting: a table of all quarters, filled where there is one
    at = quarters - first
    table = np.zeros(last - first + 1, dtype=np.int64)
    table[at] = 1
    some = np.flatnonzero(table)
    table[some] = [_offset_us(first + quarter, time_zone) for quarter in some.tolist()]
    return (times_us + table[at]) // _HOUR_US


def _family(column: Aggregate) -> _Family:
    return column.of, column.counted, "topic" in column.by


def _parts(by: By, batch: Batch, rows: Ints, reader: Reader, hours: Ints) -> Ints:
    """(n,): the part that each record falls to; -1 for none. `hours` (n,) are local ones."""
    match by:
        case "touchpoint":
            return batch.touchpoints[rows]
        case "channel":
            return reader.channel_of[batch.touchpoints[rows]]
        case "group":
            return batch.groups[rows]
        case "hour":
            return hours % 24
        case _:
            return (hours // 24 + _MONDAY) % 7


def _amounts(family: _Family, batch: Batch, rows: Ints, topics: int) -> Floats:
    """(n, topics): what each record adds to each topic; (n,) for columns that are not split by topic."""
    of, counted, by_topic = family
    if by_topic:
        known = batch.line_topics >= 0
        cells = batch.line_rows[known] * topics + batch.line_topics[known]
        numbers = _sound(batch.line_numbers[of][known]) if of else None
        sums = np.bincount(cells, numbers, len(batch.codes) * topics)
        return sums.astype(np.float64).reshape(len(batch.codes), topics)[rows]
    if not of:
        return np.ones(len(rows))
    if of.startswith("products."):
        return np.bincount(batch.line_rows, _sound(batch.line_numbers[of]), len(batch.codes)).astype(np.float64)[rows]
    numbers = batch.numbers[of][rows]
    return _says(numbers).astype(np.float64) if counted else _sound(numbers)


def _sound(numbers: Floats) -> Floats:
    return np.where(_says(numbers), numbers, 0.0)


def _says(numbers: Floats) -> NDArray[np.bool_]:
    """Whether it is a number of a size that means something."""
    return np.abs(numbers) <= _LARGEST


@lru_cache(maxsize=100_000)
def _offset_us(quarter: int, time_zone: str) -> int:
    moment = datetime.fromtimestamp(quarter * _QUARTER_US // 1_000_000, tz=UTC)
    offset = moment.astimezone(ZoneInfo(time_zone)).utcoffset()
    assert offset is not None, "a zone always has an offset"
    return (offset.days * DAY_US) + offset.seconds * 1_000_000 + offset.microseconds
