"""What is stored of a profile: one table a view, compiled from profile.yaml. Bands are not stored, they are derived."""

import zlib
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A number folded from records.

    `how` sum: adds `of` (empty: 1) of each record, or of each product where `of` is `products.<number>` or `by` is topic;
    half of it is forgotten every `half_life_days` (inf: nothing is). `how` last, first: the time of a record. `by` with
    `part` keeps only what falls to one topic, local hour (0 to 23) or local day (0 is Monday).
    """

    name: str
    how: Literal["sum", "last", "first"]
    on: tuple[str, ...]
    of: str = ""
    by: Literal["topic", "hour", "day"] | None = None
    part: int = 0
    half_life_days: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A column of a third-party file; text is coded by its position in `labels`."""

    name: str
    column: str
    labels: tuple[str, ...] = ()


Column = Aggregate | Attribute


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The number of `cuts` that a stored feature `of` has reached; missing where it is missing."""

    name: str
    of: str
    cuts: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The stored columns of one view, in order. `checksum` (CRC-32) changes with anything that changes what they mean.

    A row is void once more than `ttl_us` microseconds passed since it became known; None: never.
    """

    name: str
    source: Literal["first_party", "third_party"]
    purpose: str
    columns: tuple[Column, ...]
    on: tuple[str, ...] = ()
    meaning: str = ""
    ttl_us: int | None = None
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
