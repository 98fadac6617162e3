"""What records make of the stored rows of one table: the step that following the log and starting anew share."""

from collections.abc import Mapping, Sequence

import numpy as np

from features.decay import fold, restarted
from features.facts import Batch, Reader
from features.log.records import Record, microseconds
from features.packed_rows import StoredRows
from features.stores import Writing
from features.tables import Table
from features.terms import terms


def read(reader: Reader, records: Sequence[Record], names: Mapping[str, str]) -> Batch:
    """Records of the kinds in KINDS, each told of the customer whom `names` gives for its id, else of the id itself."""
    return reader.read(
        kinds=[record.kind for record in records],
        customers=[record.customer_id and names.get(record.customer_id, record.customer_id) for record in records],
        event_us=[microseconds(record.event_time) for record in records],
        known_us=[microseconds(record.known_time) for record in records],
        payloads=[record.payload for record in records],
    )


def folded(table: Table, batch: Batch, reader: Reader, time_zone: str, writing: Writing | None = None) -> StoredRows | None:
    """The rows of the batch's customers after its records; None where these say nothing to the table.

    They fold on from the rows that `writing` holds; without it they start anew.
    """
    brought = terms(table, batch, reader, time_zone)
    if not len(brought.rows):
        return None
    customers = [str(batch.customers[row]) for row in brought.rows]
    code = {customer: at for at, customer in enumerate(dict.fromkeys(customers))}
    values, times, known = brought.values, batch.time_us[brought.rows], batch.moment_us[brought.rows]
    if writing is not None:
        # a stored row is the first term of its customer, then the new records in the order of the log
        stored = writing.rows(table.name, list(code))
        customers = [*stored.customers, *customers]
        values = np.concatenate([restarted(table.aggregates, stored.values, stored.as_of_us), values])
        times, known = np.concatenate([stored.as_of_us, times]), np.concatenate([stored.known_us, known])
    who = np.array([code[customer] for customer in customers], dtype=np.int64)
    order = np.argsort(who, kind="stable")
    starts = np.diff(who[order], prepend=-1) != 0
    after = fold(table.aggregates, values[order], times[order], starts)
    last = np.append(starts[1:], True)
    latest = np.maximum.reduceat(known[order], np.flatnonzero(starts))
    return StoredRows(list(code), after.values[last], after.as_of_us[last], latest)
