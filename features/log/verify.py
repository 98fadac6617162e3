"""Whether the log is whole: its chain, its keys, and the state that was kept from it."""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from math import isclose
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from decisioning.customer import State
from decisioning.domain import Ledger
from features.join import Joined
from features.log import chain, ledger, linking, offers, sealed, tables, written
from features.log.folding import folded_from
from features.log.identity import link_of
from features.log.keys import KeyFault, Vault
from features.log.records import Record
from features.log.state import StateRules

_LINKED = 9
"""The columns of a record that its hash covers: all but the hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`fault` is the first cause found, at record `sequence` where it is one record's; None where all is whole.

    `erased` of the `records` can no longer be read. A fault ends the search: counts are those up to it.
    """

    records: int
    erased: int
    writers: int
    customers: int
    fault: str | None = None
    sequence: int | None = None

    @property
    def whole(self) -> bool:
        return self.fault is None

    def lines(self) -> list[str]:
        counted = f"{self.records:,} records of {self.writers} writers, {self.erased:,} of them erased"
        if self.whole:
            return [f"log       whole: {counted}; the state of {self.customers:,} customers is what the records imply"]
        where = "" if self.sequence is None else f" at record {self.sequence}"
        return [f"log       broken{where}: {self.fault}", f"log       read until then: {counted}"]


class _Fault(Exception):
    def __init__(self, cause: str, sequence: int | None = None) -> None:
        super().__init__(cause)
        self.cause, self.sequence = cause, sequence


class _Count:
    records = erased = customers = 0

    def __init__(self) -> None:
        self.heads: dict[str, bytes] = {}
        self.missing: dict[int, int] = {}
        self.promised: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()


def verify(connection: sa.Connection, vault: Vault, rules: StateRules) -> Verdict:
    """Verify what one transaction sees. `rules` must be those that the state was kept by."""
    count, fault, sequence = _Count(), None, None
    try:
        _chain(connection, vault, count)
        _message_ids(connection)
        _states(connection, vault, rules, count, _identities(connection, vault))
        _ledger(connection, count)
        _derived(connection, vault, erased=count.erased > 0)
    except _Fault as found:
        fault, sequence = found.cause, found.sequence
    return Verdict(
        records=count.records,
        erased=count.erased,
        writers=len(count.heads),
        customers=count.customers,
        fault=fault,
        sequence=sequence,
    )


def _chain(connection: sa.Connection, vault: Vault, count: _Count) -> None:
    """Every record follows its writer's last, each opens with its key, and the last of all is the one that was kept."""
    table, owned = tables.records, tables.keys
    everything = sa.select(*table.c, owned.c.customer_id, owned.c.wrapped)
    query = everything.outerjoin_from(table, owned, owned.c.owner == table.c.owner).order_by(table.c.sequence)
    with connection.execute(query.execution_options(yield_per=5_000)) as rows:
        for row in rows:
            if _linked(count.heads.get(row.writer, chain.BEGINNING), row) != row.hash:
                raise _Fault(f"the record, or one of writer {row.writer!r} before it, was changed or removed", row.sequence)
            count.heads[row.writer] = row.hash
            count.records += 1
            if row.owner is not None and row.customer_id is None:
                count.erased += 1
                count.missing.setdefault(row.owner, row.sequence)
                continue
            record = _opened(row, vault)
            if record.kind == "erasure":
                for owner in record.body.get("owners", [record.body["owner"]]):
                    count.missing.pop(owner, None)
    for owner, sequence in count.missing.items():
        raise _Fault(f"the key of owner {owner} is missing, and no erasure tells why", sequence)
    kept = {row.writer: row.hash for row in connection.execute(sa.select(tables.writers))}
    for writer in sorted(kept.keys() | count.heads.keys()):
        if kept.get(writer) != count.heads.get(writer):
            raise _Fault(f"the last records of writer {writer!r} are missing")


def _linked(previous: bytes, row: Any) -> bytes | None:
    try:
        return chain.link(previous, *row[:_LINKED])
    except (TypeError, AttributeError, struct.error):  # a value of another type, or beyond its range
        return None


def _opened(row: Any, vault: Vault) -> Record:
    try:
        return sealed.record_of(row, vault)
    except KeyFault as fault:
        raise _Fault(str(fault.__cause__ or fault), row.sequence) from fault


def _message_ids(connection: sa.Connection) -> None:
    ids = tables.records.c
    query = sa.select(ids.message_id, sa.func.max(ids.sequence)).group_by(ids.message_id).having(sa.func.count() > 1)
    for message_id, sequence in connection.execute(query.limit(1)):
        raise _Fault(f"the message id {message_id!r} is there twice", sequence)


def _identities(connection: sa.Connection, vault: Vault) -> Joined:
    """The links and names kept are those that identity records tell; who is who by them."""
    query = sealed.READABLE.where(tables.records.c.kind == "identity").order_by(tables.records.c.sequence)
    with connection.execute(query.execution_options(yield_per=5_000)) as rows:
        links, names, joined = linking.implied((row.sequence, link_of(sealed.record_of(row, vault))) for row in rows)
    for kept, made in zip_longest(_in_order(connection, tables.links), [*links, None]):
        if kept != made:
            raise _Fault("the links kept are not those that the records tell", min(one[0] for one in (kept, made) if one))
    for kept, made in zip_longest(_in_order(connection, tables.identities), [*names, None]):
        if kept != made:
            raise _Fault("the names kept are not those that the links imply")
    return joined


def _states(connection: sa.Connection, vault: Vault, rules: StateRules, count: _Count, joined: Joined) -> None:
    """The states kept are those that the records imply. Nobody but the owners of keys has one, under one of their ids."""
    owned, kept = tables.keys, tables.customers
    strangers = sa.select(kept.c.customer_id).outerjoin(owned, owned.c.customer_id == kept.c.customer_id)
    if connection.execute(strangers.where(owned.c.owner.is_(None)).limit(1)).first():
        raise _Fault("a state is kept of a customer who has no records, or was erased")
    query = sa.select(owned.c.owner, owned.c.customer_id, kept.c.body)
    rows = connection.execute(query.outerjoin_from(owned, kept, _same)).all()
    meant = joined.customers(row.customer_id for row in rows)
    for owner, customer_id, body in rows:
        customer = meant[customer_id]
        if customer.name != customer_id:
            if body is not None:
                raise _Fault(f"a state is kept of owner {owner}, whose id is another customer's")
            continue
        there = State(customer_id=customer_id) if body is None else written.decode(body)
        if there != next(folded_from(connection, vault, rules, [customer])):
            last = sa.select(sa.func.max(tables.records.c.sequence)).where(tables.records.c.owner == owner)
            raise _Fault(
                f"the state kept of owner {owner} is not the one its records imply", connection.execute(last).scalar_one()
            )
        count.customers += 1
        for action, one in ledger.implied([there]).items():
            count.promised[action] += one.ended
            count.kept[action] += one.kept


_same = tables.keys.c.customer_id == tables.customers.c.customer_id


def _ledger(connection: sa.Connection, count: _Count) -> None:
    """The promises counted are those of the states; an erased customer's stay counted."""
    kept = ledger.kept_of(connection)
    for action in sorted(kept.keys() | count.promised.keys()):
        there, made = kept.get(action, Ledger()), Ledger(ended=count.promised[action], kept=count.kept[action])
        if there != made and not (count.erased and there.ended >= made.ended and there.kept >= made.kept):
            raise _Fault(f"the promises counted of {action} are not those that the states tell of")


def _derived(connection: sa.Connection, vault: Vault, *, erased: bool) -> None:
    """Offers and the learner's evidence are those that decisions and outcomes imply.

    An erased customer's decisions have taught the learner and cannot be read: then its counts may be higher.
    """
    kinds = tables.records.c.kind.in_(("decision", "outcome"))
    engine = sa.create_engine("sqlite://")
    try:
        with engine.begin() as again:
            tables.metadata.create_all(again)
            query = sealed.READABLE.where(kinds).order_by(tables.records.c.sequence)
            for rows in connection.execute(query.execution_options(yield_per=500)).partitions():
                offers.follow(again, sqlite, [sealed.record_of(row, vault) for row in rows])
            for kept, made in zip(_in_order(connection, tables.offers), _in_order(again, tables.offers), strict=False):
                if kept != made:
                    raise _Fault(f"the offers kept of decision {(kept or made)[0]} are not those that it put out")
            evidence = {tuple(row[:2]): row for row in again.execute(sa.select(tables.learner))}
            kept_evidence = {tuple(row[:2]): row for row in connection.execute(sa.select(tables.learner))}
    finally:
        engine.dispose()
    for key in sorted(evidence.keys() | kept_evidence.keys()):
        kept, made = kept_evidence.get(key), evidence.get(key)
        if not _agrees(kept, made, erased=erased):
            raise _Fault(f"the evidence kept of {' at '.join(key)} is not what outcomes taught")


def _in_order(connection: sa.Connection, table: sa.Table) -> Iterator[Any]:
    # by bytes on either side: each database has an order of its own for text
    bytewise = "BINARY" if connection.dialect.name == "sqlite" else "C"
    order = [sa.collate(one, bytewise) if isinstance(one.type, sa.Text) else one for one in table.primary_key.columns]
    with connection.execute(sa.select(table).order_by(*order).execution_options(yield_per=5_000)) as rows:
        yield from map(tuple, rows)
    yield None


def _agrees(kept: Any, made: Any, *, erased: bool) -> bool:
    if kept is None or made is None:
        return erased and made is None
    if erased:
        return bool(kept.shows >= made.shows and kept.successes >= made.successes)
    same = (kept.shows, kept.successes) == (made.shows, made.successes)
    return same and isclose(kept.expected, made.expected, rel_tol=1e-9, abs_tol=1e-9)
