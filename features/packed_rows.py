"""The stored form of a profile row: numbers to bytes and back, without an object a value.

    int64   as of, microseconds since 1970 UTC
    uint32  checksum of the table (see `features.tables.Table`) and of this layout
    int64   known: when the row became known and effective (Feast's event timestamp), microseconds since 1970 UTC
    float32 a value each column
    float32 what float32 rounded away, for each column that never forgets (see below)
    bits    1 where a value is missing, a bit each column, first column in the highest bit

Everything is little-endian. A decaying number forgets its rounding errors; a total or a day count does not, and a million
small additions would go astray: for those the remainder is kept too, and a fold reads both.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.decay import Floats, Ints
from features.tables import Aggregate, Table

_HEAD = struct.Struct("<qIq")
_LAYOUT = b"2"  # changes with the layout, so that rows of another one never fit
_KEY_HEAD = struct.pack("<III", 1, 2, len("customer_id")) + b"customer_id" + struct.pack("<I", 2)


def entity_key(customer_id: str) -> bytes:
    """The key of a row: Feast's entity key, serialisation version 3, of the join key customer_id (text)."""
    name = customer_id.encode()
    return _KEY_HEAD + len(name).to_bytes(4, "little") + name


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Rows of one table: `values` (n, C) float64 with NaN for missing, exact as of `as_of_us` (n,).

    `known_us` (n,) is when each row became known and effective, never earlier than what it is as of.
    """

    customers: Sequence[str]
    values: Floats
    as_of_us: Ints
    known_us: Ints


class Form:
    """The bytes of one table's rows."""

    def __init__(self, table: Table) -> None:
        self.checksum = zlib.crc32(_LAYOUT, table.checksum)
        count = len(table.columns)
        lasting = [isinstance(column, Aggregate) and column.half_life_days == float("inf") for column in table.columns]
        self._lasting = np.flatnonzero(lasting)
        self._count = count
        self._row = np.dtype(
            [
                ("as_of", "<i8"),
                ("checksum", "<u4"),
                ("known", "<i8"),
                ("values", "<f4", (count,)),
                ("rest", "<f4", (len(self._lasting),)),
                ("missing", "u1", (-(-count // 8),)),
            ]
        )
        self._complete = bytes(-(-count // 8))  # how a row ends of which no value is missing
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
        rows["as_of"], rows["checksum"], rows["known"] = stored.as_of_us, self.checksum, stored.known_us
        rows["values"] = known
        rows["rest"] = (known - rows["values"])[:, self._lasting]
        rows["missing"] = np.packbits(missing, axis=1)
        packed, size = rows.tobytes(), self.size
        return [packed[at : at + size] for at in range(0, len(packed), size)]

    def unpack(self, customers: Sequence[str], blobs: Sequence[bytes]) -> StoredRows:
        """What `pack` was given, remainders added. The rows must all have this form (see `fits`)."""
        rows = np.frombuffer(b"".join(blobs), dtype=self._row)
        values = rows["values"].astype(np.float64)
        values[:, self._lasting] += rows["rest"]
        values[np.unpackbits(rows["missing"], axis=1, count=self._count).view(np.bool_)] = np.nan
        return StoredRows(customers, values, rows["as_of"].astype(np.int64), rows["known"].astype(np.int64))

    def fits(self, blob: bytes) -> bool:
        """False for a row of another schema: it must not be read as this one."""
        return len(blob) == self.size and _HEAD.unpack_from(blob)[1] == self.checksum

    def times_us(self, blob: bytes) -> tuple[int, int]:
        """As of when one row is exact, and when it became known."""
        as_of, _, known = _HEAD.unpack_from(blob)
        return as_of, known

    def values(self, blob: bytes) -> Floats:
        """The values (C,) of one row as the reader uses them, NaN for missing: without the remainders, without a copy more."""
        values = np.frombuffer(blob, "<f4", self._count, _HEAD.size).astype(np.float64)
        if not blob.endswith(self._complete):
            bits = np.frombuffer(blob, np.uint8, offset=self._missing_at)
            values[np.unpackbits(bits, count=self._count).view(np.bool_)] = np.nan
        return values
