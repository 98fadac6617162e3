"""Whom newly told links concern: what was made of these customers' records before must be made anew."""

from collections import defaultdict

import sqlalchemy as sa

from features.join import is_anonymous
from features.log import bulk
from features.log.tables import identities, links


def relinked(connection: sa.Connection, *, after: int, until: int) -> dict[str, int]:
    """The ids whose customer may have changed by what the records of these sequences told (`after` excluded), and when that
    became known (microseconds).

    An anonymous id concerns whoever has it now by such a link, and all who had it before. A link that does not hold concerns
    nobody: it never did, or the one that took its place is told later.
    """
    told = sa.select(links).where(links.c.sequence > after, links.c.sequence <= until)
    fresh = connection.execute(told).all()
    sources = sorted({row.source for row in fresh if is_anonymous(row.source)})
    columns = (identities.c.customer_id, identities.c.event_us, identities.c.target)
    held = {one: place for one, *place in bulk.those_in(connection, identities.c.customer_id, sources, *columns)}
    holding = [row for row in fresh if not is_anonymous(row.source) or [row.event_us, row.target] == held.get(row.source)]
    before = _holders(connection, sorted({row.source for row in holding if is_anonymous(row.source)}), until)
    since: dict[str, int] = {}
    for row in holding:
        for one in (row.source, row.target, *before[row.source]):
            since[one] = max(since.get(one, row.known_us), row.known_us)
    return since


def _holders(connection: sa.Connection, sources: list[str], until: int) -> dict[str, list[str]]:
    """By anonymous id all who ever had it, as the links came in."""
    columns = (links.c.source, links.c.sequence, links.c.event_us, links.c.target)
    rows = sorted(tuple(row) for row in bulk.those_in(connection, links.c.source, sources, *columns))
    holders: dict[str, list[str]] = defaultdict(list)
    first: dict[str, tuple[int, str]] = {}
    for source, sequence, event_us, target in rows:
        if sequence <= until and (event_us, target) < first.get(source, (event_us + 1, target)):
            first[source] = (event_us, target)
            holders[source].append(target)
    return holders
