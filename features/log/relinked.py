"""Whom newly told links concern: what was made of these customers' records before must be made anew."""

from collections import defaultdict

import sqlalchemy as sa

from features.join import is_anonymous
from features.log import bulk
from features.log.tables import links


def relinked(connection: sa.Connection, *, after: int, until: int) -> dict[str, int]:
    """The ids whose customer may have changed by what the records of these sequences told (`after` excluded), and when that
    became known (microseconds).

    An anonymous id that a link gives to another concerns all who ever had it: a reader who was ahead of these records may
    have counted it as anyone's of them. A link that gives it to nobody concerns nobody.
    """
    told = connection.execute(sa.select(links).where(links.c.sequence > after, links.c.sequence <= until)).all()
    held = _held_us(connection, sorted({row.source for row in told if is_anonymous(row.source)}), after)
    moving = {row.source for row in told if row.event_us <= held.get(row.source, row.event_us)}
    before, gave = _holders(connection, sorted(one for one in moving if is_anonymous(one)), until)
    since: dict[str, int] = {}
    for row in sorted(told, key=lambda row: row.sequence):
        if not is_anonymous(row.source) or row.sequence in gave:
            for one in (row.source, row.target, *before[row.source]):
                since[one] = max(since.get(one, row.known_us), row.known_us)
    return since


def _held_us(connection: sa.Connection, sources: list[str], until: int) -> dict[str, int]:
    """When each anonymous id was first somebody's, by the records up to `until`."""
    query = sa.select(links.c.source, sa.func.min(links.c.event_us)).group_by(links.c.source)
    rows = connection.execute(query.where(links.c.source.in_(sources), links.c.sequence <= until))
    return {row[0]: row[1] for row in rows}


def _holders(connection: sa.Connection, sources: list[str], until: int) -> tuple[dict[str, list[str]], set[int]]:
    """By anonymous id all who ever had it, as the links came in up to `until`; and the links that gave it to them."""
    columns = (links.c.source, links.c.sequence, links.c.event_us, links.c.target)
    rows = sorted(tuple(row) for row in bulk.those_in(connection, links.c.source, sources, *columns))
    holders: dict[str, list[str]] = defaultdict(list)
    first: dict[str, tuple[int, str]] = {}
    gave = set()
    for source, sequence, event_us, target in rows:
        if sequence <= until and (event_us, target) < first.get(source, (event_us + 1, target)):
            first[source] = (event_us, target)
            holders[source].append(target)
            gave.add(sequence)
    return holders, gave
