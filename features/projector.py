"""The online profile follows the log: records after the store's cursor are folded into its rows.

Rows and cursor move in one transaction, so that a record is folded exactly once whatever is interrupted. Whom an id means is
asked of the log as it is now: where that runs ahead of the records read, the record that links the ids is still to come, and
their rows are made anew with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from features.facts import KINDS, Reader
from features.folded_rows import folded, read
from features.log.records import Record
from features.rejoining import KnowsCustomers, Rejoining
from features.schema import ProfileSpec
from features.stores import Store, Writing

FOLLOWED = (*KINDS, "identity")
"""The kinds of records that a profile changes with."""

BATCH = 2_000
"""Records folded in one transaction."""


class ReadsRecords(KnowsCustomers, Protocol):
    """What the projector needs of the log."""

    def read(self, *, after: int, kinds: Sequence[str], limit: int | None) -> Iterator[Record]: ...

    def names(self, customer_ids: Sequence[str]) -> Mapping[str, str]:
        """The customer's name for each of these ids that is not its own."""
        ...


class Projector:
    """Keeps one store up to one log. Several at once are safe, and useless. `time_zone` is the brand's (IANA)."""

    def __init__(self, log: ReadsRecords, store: Store, spec: ProfileSpec, time_zone: str) -> None:
        self._log, self._store, self._time_zone = log, store, time_zone
        self._tables = tuple(table for table in spec.tables if table.source == "first_party")
        self._reader = Reader(spec)
        self._rejoining = Rejoining(log=log, tables=spec.tables, reader=self._reader, time_zone=time_zone)

    def run_once(self, *, going_on: Callable[[], bool] = lambda: True) -> int:
        """Fold what the log holds beyond the cursor; how many records that was. Raises StoreError for a stale store.

        `going_on` is asked before each batch; where it says no, the rest is left for the next time.
        """
        done = 0
        while going_on():
            cursor = self._store.cursor
            records = self._next(cursor)
            if not records:
                break
            with self._store.writing() as writing:
                if writing.cursor != cursor:
                    continue  # another projector was here first, or a load that begins further back
                self._fold(records, writing)
                writing.move(records[-1].sequence)
            done += len(records)
        return done

    def fold_anew(self, customer_ids: Sequence[str], writing: Writing) -> None:
        """Fold what the log holds of these ids, whose rows were just deleted, up to the cursor into rows again.

        An id that means another customer by now is folded into that one's row, which is made anew as a whole.
        """
        self._rejoining.fold_anew(customer_ids, writing)

    def _next(self, cursor: int) -> list[Record]:
        return list(self._log.read(after=cursor, kinds=FOLLOWED, limit=BATCH))

    def _fold(self, records: Sequence[Record], writing: Writing) -> None:
        made_anew: frozenset[str] = frozenset()
        if any(record.kind not in KINDS for record in records):
            first, last = records[0].sequence, records[-1].sequence
            made_anew = self._rejoining.rejoin(writing, after=first - 1, until=last)
        names = self._log.names(list({record.customer_id for record in records if record.customer_id is not None}))
        folding = [record for record in records if record.kind in KINDS and _name(record, names) not in made_anew]
        batch = read(self._reader, folding, names)
        for table in self._tables:
            stored = folded(table, batch, self._reader, self._time_zone, writing)
            if stored is not None:
                writing.put(table.name, stored)


def _name(record: Record, names: Mapping[str, str]) -> str | None:
    return record.customer_id and names.get(record.customer_id, record.customer_id)
