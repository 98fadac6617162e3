"""What version 1 wrote is taken over once, when its log is first opened by this version: sealed, chained, its states folded.

Migration 0002 puts the old records aside as `records_v1`. They keep their sequences and their version; their writer is
`v1`, whose last hash is the anchor that covers them all from then on.
"""

from typing import Any

import sqlalchemy as sa

from features.join import Customer
from features.log import sealed, written
from features.log.folding import folded_from
from features.log.keys import Vault
from features.log.records import Record, moment
from features.log.state import StateRules
from features.log.tables import customers, keys

WRITER = "v1"
_BATCH = 5_000

_aside = sa.table(
    "records_v1",
    *map(sa.column, ("sequence", "message_id", "kind", "version", "customer_id", "event_us", "known_us", "payload")),
)


def adopt(connection: sa.Connection, dialect: Any, vault: Vault, rules: StateRules) -> None:
    """Take over what version 1 left, if it left anything; in the caller's transaction, so wholly or not at all."""
    if not sa.inspect(connection).has_table(_aside.name):
        return
    last = 0
    while rows := connection.execute(
        sa.select(_aside).where(_aside.c.sequence > last).order_by(_aside.c.sequence).limit(_BATCH)
    ).all():
        fresh = [
            Record(
                kind=row.kind,
                message_id=row.message_id,
                customer_id=row.customer_id,
                event_time=moment(row.event_us),
                known_time=moment(row.known_us),
                payload=row.payload,
                version=row.version,
            )
            for row in rows
        ]
        sealed.write(connection, dialect, vault, fresh, writer=WRITER, sequences=[row.sequence for row in rows])
        last = rows[-1].sequence
    for customer_id in connection.execute(sa.select(keys.c.customer_id)).scalars().all():
        folded = next(folded_from(connection, vault, rules, [Customer(name=customer_id, members=(customer_id,))]))
        change = sa.update(customers).where(customers.c.customer_id == customer_id)
        connection.execute(change.values(version=customers.c.version + 1, body=written.encode(folded)))
    connection.exec_driver_sql(f"DROP TABLE {_aside.name}")
