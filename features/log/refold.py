"""By which rules the states of a log were folded: kept in the log itself, so that every process folds by the same.

Where the rules change all states are folded again from the records, in one transaction: wholly or not at all.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from decisioning.customer import State
from decisioning.errors import KairosError
from features.join import Customer
from features.log import folding, identity, ledger, written
from features.log.keys import Vault
from features.log.state import StateRules
from features.log.tables import customers, keys, settings

FOLDING = 3
"""Counts the ways in which records were folded by one and the same rules; a new way gets the next number."""

_NAME = "state_rules"


class _Kept(msgspec.Struct, frozen=True):
    folding: int
    rules: StateRules


def kept(connection: sa.Connection, known: StateRules) -> StateRules | None:
    """The rules that this log's states are folded by; None where none were kept yet. `known` itself where they are those.

    Raises KairosError where they are folded in a way that this code does not know.
    """
    text = _text(connection)
    if text is None:
        return None
    if text == _encoded(known):
        return known
    found = msgspec.json.decode(text, type=_Kept)
    if found.folding > FOLDING:
        raise KairosError("the states of this log are kept by a newer Kairos; upgrade Kairos")
    return found.rules


def outdated(connection: sa.Connection) -> StateRules | None:
    """The rules of a log whose states were folded by them in an older way, and need be folded again."""
    text = _text(connection)
    found = None if text is None else msgspec.json.decode(text, type=_Kept)
    return found.rules if found is not None and found.folding < FOLDING else None


def follow(connection: sa.Connection, dialect: Any, vault: Vault, rules: StateRules) -> int:
    """Keep these rules, and fold all states by them that were folded by others. How many states changed.

    The version of a changed state moves, so that a decision made from the one of before meets a conflict.
    """
    wanted = _encoded(rules)
    if _text(connection) == wanted:
        return 0
    insert = dialect.insert(settings).values(name=_NAME, value=wanted)
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": wanted}))
    changed, earlier = {}, []
    everybody = list(_customers(connection))
    for customer, after in zip(everybody, folding.folded_from(connection, vault, rules, everybody), strict=True):
        row = connection.execute(sa.select(customers).where(customers.c.customer_id == customer.name)).one_or_none()
        before, version = (State(customer_id=customer.name), 0) if row is None else (written.decode(row.body), row.version)
        if after != before:
            changed[customer.name] = (after, version)
            earlier.append(before)
    folding.write(connection, changed)
    ledger.follow(connection, earlier, (after for after, _ in changed.values()))
    return len(changed)


def _customers(connection: sa.Connection) -> Iterator[Customer]:
    """Everybody who has a state."""
    ids = connection.execute(sa.select(keys.c.customer_id)).scalars().all()
    names = identity.names(connection, ids)
    merged = set(names.values())
    for name in sorted({names.get(one, one) for one in ids}):
        yield identity.customer(connection, name) if name in merged else Customer(name=name, members=(name,))


def _text(connection: sa.Connection) -> str | None:
    return connection.execute(sa.select(settings.c.value).where(settings.c.name == _NAME)).scalar_one_or_none()


def _encoded(rules: StateRules) -> str:
    """The same text for the same rules."""
    return msgspec.json.encode(_Kept(folding=FOLDING, rules=rules), order="deterministic").decode()
