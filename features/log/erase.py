"""Erasing a customer: the key is destroyed, what was derived is deleted, and the chain is left as it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any

import msgspec
import sqlalchemy as sa

from features.log import bulk, folding, identity, linking, pending, sealed
from features.log.keys import Vault
from features.log.pending import Pending
from features.log.records import Record
from features.log.state import StateRules
from features.log.tables import keys, offers, records

REMAINS = "records are ciphertext whose key is destroyed, with their message id, times, kind and a number that names nobody"
_BODY = ("owner", "owners", "erased_at", "records", "states", "offers", "links", "remains")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was erased of one customer, and what remains. `sequence` is that of the log's own record of the erasure.

    `owners` are the numbers that the customer's records bear, one for each id that records came with; `owner` is the first.
    `records` can never be read again; `states`, `offers` and `links` (between the customer's ids) are deleted rows.
    `members` are the ids; they are told to the caller and kept nowhere.
    """

    receipt_id: str
    owner: int
    sequence: int
    erased_at: datetime
    records: int
    states: int
    offers: int
    remains: str = REMAINS
    owners: tuple[int, ...] = ()
    links: int = 0
    members: tuple[str, ...] = ()


def erase(
    connection: sa.Connection,
    dialect: Any,
    vault: Vault,
    rules: StateRules,
    customer_id: str,
    *,
    writer: str,
    at: datetime,
    remains: Sequence[str] = (),
) -> Receipt | None:
    """Erase the customer whom an id means in the caller's transaction; None where the log knows nobody of this id.

    An anonymous id that another customer was linked with too, later, is theirs from now on; what it did before is erased.
    `remains` tells what the database keeps of what was deleted.
    """
    members = identity.customer(connection, customer_id).members
    whose = bulk.those_in(connection, keys.c.customer_id, members, keys.c.customer_id, keys.c.owner)
    owners = tuple(owner for _, owner in sorted(whose))
    if not owners:
        return None
    kept = sum(1 for _ in bulk.those_in(connection, records.c.owner, owners, records.c.sequence))
    bulk.delete(connection, keys.c.customer_id, members)
    states = folding.forget(connection, members)
    links, change = linking.forget(connection, members)
    receipt = Receipt(
        receipt_id=f"erasure-{token_hex(12)}",
        owner=owners[0],
        owners=owners,
        sequence=sealed.next_sequence(connection),
        erased_at=at,
        records=kept,
        states=states,
        offers=bulk.delete(connection, offers.c.customer_id, members),
        links=links,
        members=members,
        remains="; ".join((REMAINS, *remains)),
    )
    told = Record(
        kind="erasure",
        message_id=receipt.receipt_id,
        customer_id=None,
        event_time=at,
        known_time=at,
        payload=msgspec.json.encode({name: getattr(receipt, name) for name in _BODY}),
    )
    sealed.write(connection, dialect, vault, [told], writer=writer, sequences=[receipt.sequence])
    folding.rejoined(connection, vault, rules, change)
    pending.keep(connection, vault, Pending(receipt_id=receipt.receipt_id, sequence=receipt.sequence, members=members))
    return receipt
