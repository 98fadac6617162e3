"""The online rows of customers whose ids changed: made anew from all that the log holds of them.

What a file says of an id goes with it to the customer who has it now, where nothing is said of that one already. Of who lost
an id a file says nothing any more: it may have been matched by what the id told. The next load of the store puts the files
together again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from features.facts import KINDS, Reader
from features.folded_rows import folded, read
from features.join import ALWAYS, Customer, is_anonymous
from features.log.identity import Identity
from features.log.records import Record, microseconds
from features.packed_rows import StoredRows
from features.stores import Writing
from features.tables import Table

AT_ONCE = 100
"""Customers whose records are in memory together."""


class KnowsCustomers(Protocol):
    """What joining needs of the log."""

    def customer(self, customer_id: str) -> Customer: ...

    def relinked(self, *, after: int, until: int) -> Mapping[str, int]:
        """The ids whose customer may have changed by what the records of these sequences told (`after` excluded), and when
        that became known (microseconds)."""
        ...

    def identity(self, customer_id: str) -> Identity:
        """Whom an id means, with every link that told of it."""
        ...

    def read_of(self, customer_ids: Sequence[str], *, until: int | None, kinds: Sequence[str]) -> Iterator[Record]:
        """The records that came with these ids, in the order of the log."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejoining:
    """Makes the rows of `tables` anew. `time_zone` is the brand's (IANA)."""

    log: KnowsCustomers
    tables: Sequence[Table]
    reader: Reader
    time_zone: str

    def rejoin(self, writing: Writing, *, after: int, until: int) -> frozenset[str]:
        """Make anew the rows of whoever these records may have changed, as of the record `until`, and delete those of ids
        that name nobody any more; the names of whom the rows are."""
        since = self.log.relinked(after=after, until=until)
        customers = sorted({self.log.customer(one) for one in since}, key=lambda one: one.name)
        for start in range(0, len(customers), AT_ONCE):
            self._made_anew(customers[start : start + AT_ONCE], since, writing, until)
        return frozenset(customer.name for customer in customers)

    def fold_anew(self, deleted: Collection[str], writing: Writing) -> None:
        """The same for whoever these ids mean, up to the cursor. Nothing is left of their own rows, deleted just before."""
        customers = sorted({self.log.customer(one) for one in deleted}, key=lambda one: one.name)
        self._made_anew(customers, {}, writing, writing.cursor, deleted)

    def _made_anew(
        self,
        customers: Sequence[Customer],
        since: Mapping[str, int],
        writing: Writing,
        until: int,
        deleted: Collection[str] = (),
    ) -> None:
        names = {member: customer.name for customer in customers for member in customer.members}
        known = {one.name: max(since.get(member, 0) for member in one.members) for one in customers}
        batch = read(self.reader, list(self.log.read_of(list(names), until=until, kinds=KINDS)), names)
        rows: dict[str, StoredRows | None] = {}
        for table in self.tables:
            if table.source == "first_party":
                rows[table.name] = _not_before(folded(table, batch, self.reader, self.time_zone), known)
            else:
                said = writing.rows(table.name, [one for one in names if one not in deleted])
                rows[table.name] = _handed_on(said, names, self._losers(said, names, since))
        for member in names:
            writing.delete(member)
        for view, stored in rows.items():
            if stored is not None:
                writing.put(view, stored)

    def _losers(self, stored: StoredRows, names: Mapping[str, str], since: Mapping[str, int]) -> frozenset[str]:
        """Of the customers with these rows those who had a device that moved: it was theirs before its new link was known."""
        moved = {one: at for one, at in since.items() if is_anonymous(one)}
        asked = {names[one] for one in stored.customers} if moved else ()
        told = {name: self.log.identity(name).told for name in asked}
        return frozenset(
            name
            for name, links in told.items()
            if any(one.set_aside and microseconds(one.known_time) <= moved.get(one.source, ALWAYS) for one in links)
        )


def _not_before(stored: StoredRows | None, known_us: Mapping[str, int]) -> StoredRows | None:
    if stored is None:
        return None
    joined = np.array([known_us[one] for one in stored.customers], dtype=np.int64)
    return replace(stored, known_us=np.maximum(stored.known_us, joined))


def _handed_on(stored: StoredRows, names: Mapping[str, str], losers: Collection[str]) -> StoredRows:
    """Of the rows of each customer's ids the one of the name itself, else the one known last; none of the losers'."""
    chosen: dict[str, tuple[bool, int, str, int]] = {}
    for row, one in enumerate(stored.customers):
        if names[one] in losers:
            continue
        place = (one == names[one], int(stored.known_us[row]), one, row)
        chosen[names[one]] = max(chosen.get(names[one], place), place)
    rows = np.array([place[-1] for place in chosen.values()], dtype=np.intp)
    return StoredRows(list(chosen), stored.values[rows], stored.as_of_us[rows], stored.known_us[rows])
