"""Records as they are stored: sealed with their customer's key, chained to their writer's last. Written and read here only."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from features.log import bulk, chain
from features.log.keys import KeyFault, Vault, nonces, seal, unseal
from features.log.records import Record, microseconds, moment
from features.log.tables import keys, records, writers

READABLE: sa.Select[Any] = (
    sa.select(*records.c, keys.c.customer_id, keys.c.wrapped)
    .outerjoin_from(records, keys, keys.c.owner == records.c.owner)
    .where(sa.or_(records.c.owner.is_(None), keys.c.owner.is_not(None)))
)
"""Every record but those of erased customers: they have an owner and no key."""


def next_sequence(connection: sa.Connection) -> int:
    """The first sequence that is free. Only inside a writing transaction does it stay so."""
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(records.c.sequence), 0))).scalar_one()) + 1


def write(
    connection: sa.Connection, dialect: Any, vault: Vault, fresh: Sequence[Record], *, writer: str, sequences: Iterable[int]
) -> None:
    """Seal and chain records and insert them, under the sequences given, in ascending order."""
    owners = _owners(connection, vault, {record.customer_id for record in fresh if record.customer_id is not None})
    previous = connection.execute(sa.select(writers.c.hash).where(writers.c.writer == writer)).scalar_one_or_none()
    previous = previous or chain.BEGINNING
    rows = []
    for sequence, record, nonce in zip(sequences, fresh, nonces(len(fresh)), strict=True):
        owner, payload = None, record.payload
        if record.customer_id is not None:
            owner, cipher = owners[record.customer_id]
            payload = seal(cipher, nonce, payload, record.message_id)
        event_us, known_us = microseconds(record.event_time), microseconds(record.known_time)
        row = (sequence, record.message_id, record.kind, record.version, owner, event_us, known_us, writer, payload)
        previous = chain.link(previous, *row)
        rows.append((*row, previous))
    bulk.insert(connection, records, rows)
    head = dialect.insert(writers).values(writer=writer, hash=previous)
    connection.execute(head.on_conflict_do_update(index_elements=["writer"], set_={"hash": previous}))


def record_of(row: Any, vault: Vault) -> Record:
    """The record of a row of READABLE. Raises KeyFault where its payload is not what was sealed."""
    return Record(
        sequence=row.sequence,
        message_id=row.message_id,
        kind=row.kind,
        version=row.version,
        customer_id=row.customer_id,
        event_time=moment(row.event_us),
        known_time=moment(row.known_us),
        payload=payload_of(row, vault),
    )


def payload_of(row: Any, vault: Vault) -> bytes:
    if row.owner is None:
        return bytes(row.payload)
    return _payload(vault, row.sequence, row.owner, row.customer_id, row.wrapped, row.message_id, row.payload)


def payloads_of(columns: Mapping[str, Sequence[Any]], vault: Vault) -> list[bytes]:
    """The same of many rows of READABLE at once, given as columns."""
    names = ("sequence", "owner", "customer_id", "wrapped", "message_id", "payload")
    return [
        bytes(row[-1]) if row[1] is None else _payload(vault, *row)
        for row in zip(*(columns[name] for name in names), strict=True)
    ]


def _payload(
    vault: Vault, sequence: int, owner: int, customer_id: str, wrapped: bytes, message_id: str, stored: bytes
) -> bytes:
    try:
        return unseal(vault.cipher(owner, customer_id, wrapped), stored, message_id)
    except KeyFault as fault:
        raise KeyFault(f"record {sequence}: {fault}; 'kairos verify-log' tells how much is whole") from fault


def _owners(connection: sa.Connection, vault: Vault, customers: set[str]) -> dict[str, tuple[int, Any]]:
    """(owner, cipher) of each customer; who has no key gets one."""
    columns = (keys.c.customer_id, keys.c.owner, keys.c.wrapped)
    found = {
        customer_id: (owner, vault.cipher(owner, customer_id, wrapped))
        for customer_id, owner, wrapped in bulk.those_in(connection, keys.c.customer_id, sorted(customers), *columns)
    }
    made = []
    for customer_id in sorted(customers - found.keys()):
        owner, wrapped = vault.new_key(customer_id)
        made.append((customer_id, owner, wrapped))
        found[customer_id] = (owner, vault.cipher(owner, customer_id, wrapped))
    if made:
        bulk.insert(connection, keys, made)
    return found
