"""The stored form of a profile row: numbers to bytes and back, without an object a value.

    int64   as of, microseconds since 1970 UTC
    uint32  checksum of the table (see `features.tables.Table`)
    float32 a value each column
    float32 what float32 rounded away, for each column that never forgets (see below)
    bits    1 where a value is missing, a bit each column, first column in the highest bit

Everything is little-endian. A decaying number forgets its rounding errors; a total or a day count does not, and a million
small additions would go astray: for those the remainder is kept too, and a fold reads both.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.decay import Floats, Ints
from features.tables import Aggregate, Table

_HEAD = struct.Struct("<qI")
_KEY_HEAD = struct.pack("<III", 1, 2, len("customer_id")) + b"customer_id" + struct.pack("<I", 2)


def entity_key(customer_id: str) -> bytes:
    """The key of a row: Feast's entity key, serialisation version 3, of the join key customer_id (text)."""
    name = customer_id.encode()
    return _KEY_HEAD + len(name).to_bytes(4, "little") + name


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Rows of one table: `values` (n, C) float64 with NaN for missing, exact as of `as_of_us` (n,)."""

    customers: Sequence[str]
    values: Floats
    as_of_us: Ints


class Form:
    """The bytes of one table's rows."""

    def __init__(self, table: Table) -> None:
        self.checksum = table.checksum
        count = len(table.columns)
        lasting = [isinstance(column, Aggregate) and column.half_life_days == float("inf") for column in table.columns]
        self._lasting = np.flatnonzero(lasting)
        self._count = count
        self._row = np.dtype(
            [
                ("as_of", "<i8"),
                ("checksum", "<u4"),
                ("values", "<f4", (count,)),
                ("rest", "<f4", (len(self._lasting),)),
                ("missing", "u1", (-(-count // 8),)),
            ]
        )
        self._missing_at: int = self._row.fields["missing"][1]  # type: ignore[index]

    @property
    def size(self) -> int:
        """Bytes a row."""
        return self._row.itemsize

    def pack(self, stored: StoredRows) -> list[bytes]:
        """One blob a row."""
        missing = np.isnan(stored.values)
        known = np.where(missing, 0.0, stored.values)
        rows = np.empty(len(known), dtype=self._row)
        rows["as_of"], rows["checksum"] = stored.as_of_us, self.checksum
        rows["values"] = known
        rows["rest"] = (known - rows["values"])[:, self._lasting]
        rows["missing"] = np.packbits(missing, axis=1)
        packed = rows.tobytes()
        return [packed[at : at + self.size] for at in range(0, len(packed), self.size)]

    def unpack(self, blobs: Sequence[bytes]) -> tuple[Floats, Ints]:
        """Values (n, C), remainders added, and as_of (n,). The rows must all have this form (see `fits`)."""
        rows = np.frombuffer(b"".join(blobs), dtype=self._row)
        values = rows["values"].astype(np.float64)
        values[:, self._lasting] += rows["rest"]
        values[np.unpackbits(rows["missing"], axis=1, count=self._count).view(np.bool_)] = np.nan
        return values, rows["as_of"].astype(np.int64)

    def fits(self, blob: bytes) -> bool:
        """False for a row of another schema: it must not be read as this one."""
        return len(blob) == self.size and _HEAD.unpack_from(blob)[1] == self.checksum

    def as_of_us(self, blob: bytes) -> int:
        """As of when one row is exact."""
        return int(_HEAD.unpack_from(blob)[0])

    def values(self, blob: bytes) -> Floats:
        """The values (C,) of one row as the reader uses them, NaN for missing: without the remainders, without a copy more."""
        values = np.frombuffer(blob, "<f4", self._count, _HEAD.size).astype(np.float64)
        bits = np.frombuffer(blob, np.uint8, offset=self._missing_at)
        values[np.unpackbits(bits, count=self._count).view(np.bool_)] = np.nan
        return values
