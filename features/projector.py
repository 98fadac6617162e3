"""The online profile follows the log: records after the store's cursor are folded into its rows.

Rows and cursor move in one transaction, so that a record is folded exactly once whatever is interrupted.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from features.decay import fold, restarted
from features.facts import KINDS, Batch, Reader
from features.log.records import Record, microseconds
from features.packed_rows import StoredRows
from features.schema import ProfileSpec
from features.stores import Store, Writing
from features.tables import Table
from features.terms import terms

BATCH = 2_000
"""Records folded in one transaction."""


class ReadsRecords(Protocol):
    """What the projector needs of the log."""

    def read(self, *, after: int, kinds: Sequence[str], limit: int | None) -> Iterator[Record]: ...
    def read_of(self, customer_ids: Sequence[str], *, until: int | None, kinds: Sequence[str]) -> Iterator[Record]: ...


class Projector:
    """Keeps one store up to one log. Several at once are safe, and useless. `time_zone` is the brand's (IANA)."""

    def __init__(self, log: ReadsRecords, store: Store, spec: ProfileSpec, time_zone: str) -> None:
        self._log, self._store, self._time_zone = log, store, time_zone
        self._tables = tuple(table for table in spec.tables if table.source == "first_party")
        self._reader = Reader(spec)

    def run_once(self) -> int:
        """Fold what the log holds beyond the cursor; how many records that was. Raises StoreError for a stale store."""
        folded = 0
        while records := self._next(self._store.cursor):
            with self._store.writing() as writing:
                if writing.cursor >= records[0].sequence:
                    continue  # another projector was here first
                self._fold_in(records, writing)
                writing.move(records[-1].sequence)
            folded += len(records)
        return folded

    def fold_anew(self, customer_ids: Sequence[str], writing: Writing) -> None:
        """Fold what the log holds of these ids, up to the cursor, into their rows, which are none."""
        self._fold_in(list(self._log.read_of(customer_ids, until=writing.cursor, kinds=KINDS)), writing)

    def _next(self, cursor: int) -> list[Record]:
        return list(self._log.read(after=cursor, kinds=KINDS, limit=BATCH))

    def _fold_in(self, records: Sequence[Record], writing: Writing) -> None:
        batch = self._reader.read(
            kinds=[record.kind for record in records],
            customers=[record.customer_id for record in records],
            event_us=[microseconds(record.event_time) for record in records],
            known_us=[microseconds(record.known_time) for record in records],
            payloads=[record.payload for record in records],
        )
        for table in self._tables:
            self._fold(table, batch, writing)

    def _fold(self, table: Table, batch: Batch, writing: Writing) -> None:
        brought = terms(table, batch, self._reader, self._time_zone)
        if not len(brought.rows):
            return
        customers = [str(batch.customers[row]) for row in brought.rows]
        code = {customer: at for at, customer in enumerate(dict.fromkeys(customers))}
        stored = writing.rows(table.name, list(code))
        # a stored row is the first term of its customer, then the new records in the order of the log
        who = np.array([code[customer] for customer in (*stored.customers, *customers)], dtype=np.int64)
        values = np.concatenate([restarted(table.aggregates, stored.values, stored.as_of_us), brought.values])
        times = np.concatenate([stored.as_of_us, batch.time_us[brought.rows]])
        order = np.argsort(who, kind="stable")
        starts = np.diff(who[order], prepend=-1) != 0
        after = fold(table.aggregates, values[order], times[order], starts)
        last = np.append(starts[1:], True)
        known = np.concatenate([stored.known_us, batch.moment_us[brought.rows]])
        latest = np.maximum.reduceat(known[order], np.flatnonzero(starts))
        writing.put(table.name, StoredRows(list(code), after.values[last], after.as_of_us[last], latest))
