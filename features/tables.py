"""What is stored of a profile: one table a view, compiled from profile.yaml; and what is derived from it and not stored."""

import zlib
from dataclasses import dataclass, field
from typing import Literal

By = Literal["topic", "hour", "day", "touchpoint", "channel", "group"]
"""What a number may be split by. Hours (0 to 23) and days (0 is Monday) are local to the brand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A number folded from records.

    `how` sum: adds `of` (empty: 1) of each record, or of each product where `of` is `products.<number>` or `by` has topic;
    half of it is forgotten every `half_life_days` (inf: nothing is). With `counted` each record that carries the number `of`
    adds 1. `how` last, first: the time of a record. `by` with `part`, position for position, keeps only what falls to these
    parts: one topic, one hour, one touchpoint.
    """

    name: str
    how: Literal["sum", "last", "first"]
    on: tuple[str, ...]
    of: str = ""
    counted: bool = False
    by: tuple[By, ...] = ()
    part: tuple[int, ...] = ()
    half_life_days: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A column of a third-party file; text is coded by its position in `labels`."""

    name: str
    column: str
    labels: tuple[str, ...] = ()


Column = Aggregate | Attribute


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A stored feature `of` divided by another, `over`; missing where either is, or where there is nothing to divide by."""

    name: str
    of: str
    over: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The number of `cuts` that a stored feature or a ratio `of` has reached; missing where it is missing."""

    name: str
    of: str
    cuts: tuple[float, ...]


Derived = Ratio | Band


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The stored columns of one view, in order. `checksum` (CRC-32) changes with anything that changes what they mean."""

    name: str
    source: Literal["first_party", "third_party"]
    purpose: str
    columns: tuple[Column, ...]
    on: tuple[str, ...] = ()
    meaning: str = ""
    checksum: int = field(init=False)

    def __post_init__(self) -> None:
        said = repr((self.source, self.on, self.meaning, self.columns))
        object.__setattr__(self, "checksum", zlib.crc32(said.encode()))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        return tuple(column for column in self.columns if isinstance(column, Aggregate))

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        return tuple(column for column in self.columns if isinstance(column, Attribute))

    @property
    def as_of(self) -> str:
        """The name of the column that says as of when the others are."""
        return f"{self.name}_as_of"
