"""Who is who in the log, as its records tell it: read from the two tables that `features.log.linking` keeps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from features.join import Customer, Link
from features.log import bulk, sealed
from features.log.keys import Vault
from features.log.message_ids import LINK
from features.log.records import Record, microseconds, moment
from features.log.tables import identities, keys, links, records

LinkType = Literal["identify", "alias"]

_NAME = sa.select(identities.c.name).where(identities.c.customer_id == sa.bindparam("one")).scalar_subquery()
_SAME = sa.select(identities.c.customer_id, identities.c.name).where(
    identities.c.name == sa.func.coalesce(_NAME, sa.bindparam("one"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A link as it was told: when it began, when it became known, and by which message. `set_aside` says why it joins
    nothing; None where it holds."""

    source: str
    target: str
    type: LinkType
    message_id: str
    event_time: datetime
    known_time: datetime
    set_aside: Literal["shared device"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One customer: the name, all ids (sorted, the name among them), and what was told of them, in the order of the log."""

    name: str
    members: tuple[str, ...]
    told: tuple[Told, ...]


def identity_record(
    kind: LinkType, *, source: str, target: str, message_id: str, event_time: datetime, known_time: datetime
) -> Record:
    """The record that `source` is the customer whom `target`, a known id, names. An anonymous source has its prefix."""
    return Record(
        kind="identity",
        message_id=message_id,
        customer_id=target,
        event_time=event_time,
        known_time=known_time,
        payload=msgspec.json.encode({"type": kind, "source": source, "target": target}),
    )


def link_of(record: Record) -> Link:
    """What an identity record links. A clock that ran ahead counts as having told it when it became known."""
    body, known_us = record.body, microseconds(record.known_time)
    event_us = min(microseconds(record.event_time), known_us)
    return Link(source=body["source"], target=body["target"], event_us=event_us, known_us=known_us)


def names(connection: sa.Connection, customer_ids: Sequence[str]) -> dict[str, str]:
    """The customer's name for each of the ids that is not its own."""
    columns = (identities.c.customer_id, identities.c.name)
    return {row[0]: row[1] for row in bulk.those_in(connection, identities.c.customer_id, customer_ids, *columns)}


def customer(connection: sa.Connection, customer_id: str) -> Customer:
    """Whom an id means; itself where no link names it."""
    rows = connection.execute(_SAME, {"one": customer_id}).all()
    name = rows[0].name if rows else customer_id
    return Customer(name=name, members=tuple(sorted({name, *(row.customer_id for row in rows)})))


def all_links(connection: sa.Connection, *, until: int | None = None) -> list[Link]:
    """The links that told something new, in the order of the log; those of records up to sequence `until`."""
    query = sa.select(links).order_by(links.c.sequence)
    rows = connection.execute(query if until is None else query.where(links.c.sequence <= until))
    return [Link(source=row.source, target=row.target, event_us=row.event_us, known_us=row.known_us) for row in rows]


def links_within(connection: sa.Connection, members: Sequence[str]) -> list[Link]:
    """The links between these ids."""
    columns = (links.c.source, links.c.target, links.c.event_us, links.c.known_us)
    inside = set(members)
    return [
        Link(source=source, target=target, event_us=event_us, known_us=known_us)
        for source, target, event_us, known_us in bulk.those_in(connection, links.c.target, members, *columns)
        if source in inside
    ]


def records_of(
    connection: sa.Connection, customer_ids: Sequence[str], *, until: int | None = None, kinds: Sequence[str] = ()
) -> Iterator[Any]:
    """Rows of the records that came with these ids, as `sealed.record_of` takes them, in the order of the log."""
    query = (
        sa.select(*records.c, keys.c.customer_id, keys.c.wrapped)
        .join_from(keys, records, records.c.owner == keys.c.owner)
        .where(keys.c.customer_id.in_(customer_ids))
        .order_by(records.c.sequence)
    )
    # asked for kinds or sequences, SQLite would go through all records of a kind instead of the few of an id
    with connection.execute(query.execution_options(yield_per=5_000)) as rows:
        for row in rows:
            if until is not None and row.sequence > until:
                return
            if not kinds or row.kind in kinds:
                yield row


def explained(connection: sa.Connection, vault: Vault, customer_id: str) -> Identity:
    """Why these ids are one customer. Whose a shared device is instead is not told: that is another customer."""
    who = customer(connection, customer_id)
    query = sealed.READABLE.add_columns(links.c.source, links.c.target, links.c.event_us.label("since_us"))
    query = query.join(links, links.c.sequence == records.c.sequence).order_by(records.c.sequence)
    rows = connection.execute(query.where(links.c.target.in_(who.members))).all()
    types: list[LinkType] = [sealed.record_of(row, vault).body["type"] for row in rows]
    told = tuple(
        Told(
            source=row.source,
            target=row.target,
            type=how,
            # an alias has an id of its own, whatever it ends in
            message_id=row.message_id.removesuffix(LINK) if how == "identify" else row.message_id,
            event_time=moment(row.since_us),
            known_time=moment(row.known_us),
            set_aside=None if row.source in who.members else "shared device",
        )
        for row, how in zip(rows, types, strict=True)
    )
    return Identity(name=who.name, members=who.members, told=told)
