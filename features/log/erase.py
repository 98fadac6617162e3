"""Erasing a customer: the key is destroyed, what was derived is deleted, and the chain is left as it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any

import msgspec
import sqlalchemy as sa

from features.log import sealed
from features.log.keys import Vault
from features.log.records import Record
from features.log.tables import customers, keys, offers, records

REMAINS = "records are ciphertext whose key is destroyed, with their message id, times, kind and a number that names nobody"
_BODY = ("owner", "erased_at", "records", "states", "offers", "remains")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was erased of one customer, and what remains. `sequence` is that of the log's own record of the erasure.

    `owner` is the number that the customer's records bear. `records` can never be read again; `states` and `offers` rows
    are deleted.
    """

    receipt_id: str
    owner: int
    sequence: int
    erased_at: datetime
    records: int
    states: int
    offers: int
    remains: str = REMAINS


def erase(
    connection: sa.Connection,
    dialect: Any,
    vault: Vault,
    customer_id: str,
    *,
    writer: str,
    at: datetime,
    remains: Sequence[str] = (),
) -> Receipt | None:
    """Erase in the caller's transaction; None where the log knows nobody of this id. `remains`: what the database keeps."""
    owner = connection.execute(sa.select(keys.c.owner).where(keys.c.customer_id == customer_id)).scalar_one_or_none()
    if owner is None:
        return None
    count = sa.select(sa.func.count()).select_from(records).where(records.c.owner == owner)
    receipt = Receipt(
        receipt_id=f"erasure-{token_hex(12)}",
        owner=owner,
        sequence=sealed.next_sequence(connection),
        erased_at=at,
        records=int(connection.execute(count).scalar_one()),
        states=connection.execute(sa.delete(customers).where(customers.c.customer_id == customer_id)).rowcount,
        offers=connection.execute(sa.delete(offers).where(offers.c.customer_id == customer_id)).rowcount,
        remains="; ".join((REMAINS, *remains)),
    )
    connection.execute(sa.delete(keys).where(keys.c.customer_id == customer_id))
    told = Record(
        kind="erasure",
        message_id=receipt.receipt_id,
        customer_id=None,
        event_time=at,
        known_time=at,
        payload=msgspec.json.encode({name: getattr(receipt, name) for name in _BODY}),
    )
    sealed.write(connection, dialect, vault, [told], writer=writer, sequences=[receipt.sequence])
    return receipt
