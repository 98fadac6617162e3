"""New links change who is who: only the customers that they touch are gathered, joined anew and written back."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from features.join import Customer, Joined, Link, is_anonymous
from features.log import bulk
from features.log.tables import identities, links

LinkRow = tuple[int, str, str, int, int]
"""A row of `links`."""

IdentityRow = tuple[str, str, str | None, int | None]
"""A row of `identities`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Customers whose ids, name or links are others than before, and the ids that no longer name a customer."""

    customers: tuple[Customer, ...] = ()
    gone: tuple[str, ...] = ()


def follow(connection: sa.Connection, told: Sequence[tuple[int, Link]]) -> Change:
    """Follow links told by records of these sequences: keep those that tell something new, and who is who by them."""
    fresh = _new(_links(connection, links.c.target, sorted({link.target for _, link in told})), told)
    if not fresh:
        return Change()
    bulk.insert(connection, links, [_link_row(*one) for one in fresh])
    return _rejoined(connection, _moving(connection, [link for _, link in fresh]))


def forget(connection: sa.Connection, members: Collection[str]) -> tuple[int, Change]:
    """Forget all that was told of one customer; how many links that were, and who is who without them.

    An anonymous id of theirs that was linked with another customer too belongs to that one from now on.
    """
    known = [one for one in members if not is_anonymous(one)]
    count = bulk.delete(connection, links.c.target, known)
    bulk.delete(connection, identities.c.customer_id, list(members))
    left: dict[str, Link] = {}
    for link in _links(connection, links.c.source, [one for one in members if is_anonymous(one)]):
        _hold(left, link)
    return count, _rejoined(connection, list(left.values()))


def implied(told: Iterable[tuple[int, Link]]) -> tuple[list[LinkRow], list[IdentityRow], Joined]:
    """What the tables hold of all links ever told, each in the order of its key; and who is who by them."""
    fresh = _new([], told)
    joined, holds = Joined(link for _, link in fresh), dict[str, Link]()
    for _, link in fresh:
        _hold(holds, link)
    named = joined.customers(sorted(joined.names()))
    rows = [_row(one, customer, holds.get(one)) for one, customer in named.items()]
    return [_link_row(*one) for one in fresh], rows, joined


def _new(before: Iterable[Link], told: Iterable[tuple[int, Link]]) -> list[tuple[int, Link]]:
    """The links that say more than those of the same two ids before: of an earlier, or later, moment, or known earlier."""
    same: dict[tuple[str, str], list[Link]] = defaultdict(list)
    for link in before:
        same[link.source, link.target].append(link)
    fresh = []
    for sequence, link in told:
        if link.source != link.target and not _is_told(link, same[link.source, link.target]):
            same[link.source, link.target].append(link)
            fresh.append((sequence, link))
    return fresh


def _is_told(link: Link, before: Iterable[Link]) -> bool:
    """What counts of a link is when it began first, and for a name when it was said last."""
    known = [one for one in before if one.known_us <= link.known_us]
    first = any(one.event_us <= link.event_us for one in known)
    return first and (is_anonymous(link.source) or any(one.event_us >= link.event_us for one in known))


def _moving(connection: sa.Connection, fresh: Sequence[Link]) -> list[Link]:
    """Those links that may change a customer: not those of a device that another customer had first.

    On a device that thousands share their links are many, and none of them need be looked at.
    """
    rows = _rows(connection, identities.c.customer_id, sorted({one for link in fresh for one in (link.source, link.target)}))
    row_of = {row[0]: row for row in rows}
    moving = []
    for link in fresh:
        held = row_of.get(link.source)
        if held is not None and held[2] is not None and held[3] is not None and (held[3], held[2]) <= _place(link):
            target = row_of.get(link.target)
            if held[1] != (target[1] if target else link.target):
                continue
        moving.append(link)
    return moving


def _rejoined(connection: sa.Connection, moving: Sequence[Link]) -> Change:
    """Write who is who with these links in; they are in the table already."""
    if not moving:
        return Change()
    before = _gathered(connection, sorted({one for link in moving for one in (link.source, link.target)}))
    holds = {
        row[0]: Link(source=row[0], target=row[2], event_us=row[3], known_us=0)
        for row in before.values()
        if row[2] and row[3] is not None
    }
    for link in moving:
        _hold(holds, link)
    between = _links(connection, links.c.target, [one for one in before if not is_anonymous(one)])
    joined = Joined([*holds.values(), *(link for link in between if not is_anonymous(link.source))])
    after = joined.customers(before)
    rows = {one: _row(one, after[one], holds.get(one)) for one in before}
    _write(connection, before, rows)
    inside = {after[link.source] for link in moving if after[link.source] == after[link.target]}
    changed = (set(after.values()) - _customers(before)) | inside
    return Change(
        customers=tuple(sorted(changed, key=lambda one: one.name)),
        gone=tuple(one for one, row in before.items() if row[1] == one and after[one].name != one),
    )


def _gathered(connection: sa.Connection, ids: Sequence[str]) -> dict[str, IdentityRow]:
    """Rows of all ids of the customers of these; those that are kept nowhere are their own."""
    found = {row[0]: row for row in _rows(connection, identities.c.customer_id, ids)}
    named = sorted({found[one][1] if one in found else one for one in ids})
    found |= {row[0]: row for row in _rows(connection, identities.c.name, named)}
    return {one: (one, one, None, None) for one in named} | found


def _customers(rows: dict[str, IdentityRow]) -> set[Customer]:
    of: dict[str, list[str]] = defaultdict(list)
    for row in rows.values():
        of[row[1]].append(row[0])
    return {Customer(name=name, members=tuple(sorted(members))) for name, members in of.items()}


def _hold(holds: dict[str, Link], link: Link) -> None:
    """An anonymous id is held by its first link."""
    if is_anonymous(link.source) and (link.source not in holds or _place(link) < _place(holds[link.source])):
        holds[link.source] = link


def _link_row(sequence: int, link: Link) -> LinkRow:
    return sequence, link.source, link.target, link.event_us, link.known_us


def _row(one: str, of: Customer, holds: Link | None) -> IdentityRow:
    return (one, of.name, holds.target, holds.event_us) if holds else (one, of.name, None, None)


def _write(connection: sa.Connection, before: dict[str, IdentityRow], after: dict[str, IdentityRow]) -> None:
    changed = [row for one, row in after.items() if row != before[one]]
    bulk.delete(connection, identities.c.customer_id, [row[0] for row in changed if row[0] == row[1]])
    named = [row for row in changed if row[0] != row[1]]
    if named:
        bulk.insert(connection, identities, named, over="customer_id")


def _place(link: Link) -> tuple[int, str]:
    return link.event_us, link.target


def _rows(connection: sa.Connection, column: sa.Column[str], values: Sequence[str]) -> list[IdentityRow]:
    return [tuple(row) for row in bulk.those_in(connection, column, values, *identities.c)]


def _links(connection: sa.Connection, column: sa.Column[str], values: Sequence[str]) -> list[Link]:
    columns = (links.c.source, links.c.target, links.c.event_us, links.c.known_us)
    return [
        Link(source=source, target=target, event_us=event_us, known_us=known_us)
        for source, target, event_us, known_us in bulk.those_in(connection, column, values, *columns)
    ]
