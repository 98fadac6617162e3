"""Erasures that the log has done and the workspace has not yet: whose tables must still be cleaned, sealed until they are."""

import base64
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from features.log.keys import Vault
from features.log.tables import settings

_PREFIX = "erasing "


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The ids of an erased customer. What tables know of them from before record `sequence` must go."""

    receipt_id: str
    sequence: int
    members: tuple[str, ...]


def keep(connection: sa.Connection, vault: Vault, pending: Pending) -> None:
    name = _PREFIX + pending.receipt_id
    value = base64.b64encode(vault.seal(msgspec.json.encode(pending), name)).decode()
    connection.execute(sa.insert(settings).values(name=name, value=value))


def of(connection: sa.Connection, vault: Vault, customer_id: str) -> list[Pending]:
    """Those that an id was erased with."""
    rows = connection.execute(sa.select(settings).where(settings.c.name.startswith(_PREFIX)).order_by(settings.c.name))
    found = [msgspec.json.decode(vault.unseal(base64.b64decode(row.value), row.name), type=Pending) for row in rows]
    return [one for one in found if customer_id in one.members]


def drop(connection: sa.Connection, receipt_id: str) -> None:
    connection.execute(sa.delete(settings).where(settings.c.name == _PREFIX + receipt_id))
